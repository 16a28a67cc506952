// SPDX-License-Identifier: MIT
#include "lib/store/soci/known_periods.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a tag has the periods of the row that was read last", "[known_periods]") {
  KnownPeriods periods;
  CHECK(!periods.find("order").is_set());
  SegmentRow row{"order", 0, 100};
  row.period = {PeriodKind::kMonth, 60};
  periods.learn(row);
  CHECK(periods.find("order") == PeriodRule{PeriodKind::kMonth, 60});
  CHECK(!periods.find("user").is_set());
  row.period = {};
  periods.learn(row);
  CHECK(!periods.find("order").is_set());
}

}  // namespace featherid
