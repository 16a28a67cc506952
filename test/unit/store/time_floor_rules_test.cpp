// SPDX-License-Identifier: MIT
#include "lib/store/time_floor_rules.h"

#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"
#include "test/support/catch.h"

namespace featherid {

using std::chrono::seconds;

namespace {

const WallTime kNow{seconds(1800000000)};

SegmentRow row_with(std::int64_t max_id, const TimeFloor& floor) {
  SegmentRow row{"order", max_id, 1000};
  row.floor = floor;
  row.read_at = kNow;
  return row;
}

TimeFloorChange rate_of(std::int64_t rate) {
  TimeFloorChange change;
  change.rate = rate;
  return change;
}

}  // namespace

TEST_CASE("the bounds of a floor are refused by name", "[time_floor_rules]") {
  TimeFloorChange change;
  CHECK(check_floor_change(change).ok());
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, kFloorRateMax + 1}) {
    CHECK_THAT(check_floor_change(rate_of(bad)).message(), Contains("rate"));
  }
  for (const std::int64_t bad : {std::int64_t{0}, kLeadMaxSecondsMax + 1}) {
    change.lead_max_s = bad;
    CHECK_THAT(check_floor_change(change).message(), Contains("lead_max"));
  }
  change = {};
  change.epoch_s = -1;
  CHECK_THAT(check_floor_change(change).message(), Contains("epoch"));
}

TEST_CASE("a floor may rise, and never falls or goes away", "[time_floor_rules]") {
  const SegmentRow row = row_with(5, {1000, 500, 10, false, 3});
  Result<TimeFloor> floor = changed_floor(row, rate_of(2000), kNow);
  REQUIRE(floor.ok());
  CHECK(floor->rate == 2000);
  CHECK(floor->epoch_s == 500);
  CHECK(floor->since_id == 5);  // ids so far mean another time
  CHECK_THAT(changed_floor(row, rate_of(999), kNow).status().message(), Contains("only rise"));
  TimeFloorChange change;
  change.epoch_s = 501;
  CHECK_THAT(changed_floor(row, change, kNow).status().message(), Contains("only move earlier"));
  change.epoch_s = 499;
  CHECK(changed_floor(row, change, kNow)->since_id == 5);
  change = {};
  change.lead_max_s = 20;
  floor = changed_floor(row, change, kNow);
  CHECK(floor->lead_max_s == 20);
  CHECK(floor->since_id == 3);  // they mean the same time
  CHECK(changed_floor(row, {}, kNow)->rate == 1000);
  CHECK_THAT(changed_floor(row_with(5, {}), change, kNow).status().message(),
             Contains("has no rate yet"));
  change = rate_of(1);
  change.epoch_s = 1800000001;
  CHECK_THAT(changed_floor(row_with(5, {}), change, kNow).status().message(),
             Contains("an epoch after 2027-01-15"));
}

TEST_CASE("a floor under which there would be no lease is refused", "[time_floor_rules]") {
  // 100 s ahead
  const SegmentRow row = row_with(1800000100, {});
  Status refused = changed_floor(row, rate_of(1), kNow).status();
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK_THAT(refused.message(), Contains("100.0 s behind its max_id 1800000100"));
  CHECK(changed_floor(row, rate_of(2), kNow).ok());
  TimeFloorChange change = rate_of(1);
  change.lead_only_warns = true;
  CHECK(changed_floor(row, change, kNow).ok());
  change.lead_only_warns = false;
  refused = changed_floor(row_with(1800000100, {1, 0, 10, true}), change, kNow).status();
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  // A tag that waits already may come nearer to its next lease.
  change = {};
  change.lead_max_s = 20;
  CHECK(changed_floor(row_with(1800000100, {1, 0, 10, false}), change, kNow).ok());
}

TEST_CASE("a floor that is about to reach the cap is refused, with the date",
          "[time_floor_rules]") {
  constexpr std::int64_t kDay = 86400;
  const TimeFloor floor{1, 0, 10, false};
  const std::int64_t now_s = 1800000000;
  CHECK(check_floor_below_cap("order", floor, now_s + 31 * kDay, kNow).ok());
  CHECK_THAT(check_floor_below_cap("order", floor, now_s + 29 * kDay, kNow).message(),
             Contains("at 2027-02-13"));
  CHECK_FALSE(check_floor_below_cap("order", floor, now_s - 1, kNow).ok());
  CHECK(check_floor_below_cap("order", {}, 1, kNow).ok());
}

TEST_CASE("a lease begins at the floor and ends within the lead", "[time_floor_rules]") {
  const TimeFloor floor{1000, 1799999990, 10, false};  // 10,000 now, the lead ends at 20,000
  SegmentRow row = row_with(5, floor);
  CHECK(raised_max_id(row) == 10000);
  CHECK(ids_to_grant(row, {1, 300}) == 300);
  CHECK(lease_from(row, 300) == IdRange{10001, 10301});
  CHECK(row.max_id == 10300);
  CHECK(lease_from(row, 5) == IdRange{10301, 10306});  // it is past the floor
  row.max_id = 19900;
  CHECK(ids_to_grant(row, {1, 300}) == 100);
  CHECK(ids_to_grant(row, {101, 300}) == 0);
  const Status refused = refused_lease(row, {101, 300});
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK_THAT(refused.message(), Contains("10.0 s ahead of its time floor of 1000 ids/s") &&
                                    Contains("raise the rate"));
  row.floor.lead_only_warns = true;
  CHECK(ids_to_grant(row, {1, 300}) == 300);
  row.cap = 19950;
  CHECK(ids_to_grant(row, {1, 300}) == 50);
  row.max_id = 5;
  row.cap = 9999;  // the floor has passed it
  CHECK(ids_to_grant(row, {1, 300}) == 0);
  CHECK(refused_lease(row, {1, 300}).code() == StatusCode::kExhausted);
  CHECK(within_lead(floor, {1, 50000}) == 10000);
  CHECK(within_lead(floor, {20000, 50000}) == 20000);
  CHECK(within_lead({1000, 0, 10, true}, {1, 50000}) == 50000);
  CHECK(within_lead({}, {1, 50000}) == 50000);
}

TEST_CASE("a clock that is far ahead is not followed, and the error says both times",
          "[time_floor_rules]") {
  CHECK(refuse_clock("order", kNow + kClockAheadMax, kNow).ok());
  CHECK(refuse_clock("order", kNow - std::chrono::hours(5), kNow).ok());
  const Status refused = refuse_clock("order", kNow + kClockAheadMax + seconds(1), kNow);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Contains("2027-01-15 08:01:01") && Contains("2027-01-15 08:00:00"));
}

TEST_CASE("processes drop what they hold if a floor moves", "[time_floor_rules]") {
  TagRecord record;
  record.version = 7;
  SegmentRow row = row_with(5, {});
  CHECK(change_floor_in(record, row, rate_of(1000), kNow).ok());
  CHECK(record.recalled == 0);
  recall_if_moved(record, row.floor);
  CHECK(record.recalled == 7);
  CHECK(record.floor.rate == 1000);
  CHECK(record.floor.since_id == 5);
  row.floor = record.floor;
  record.version = 8;
  TimeFloorChange change;
  change.lead_max_s = 20;
  CHECK(change_floor_in(record, row, change, kNow).ok());
  recall_if_moved(record, row.floor);
  CHECK(record.recalled == 7);
  CHECK(record.floor.lead_max_s == 20);
  record.cap = 1800000000000;
  CHECK_FALSE(change_floor_in(record, row, {}, kNow).ok());
}

}  // namespace featherid
