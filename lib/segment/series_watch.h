// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_SERIES_WATCH_H_
#define FEATHERID_LIB_SEGMENT_SERIES_WATCH_H_

#include <array>
#include <cstdint>
#include <optional>

#include "featherid/id_range.h"
#include "lib/base/clock.h"

namespace featherid {

// How near a tag's series is to an end: to its cap or, without one, to what a 32-bit integer, a
// double and the ids themselves can hold. Pure: without a clock, a lock or a store.
class SeriesWatch {
 public:
  // A max_id of the row, as it was at `now`. It may be lower than one before.
  void see(std::int64_t max_id, TimePoint now);

  std::int64_t max_id() const { return max_id_; }  // the highest that was seen

  // What all processes lease together: a mean over the last one to two hours, or over the time
  // since the first see(). 0 during its first minute.
  double ids_per_second() const { return ids_per_second_; }

  struct Warning {
    int percent;       // of the end that is used up
    std::int64_t end;  // the last id before it
    bool is_cap;
    std::optional<double> seconds_left;  // none: at the present rate, never
  };
  // A warning that has become due since the last call. Each share of each end is warned about once;
  // of several shares at once, only the largest is.
  std::optional<Warning> next_warning(std::int64_t cap);

 private:
  struct Point {
    std::int64_t max_id = 0;
    TimePoint at{};
  };
  struct Warned {
    std::int64_t end = 0;
    int percent = 0;
  };
  std::optional<Warning> warning_of(std::int64_t end, bool is_cap, Warned* warned) const;

  bool seen_ = false;
  std::int64_t max_id_ = 0;
  double ids_per_second_ = 0;
  Point older_;  // the rate is measured from here
  Point newer_;  // takes its place when it is an hour old
  std::array<Warned, 3> warned_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_SERIES_WATCH_H_
