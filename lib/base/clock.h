// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_CLOCK_H_
#define FEATHERID_LIB_BASE_CLOCK_H_

#include <chrono>

#include "lib/base/platform.h"

namespace featherid {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// The core's source of time, which a test can replace. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  // Also goes on while the machine sleeps, so the two drift apart.
  virtual TimePoint boot_now() const { return now(); }
};

class SteadyClock final : public Clock {
 public:
  TimePoint now() const override { return platform::SteadyClock::now(); }
  TimePoint boot_now() const override { return platform::boot_now(); }
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_CLOCK_H_
