// SPDX-License-Identifier: MIT
#include "lib/segment/refill_policy.h"

#include <cmath>

#include "featherid/tag_admin.h"
#include "test/support/catch.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr RefillLimits kLimits{seconds(30), 10000000};

RefillState state(std::int64_t step, std::int64_t stock_ids) {
  RefillState state;
  state.step = step;
  state.stock_ids = stock_ids;
  return state;
}

}  // namespace

TEST_CASE("the first lease is the row's step", "[refill_policy]") {
  CHECK(ids_to_lease(kLimits, state(1000, 0)) == 1000);
  CHECK(ids_to_lease(kLimits, state(1, 0)) == 1);
  CHECK(ids_to_lease(kLimits, state(50000000, 0)) == 50000000);  // above lease_max_ids
}

TEST_CASE("an idle tag that holds half a step leases nothing", "[refill_policy]") {
  CHECK(ids_to_lease(kLimits, state(1000, 1000)) == 0);
  CHECK(ids_to_lease(kLimits, state(1000, 500)) == 0);
  CHECK(ids_to_lease(kLimits, state(1000, 499)) == 1000);
}

TEST_CASE("a lease grows at most twofold and stays under its maximum", "[refill_policy]") {
  RefillState hot = state(1000, 100);
  hot.burn_ids_per_second = 1e6;
  hot.last_lease_ids = 1000;
  CHECK(ids_to_lease(kLimits, hot) == 2000);
  hot.last_lease_ids = 8000000;
  CHECK(ids_to_lease(kLimits, hot) == 10000000);
}

TEST_CASE("a steady burn is filled up to two holds once it falls under 1.25", "[refill_policy]") {
  RefillState steady = state(1000, 0);
  steady.burn_ids_per_second = 10000;  // one hold is 300,000
  steady.last_lease_ids = 1000000;
  steady.stock_ids = 376000;
  CHECK(ids_to_lease(kLimits, steady) == 0);
  steady.stock_ids = 370000;
  CHECK(ids_to_lease(kLimits, steady) == 230000);
}

TEST_CASE("callers that wait for many ids get them in one lease, up to its maximum",
          "[refill_policy]") {
  RefillState wanted = state(10, 4);
  wanted.last_lease_ids = 10;
  wanted.wanted_ids = 1000;
  CHECK(ids_to_lease(kLimits, wanted) == 996);
  wanted.wanted_ids = 4 * kLeaseIdsMax;
  CHECK(ids_to_lease(kLimits, wanted) == kLimits.lease_max_ids);
  CHECK(ids_to_lease({seconds(30), 100}, wanted) == kRangeIdsMax);
}

TEST_CASE("a slow store is asked earlier", "[refill_policy]") {
  RefillState slow = state(1000, 400000);
  slow.burn_ids_per_second = 10000;
  CHECK(ids_to_lease(kLimits, slow) == 0);
  slow.lease_latency = seconds(5);
  slow.last_lease_ids = 100000;
  CHECK(ids_to_lease(kLimits, slow) == 200000);
}

TEST_CASE("no input overflows", "[refill_policy]") {
  RefillState extreme = state(kLeaseIdsMax, 0);
  extreme.burn_ids_per_second = 1e300;
  extreme.last_lease_ids = kLeaseIdsMax;
  extreme.lease_latency = std::chrono::hours(24);
  CHECK(ids_to_lease({std::chrono::hours(1), kLeaseIdsMax}, extreme) == kLeaseIdsMax);
  CHECK(chunk_ids({std::chrono::hours(1), kLeaseIdsMax}, kLeaseIdsMax, 1e300) == kLeaseIdsMax);
}

TEST_CASE("a chunk is an eighth of a hold or a quarter of a step, and never empty",
          "[refill_policy]") {
  CHECK(chunk_ids(kLimits, 1000, 0) == 250);
  CHECK(chunk_ids(kLimits, 1, 0) == 1);
  CHECK(chunk_ids(kLimits, 1000, 8000) == 30000);
}

TEST_CASE("the burn rate converges on a steady burn", "[refill_policy]") {
  BurnMeter meter(seconds(10));
  for (int i = 0; i < 1000; ++i) meter.add(500, milliseconds(50));
  CHECK(std::abs(meter.ids_per_second() - 10000) < 200);
}

TEST_CASE("a spike counts for its share of the window and idling forgets it", "[refill_policy]") {
  BurnMeter meter(seconds(10));
  for (int i = 0; i < 10; ++i) meter.add(100000, milliseconds(10));  // 10M ids/s for 0.1 s
  CHECK(meter.ids_per_second() < 110000);
  meter.add(1, seconds(100));
  CHECK(meter.ids_per_second() < 10);
}

TEST_CASE("the mean does not depend on how often it is measured", "[refill_policy]") {
  BurnMeter often(seconds(10));
  BurnMeter seldom(seconds(10));
  for (int i = 0; i < 1000; ++i) often.add(10, milliseconds(1));
  seldom.add(10000, seconds(1));
  CHECK(std::abs(often.ids_per_second() - seldom.ids_per_second()) < 1);
}

TEST_CASE("a use in zero time does not divide by zero", "[refill_policy]") {
  BurnMeter meter(seconds(10));
  meter.add(1000, Duration(0));
  CHECK(std::isfinite(meter.ids_per_second()));
}

TEST_CASE("back-off doubles from its minimum to its maximum, the latter half random",
          "[refill_policy]") {
  std::minstd_rand random(7);
  for (int failures = 1; failures < 100; ++failures) {
    const Duration whole =
        failures > 6 ? milliseconds(1000) : milliseconds(20) * (1 << (failures - 1));
    const Duration pause = backoff(milliseconds(20), milliseconds(1000), failures, random);
    CHECK(pause >= whole / 2 - std::chrono::microseconds(1));
    CHECK(pause <= whole);
  }
}

// docs/operating/scale.md counts leases by this.
TEST_CASE("a steady burn makes as many leases as the burn, the step and the hold say",
          "[refill_policy]") {
  constexpr double kStep = 0.05;  // s
  constexpr double kSeconds = 20000;
  for (const double burn : {1.0, 10.0, 30.0, 44.0, 100.0, 10000.0, 1000000.0}) {
    RefillState tag = state(1000, 0);
    tag.burn_ids_per_second = burn;
    double stock = 0;
    double leases = 0;
    for (double now = 0; now < kSeconds; now += kStep) {
      stock -= burn * kStep;
      tag.stock_ids = std::max<std::int64_t>(0, static_cast<std::int64_t>(stock));
      const std::int64_t ids = ids_to_lease(kLimits, tag);
      if (ids == 0) continue;
      stock += static_cast<double>(ids);
      tag.last_lease_ids = ids;
      leases += now > kSeconds / 10 ? 1 : 0;
    }
    const double expected = std::min(burn / 1000, std::max(1 / (0.75 * 30), burn / 10000000));
    CAPTURE(burn);
    CHECK(std::abs(leases / (0.9 * kSeconds) - expected) < 0.03 * expected);
  }
}

}  // namespace featherid
