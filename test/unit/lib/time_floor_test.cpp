// SPDX-License-Identifier: MIT
#include "featherid/time_floor.h"

#include <random>

#include "featherid/id_range.h"
#include "test/support/catch.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

WallTime at_ms(std::int64_t ms) { return WallTime(milliseconds(ms)); }

}  // namespace

TEST_CASE("the floor rises by its rate from its epoch on", "[time_floor]") {
  const TimeFloor floor{1000, 100, 10, false};
  CHECK(floor_at(floor, at_ms(0)) == 0);
  CHECK(floor_at(floor, at_ms(100000)) == 0);
  CHECK(floor_at(floor, at_ms(100001)) == 1);
  CHECK(floor_at(floor, at_ms(101500)) == 1500);
  CHECK(lead_end_at(floor, at_ms(101500)) == 11500);
  CHECK(lead_end_at(floor, at_ms(90500)) == 500);
  CHECK(floor_at({7, 0, 10, false}, at_ms(1999)) == 13);  // 13.993
  CHECK(raised_to_floor(floor, 1000, at_ms(101500)) == 1500);
  CHECK(raised_to_floor(floor, 2000, at_ms(101500)) == 2000);
  CHECK(raised_to_floor({}, -5, at_ms(101500)) == 0);
  CHECK(lead_seconds(floor, 2500, at_ms(101500)) == 1.0);
  CHECK(lead_seconds(floor, 500, at_ms(101500)) == -1.0);
  CHECK(lead_end_at({1000, 100, 10, true}, at_ms(101500)) == kIdMax);
}

TEST_CASE("a tag without a floor is bound by nothing", "[time_floor]") {
  const TimeFloor none;
  CHECK_FALSE(none.is_set());
  CHECK(floor_at(none, at_ms(5000)) == 0);
  CHECK(lead_end_at(none, at_ms(5000)) == kIdMax);
  CHECK(lead_seconds(none, 5000, at_ms(5000)) == 0);
  CHECK(leased_when(none, 5).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("no time makes the floor overflow", "[time_floor]") {
  for (const std::int64_t rate : {std::int64_t{1}, kFloorRateMax}) {
    const TimeFloor floor{rate, 0, kLeadMaxSecondsMax, false};
    const WallTime last = WallTime::max() - seconds(kLeadMaxSecondsMax);
    CHECK(floor_at(floor, last) > 0);
    CHECK(floor_at(floor, last) <= kIdMax);
    CHECK(lead_end_at(floor, last) <= kIdMax);
  }
  CHECK(floor_at({kFloorRateMax, 0, 10, false}, WallTime::max()) == kIdMax);
}

// Every id of a lease at the time t is above the floor at t, and not above it at t + lead_max.
TEST_CASE("an id tells between which times it was leased", "[time_floor]") {
  std::mt19937_64 random(1);
  const auto draw = [&](std::int64_t min, std::int64_t max) {
    return std::uniform_int_distribution<std::int64_t>(min, max)(random);
  };
  for (int i = 0; i < 20000; ++i) {
    const TimeFloor floor{draw(1, i % 2 == 0 ? 5000 : kFloorRateMax), draw(0, 1700000000),
                          draw(1, i % 3 == 0 ? 3 : 86400), false};
    const WallTime leased_at = at_ms(1000 * draw(1700000000, 1900000000) + draw(0, 999));
    const std::int64_t first = floor_at(floor, leased_at) + 1;
    for (const std::int64_t id :
         {first, draw(first, lead_end_at(floor, leased_at)), lead_end_at(floor, leased_at)}) {
      const Result<LeaseTime> time = leased_when(floor, id);
      REQUIRE(time.ok());
      REQUIRE(time->from <= leased_at);
      REQUIRE(leased_at <= time->until);
      REQUIRE(time->until - time->from <= seconds(floor.lead_max_s));
    }
  }
}

TEST_CASE("the lead that only warns leaves the earliest time open", "[time_floor]") {
  const Result<LeaseTime> time = leased_when({1000, 100, 10, true}, 50000);
  REQUIRE(time.ok());
  CHECK(time->from == WallTime(seconds(100)));
  CHECK(time->until == WallTime(seconds(150)));
  CHECK(leased_when({1000, 100, 10, false}, 5000)->from == WallTime(seconds(100)));
}

TEST_CASE("an id from before the floor tells no time", "[time_floor]") {
  TimeFloor floor{1000, 0, 10, false};
  floor.since_id = 70;
  const Status refused = leased_when(floor, 70).status();
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK_THAT(refused.message(), Contains("above 70"));
  CHECK(leased_when(floor, 71).ok());
  CHECK(leased_when({1, 0, 10, false}, kIdMax).status().code() == StatusCode::kInvalidArgument);
}

}  // namespace featherid
