// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_CLIENT_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_CLIENT_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "featherid/id_range.h"
#include "test/system/campaign/load.h"
#include "test/system/campaign/note.h"

namespace featherid::campaign {

// Where a server listens in its current life. Aligned, because clang otherwise assumes that its
// atomic needs a lock.
struct alignas(4) Address {
  std::uint16_t port = 0;  // 0: it does not
  std::uint16_t life = 0;
};

// A connection to a server, in some protocol.
class Asker {
 public:
  static constexpr std::chrono::seconds kTimeout{4};  // longer than the server needs for any answer

  struct Answer {
    std::vector<IdRange> ids;  // acknowledged, in their order
    std::uint16_t code = 0;    // if there are none: an HTTP status, or 0 without an answer
    std::int32_t period = 0;   // as Note::period
  };

  virtual ~Asker() = default;
  // Connects again in a new life of the server.
  virtual Answer ask(Address address, const Question& question, const std::string& tag) = 0;
};

std::unique_ptr<Asker> make_http_asker();
std::unique_ptr<Asker> make_redis_asker();

// A thread that asks one server over a kept connection and records the answers in memory.
class Client {
 public:
  // `address` must outlive it.
  Client(std::unique_ptr<Asker> asker, const std::atomic<Address>& address,
         std::vector<std::string> tags, std::uint16_t thread, std::uint64_t seed);
  ~Client() { stop(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // When it got its last ids: of any tag, or of this one.
  std::int64_t served_us() const { return served_us_; }
  std::int64_t tag_served_us(std::size_t tag) const { return tags_served_us_[tag]; }
  void stop();
  const std::vector<Note>& notes() const { return notes_; }  // after stop()

 private:
  void run();
  void ask(Address address);

  const std::unique_ptr<Asker> asker_;
  const std::atomic<Address>& address_;
  const std::vector<std::string> tags_;
  const std::uint16_t thread_;

  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> served_us_{0};
  std::vector<std::atomic<std::int64_t>> tags_served_us_;
  Random random_;            // of the thread
  std::vector<Note> notes_;  // of the thread
  std::thread asking_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_CLIENT_H_
