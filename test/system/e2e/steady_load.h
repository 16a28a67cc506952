// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_STEADY_LOAD_H_
#define FEATHERID_TEST_SYSTEM_E2E_STEADY_LOAD_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace featherid::test {

// Clients that ask each of several servers for ids at one steady pace and record every request and
// every id.
class SteadyLoad {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr int kClientsPerServer = 2;
  static constexpr int kBatchIds = 20;
  static constexpr std::chrono::milliseconds kPause{10};  // of a client, between requests

  struct Request {
    int port;
    Clock::time_point sent;
    Clock::time_point ended;
    bool served;
  };

  explicit SteadyLoad(const std::vector<int>& ports);
  ~SteadyLoad() { stop(); }
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  void stop();

  // The requests that were sent from `begin` on and ended before `end`, in no order.
  std::vector<Request> between(Clock::time_point begin, Clock::time_point end) const;

  // Once it has stopped: all ids, sorted.
  std::vector<std::int64_t> sorted_ids() const;

 private:
  struct Client {
    mutable std::mutex mutex;
    std::vector<Request> requests;
    std::vector<std::int64_t> ids;
    std::thread thread;
  };

  void run(int port, Client& client);

  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<Client>> clients_;
};

// How many requests were not served, and the time within which 99 of 100 were answered.
int errors_in(const std::vector<SteadyLoad::Request>& requests);
std::chrono::microseconds p99_of(const std::vector<SteadyLoad::Request>& requests);

// The p99 of all times, despite a stall or two of the machine: takes the slowest of each 69
// requests in a row and returns the median of these.
std::chrono::microseconds usual_p99_of(std::vector<SteadyLoad::Request> requests);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_STEADY_LOAD_H_
