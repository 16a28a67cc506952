// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_GATE_H_
#define FEATHERID_TEST_SUPPORT_GATE_H_

#include <condition_variable>
#include <mutex>

namespace featherid::test {

// Shut until it is opened, for good. Thread-safe.
class Gate {
 public:
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_GATE_H_
