// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_STORE_CALLS_H_
#define FEATHERID_SERVER_OPS_STORE_CALLS_H_

#include <asio/thread_pool.hpp>
#include <atomic>
#include <functional>

namespace featherid {

// Runs calls of the store off the event loops, because they block, and the writing of metrics,
// because it may take half a second. Each lane has a thread of its own, so a readiness probe never
// waits behind an administrator's call, and that one never behind a stranger who reads. The lanes
// that read run at a low priority, so that long answers delay no id. Thread-safe.
class StoreCalls {
 public:
  enum class Lane { kReadiness, kAdmin, kReads, kMetrics };

  static constexpr int kLanes = 4;      // each runs one call of the store at a time
  static constexpr int kCallsMax = 16;  // of one lane, in progress or waiting

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
    asio::thread_pool pool{1};
    std::atomic<int> calls{0};
  };
  OneLane lanes_[kLanes];
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_STORE_CALLS_H_
