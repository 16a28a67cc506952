// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_CREW_H_
#define FEATHERID_TEST_BENCH_CREW_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "test/bench/latencies.h"
#include "test/bench/peer.h"

namespace featherid::bench {

// Ids in a file's memory, which outlives a killed process. Those who note them and those who read
// them open the same file.
class SharedNotes {
 public:
  explicit SharedNotes(const std::string& file);
  ~SharedNotes();
  SharedNotes(const SharedNotes&) = delete;
  SharedNotes& operator=(const SharedNotes&) = delete;

  void add(std::int64_t id);  // above 0
  std::vector<std::int64_t> ids() const;

 private:
  struct Notes;
  Notes* const notes_;
};

struct CrewOptions {
  int clients = 16;
  int threads = 2;  // of the driver, for remote clients. A local client is a thread
  // Of a local client after each id, which is then noted. 0: none, and ids are not noted.
  std::chrono::microseconds pause{0};
  SharedNotes* notes = nullptr;  // where local clients note ids, instead of the report
};

// What the clients got since the last call of begin().
struct CrewReport {
  std::int64_t answered = 0;
  std::int64_t refused = 0;
  std::int64_t broken = 0;  // connections
  double seconds = 0;
  Latencies latencies;
  std::vector<std::int64_t> ids;  // all ids that were noted, since the start

  double per_second() const { return static_cast<double>(answered) / seconds; }
};

// Clients of a peer at work, each of which asks again once it is answered. Those whose connection
// breaks connect again and again. The constructor starts them, and the destructor stops them.
class Crew {
 public:
  Crew(const Peer& peer, const CrewOptions& options);  // throws if one cannot connect
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Ids so far, ever.
  std::int64_t answered() const;
  // From now on counts for the report.
  void begin();
  // Stops all, and reports. Throws if a client gave up.
  CrewReport report();

  class Worker;

 private:
  void stop();

  std::atomic<bool> stopping_{false};
  std::mutex gate_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::chrono::steady_clock::time_point begun_;
  std::int64_t answered_before_ = 0;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_CREW_H_
