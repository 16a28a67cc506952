// SPDX-License-Identifier: MIT
#include "lib/store/soci/conflict_count.h"

#include "test/support/catch.h"

using namespace featherid;
using std::chrono::seconds;

TEST_CASE("a conflict is reported at once, and then once a minute with the count",
          "[conflict_count]") {
  ConflictCount conflicts;
  const TimePoint start = std::chrono::steady_clock::now();
  CHECK(conflicts.add(start) == 1);
  for (int i = 0; i < 59; ++i) CHECK(conflicts.add(start + seconds(i)) == 0);
  CHECK(conflicts.add(start + seconds(60)) == 60);
  CHECK(conflicts.add(start + seconds(61)) == 0);
  CHECK(conflicts.add(start + seconds(500)) == 2);
}
