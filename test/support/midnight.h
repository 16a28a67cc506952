// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MIDNIGHT_H_
#define FEATHERID_TEST_SUPPORT_MIDNIGHT_H_

#include <chrono>

#include "featherid/period.h"

namespace featherid::test {

// Days of which one ends at the end of the minute of `at`. So a test need not wait for midnight.
inline PeriodRule days_that_end_with_minute(WallTime at) {
  using std::chrono::minutes;
  const auto end = std::chrono::floor<minutes>(at.time_since_epoch()) + minutes(1);
  const int of_day = static_cast<int>(end.count() % 1440);
  return {PeriodKind::kDay, of_day <= kPeriodOffsetMinutesMax ? -of_day : 1440 - of_day};
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MIDNIGHT_H_
