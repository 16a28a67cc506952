// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_STOPWATCH_H_
#define FEATHERID_TEST_SUPPORT_STOPWATCH_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace featherid::test {

// The time since it was made, without the time in which the machine did not run the process: how
// much too late a thread that only sleeps woke up. For upper bounds on durations.
class Stopwatch {
 public:
  using Duration = std::chrono::duration<double>;

  Stopwatch() : thread_([this] { run(); }) {}
  ~Stopwatch() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_one();
    thread_.join();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  Duration elapsed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Clock::now() - begin_ - late_ - overdue();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kNap{20};

  Clock::duration overdue() const { return std::max(Clock::duration(0), Clock::now() - due_); }
  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopped_.wait_until(lock, due_, [this] { return stopping_; })) {
      late_ += overdue();
      due_ = Clock::now() + kNap;
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point due_ = begin_ + kNap;  // when the thread wakes up next
  Clock::duration late_{0};
  std::thread thread_;  // last: it uses the members above
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_STOPWATCH_H_
