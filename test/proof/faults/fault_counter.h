// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FAULTS_FAULT_COUNTER_H_
#define FEATHERID_TEST_PROOF_FAULTS_FAULT_COUNTER_H_

#include <atomic>

namespace featherid::test {

// Counts calls and decides which of them fail: only the nth, or all from the nth on. Thread-safe.
// Allocates no memory.
class FaultCounter {
 public:
  void arm(int nth, bool persistent) {
    calls_ = 0;
    nth_ = nth;
    persistent_ = persistent;
    armed_ = true;
  }
  void disarm() { armed_ = false; }
  // Whether the nth call since arming has come.
  bool reached() const { return calls_ >= nth_; }

  // Asked at every call: must it fail?
  bool strikes() {
    if (!armed_) return false;
    const int call = ++calls_;
    return persistent_ ? call >= nth_ : call == nth_;
  }

 private:
  std::atomic<bool> armed_{false};
  std::atomic<bool> persistent_{false};
  std::atomic<int> nth_{0};
  std::atomic<int> calls_{0};
};

// The allocations and the starts of threads of this process (machine_faults.cpp).
extern FaultCounter allocations;
extern FaultCounter thread_starts;

// While it lives, this thread's allocations (the test's own) are not counted.
class Uncounted {
 public:
  Uncounted();
  ~Uncounted();
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FAULTS_FAULT_COUNTER_H_
