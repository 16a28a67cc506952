// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_E2E_STEADY_LOAD_H_
#define FEATHERID_TEST_E2E_STEADY_LOAD_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace featherid::test {

// Clients that ask each of several servers for ids at one steady pace, and keep an account of every
// request and every id.
class SteadyLoad {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr int kClientsPerServer = 2;
  static constexpr int kBatchIds = 20;
  static constexpr std::chrono::milliseconds kPause{10};  // of a client, from request to request

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

  // The requests, in no order, that were sent from `begin` on and have ended before `end`.
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

// Of requests: how many were not served, and within what time 99 of 100 were answered.
int errors_in(const std::vector<SteadyLoad::Request>& requests);
std::chrono::microseconds p99_of(const std::vector<SteadyLoad::Request>& requests);

// The p99 of all times but for a stall of the machine or two: what the slowest of 69 requests
// takes, at the median of one 69 after the other.
std::chrono::microseconds usual_p99_of(std::vector<SteadyLoad::Request> requests);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_E2E_STEADY_LOAD_H_
