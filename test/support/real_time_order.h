// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_REAL_TIME_ORDER_H_
#define FEATHERID_TEST_SUPPORT_REAL_TIME_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "featherid/id_range.h"

namespace featherid::test {

// A call that returned ids, by a clock that all callers share.
struct TimedIds {
  std::int64_t began = 0;
  std::int64_t ended = 0;
  IdRange ids;
  std::size_t caller = 0;  // for the report
};

// What is wrong with the real-time order of some calls.
struct Disorder {
  std::int64_t calls = 0;  // that began after another had ended, and yet got no larger id
  // The first of them, and the other one.
  std::optional<TimedIds> call;
  std::optional<TimedIds> before;
};

// Strict order: if a call began after another had ended, all of its ids are larger. Every call that
// breaks this is found, because it breaks it with the highest id of all calls that had ended when
// it began. O(n log n).
inline Disorder find_disorder(std::vector<TimedIds> calls) {
  std::vector<TimedIds> by_end = calls;
  std::sort(by_end.begin(), by_end.end(),
            [](const TimedIds& a, const TimedIds& b) { return a.ended < b.ended; });
  std::sort(calls.begin(), calls.end(),
            [](const TimedIds& a, const TimedIds& b) { return a.began < b.began; });
  Disorder found;
  const TimedIds* highest = nullptr;  // of those that have ended
  auto next = by_end.cbegin();
  for (const TimedIds& call : calls) {
    for (; next != by_end.cend() && next->ended < call.began; ++next) {
      if (highest == nullptr || next->ids.end > highest->ids.end) highest = &*next;
    }
    if (highest == nullptr || call.ids.first >= highest->ids.end) continue;
    if (found.calls++ > 0) continue;
    found.call = call;
    found.before = *highest;
  }
  return found;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_REAL_TIME_ORDER_H_
