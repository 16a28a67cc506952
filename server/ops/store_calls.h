// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_STORE_CALLS_H_
#define FEATHERID_SERVER_OPS_STORE_CALLS_H_

#include <asio/thread_pool.hpp>
#include <atomic>
#include <cstddef>
#include <functional>

namespace featherid {

// Runs calls of the store off the event loops, because they block, and the writing of metrics,
// because it may take half a second. Each lane has a thread of its own, so a readiness probe never
// waits behind an administrator's call, and that one never behind a stranger who reads. The lanes
// that read run at a low priority, so that long answers delay no id. Thread-safe.
class StoreCalls {
 public:
  // kLeases: calls of other processes that lease. It has several threads, and a longer queue for
  // the moment in which many processes start at once.
  enum class Lane { kReadiness, kAdmin, kReads, kMetrics, kLeases };

  static constexpr int kLanes = 5;
  static constexpr int kLeaseThreads = 4;
  static constexpr int kThreads = kLanes - 1 + kLeaseThreads;  // each runs one call at a time
  static constexpr int kCallsMax = 16;  // of one lane, in progress or waiting
  static constexpr int kLeaseCallsMax = 1000;

  StoreCalls();
  ~StoreCalls();  // stop() and join()
  StoreCalls(const StoreCalls&) = delete;
  StoreCalls& operator=(const StoreCalls&) = delete;

  // Runs `call` soon. False: too many calls of the lane wait already, and it never runs.
  bool post(Lane lane, std::function<void()> call);

  // Drops the calls that have not begun.
  void stop();
  // Returns once no call is in progress. Call this before destroying what the calls use.
  void join();

 private:
  struct OneLane {
    explicit OneLane(std::size_t threads = 1, int calls_most = kCallsMax)
        : pool(threads), calls_max(calls_most) {}

    asio::thread_pool pool;
    const int calls_max;
    std::atomic<int> calls{0};
  };
  OneLane lanes_[kLanes - 1];
  OneLane leases_{kLeaseThreads, kLeaseCallsMax};

  OneLane& lane(Lane lane);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_STORE_CALLS_H_
