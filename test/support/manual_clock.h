// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MANUAL_CLOCK_H_
#define FEATHERID_TEST_SUPPORT_MANUAL_CLOCK_H_

#include <atomic>

#include "lib/base/clock.h"

namespace featherid::test {

// Time that stands still until a test moves it. Thread-safe.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(ticks_.load())); }
  TimePoint boot_now() const override { return now() + Duration(slept_ticks_.load()); }
  void advance(Duration by) { ticks_ += by.count(); }
  // The machine sleeps.
  void sleep(Duration time) { slept_ticks_ += time.count(); }

 private:
  // It begins soon after the machine's start, so a thread that waits until a time of this clock is
  // never kept waiting by the machine's own clock, which is further.
  std::atomic<Duration::rep> ticks_{Duration(std::chrono::seconds(1)).count()};
  std::atomic<Duration::rep> slept_ticks_{0};
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MANUAL_CLOCK_H_
