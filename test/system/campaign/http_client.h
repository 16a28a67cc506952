// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_HTTP_CLIENT_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_HTTP_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "test/system/campaign/load.h"
#include "test/system/campaign/note.h"

namespace featherid::campaign {

// Where a server listens in its current life. Aligned, because clang otherwise assumes that its
// atomic needs a lock.
struct alignas(4) Address {
  std::uint16_t port = 0;  // 0: it does not
  std::uint16_t life = 0;
};

// A thread that asks one server over a kept connection and records the answers in memory.
class HttpClient {
 public:
  // `address` must outlive it.
  HttpClient(const std::atomic<Address>& address, std::vector<std::string> tags,
             std::uint16_t thread, std::uint64_t seed);
  ~HttpClient() { stop(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  std::int64_t served_us() const { return served_us_; }
  void stop();
  const std::vector<Note>& notes() const { return notes_; }  // after stop()

 private:
  class Connection;

  void run();
  void ask(Connection& connection, Address address);
  void note_ids(Note note, const std::string& body);

  const std::atomic<Address>& address_;
  const std::vector<std::string> tags_;
  const std::uint16_t thread_;

  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> served_us_{0};
  Random random_;            // of the thread
  std::vector<Note> notes_;  // of the thread
  std::thread asking_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_HTTP_CLIENT_H_
