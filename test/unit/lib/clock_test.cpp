// SPDX-License-Identifier: MIT
#include "lib/base/clock.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("the steady clock is the machine's", "[clock]") {
  const SteadyClock clock;
  const TimePoint before = std::chrono::steady_clock::now();
  const TimePoint now = clock.now();
  CHECK(before <= now);
  CHECK(now <= std::chrono::steady_clock::now());
}

}  // namespace featherid
