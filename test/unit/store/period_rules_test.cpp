// SPDX-License-Identifier: MIT
#include "lib/store/period_rules.h"

#include <string>
#include <vector>

#include "lib/store/store_arguments.h"
#include "test/support/catch.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr PeriodRule kDays{PeriodKind::kDay, 0};
constexpr Period kToday{2026, 11, 29};
const WallTime kMidnight = end_of(kDays, kToday);

SegmentRow row_at(WallTime now) {
  SegmentRow row{"order", 0, 100};
  row.period = kDays;
  row.read_at = now;
  return row;
}

StatusCode code_at(WallTime now, const Period& period) {
  return refuse_period(row_at(now), period, now).code();
}

TagRecord record_of(std::int64_t gone, std::int64_t failovers, WallTime lost_at = {}) {
  TagRecord record;
  record.period_lost_at = lost_at.time_since_epoch().count();
  record.tag = "order";
  record.period = kDays;
  record.period_gone = gone;
  record.period_failovers = failovers;
  return record;
}

std::vector<Period> days(int from, int to) {
  std::vector<Period> days;
  for (int day = from; day <= to; ++day) days.push_back({2026, 11, day});
  return days;
}

}  // namespace

TEST_CASE("a period is leased from shortly before it begins until it ends", "[period_rules]") {
  const Period next = next_period(kToday);
  CHECK(code_at(kMidnight - milliseconds(1), kToday) == StatusCode::kOk);
  CHECK(code_at(kMidnight, kToday) == StatusCode::kUnavailable);
  CHECK(code_at(kMidnight - kPeriodAheadMax, next) == StatusCode::kOk);
  CHECK(code_at(kMidnight - kPeriodAheadMax - milliseconds(1), next) == StatusCode::kUnavailable);
}

TEST_CASE("a period of another kind and a clock that is far ahead are refused", "[period_rules]") {
  CHECK(code_at(kMidnight, {2026, 11, 0}) == StatusCode::kFailedPrecondition);
  SegmentRow row = row_at(kMidnight - hours(2));
  CHECK(refuse_period(row, kToday, row.read_at - hours(1)).ok());
  const Status ahead = refuse_period(row, kToday, row.read_at - hours(1) - milliseconds(1));
  CHECK(ahead.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(ahead.message(), Contains("22:00:00") && Contains("20:59:59"));
  row.period = {};
  CHECK(refuse_period(row, kToday, row.read_at).code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a new period begins at 1, unless a failover may have lost its row", "[period_rules]") {
  CHECK(*first_max_id_in(record_of(0, 0), kToday, 1000) == 0);
  // The clocks may have been wrong, so also of the periods that begin within a day after it.
  const WallTime begin = begin_of(kDays, kToday);
  const auto first_after = [](WallTime lost_at) {
    return *first_max_id_in(record_of(0, 2, lost_at), kToday, 1000);
  };
  CHECK(first_after(begin - hours(24) - milliseconds(1)) == 0);
  CHECK(first_after(begin - hours(24)) == 2000);
  CHECK(*first_max_id_in(record_of(0, 2, kMidnight + hours(500)), kToday, 1000) == 2000);
  CHECK(*first_max_id_in(record_of(0, kIdMax, kMidnight), kToday, 1000) <= kIdMax);
}

TEST_CASE("failovers are noted once, as if the last one were now", "[period_rules]") {
  TagRecord record = record_of(0, 1, kMidnight - hours(5));
  const auto lost_at = [&record] { return WallTime(milliseconds(record.period_lost_at)); };
  CHECK(!note_failovers(record, 1, kMidnight, kMidnight));
  CHECK(lost_at() == kMidnight - hours(5));
  CHECK(note_failovers(record, 3, kMidnight, kMidnight - hours(1)));
  CHECK(record.period_failovers == 3);
  CHECK(lost_at() == kMidnight);
  CHECK(!note_failovers(record, 2, kMidnight + hours(5), kMidnight + hours(5)));
}

TEST_CASE("a store's clock that was set back does not date a failover too early",
          "[period_rules]") {
  TagRecord record = record_of(0, 0, kMidnight - hours(48));
  CHECK(note_failovers(record, 1, kMidnight - hours(30), kMidnight - hours(1)));
  CHECK(*first_max_id_in(record, kToday, 1000) == 1000);
  // The process's clock may be the wrong one, and the next failover may find both earlier.
  CHECK(note_failovers(record, 2, kMidnight, kMidnight - hours(30)));
  CHECK(note_failovers(record, 3, kMidnight - hours(30), kMidnight - hours(30)));
  CHECK(*first_max_id_in(record, kToday, 1000) == 3000);
}

TEST_CASE("a period whose row was removed is never made again", "[period_rules]") {
  const Status gone = first_max_id_in(record_of(20261129, 0), kToday, 1000).status();
  CHECK(gone.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(gone.message(), Contains("never made again"));
  CHECK(first_max_id_in(record_of(20261128, 0), kToday, 1000).ok());
}

TEST_CASE("the newest rows are kept, and a bounded number of others goes at once",
          "[period_rules]") {
  CHECK(periods_to_purge({}, kToday).empty());
  CHECK(periods_to_purge(days(1, 8), kToday).empty());
  CHECK(periods_to_purge(days(1, 9), kToday) == days(1, 1));
  CHECK(periods_to_purge(days(1, 30), {2026, 11, 30}) ==
        days(1, static_cast<int>(kPeriodsPurgedMax)));
  // Rows that a wrong clock has made for the time to come.
  CHECK(periods_to_purge(days(1, 30), {2026, 11, 8}).empty());
  CHECK(periods_to_purge(days(1, 30), {2026, 11, 9}) == days(1, 1));
}

TEST_CASE("names of periods are reserved, and a tag with periods leaves room for them",
          "[period_rules]") {
  CHECK_THAT(refuse_reserved("order@2026-11-29").message(), Contains("reserved"));
  CHECK(refuse_reserved("order@2026-11-31").ok());
  const std::string longest(kPeriodTagCharsMax, 'x');
  CHECK(check_period(longest, kDays).ok());
  CHECK(check_period(longest + "x", {}).ok());
  CHECK_THAT(check_period(longest + "x", kDays).message(), Contains("53"));
  CHECK_THAT(check_period("order", {PeriodKind::kDay, 841}).message(), Contains("period_offset"));
  CHECK(check_period("order", {PeriodKind::kDay, -840}).ok());
  CHECK(!check_period("order", {PeriodKind::kNone, 60}).ok());
}

TEST_CASE("a lease in a period that does not exist is refused", "[period_rules]") {
  CHECK(check_lease_in_period("order", kToday, 5).ok());
  for (const Period bad : {Period{}, Period{2026, 13, 1}, Period{2026, 2, 29}, Period{2026, 0, 1},
                           Period{10000, 1, 1}}) {
    CHECK(check_lease_in_period("order", bad, 5).code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("options that do not fit a period are refused", "[period_rules]") {
  TagRecord record = record_of(0, 0);
  record.format = "INV-{id width=8}";
  CHECK(check_options(record).ok());
  record.floor.rate = 1000;
  CHECK_THAT(check_options(record).message(), Contains("time floor"));
  record = record_of(0, 0);
  record.scramble = "9digits";
  record.cap = 1000;
  CHECK_THAT(check_options(record).message(), Contains("{day}") && Contains("scrambled"));
  record.format = "{year}{month}-{id}";
  CHECK_THAT(check_options(record).message(), Contains("{day}"));
  record.format = "{year}{month}{day}-{id}-{check damm}";
  CHECK(check_options(record).ok());
  record.period.kind = PeriodKind::kMonth;
  CHECK_THAT(check_options(record).message(), Contains("no other part"));
  record.scramble.clear();
  CHECK_THAT(check_options(record).message(), Contains("no other part"));
  record.format = "{year}-{id}";
  CHECK(check_options(record).ok());
  record = record_of(0, 0);
  CHECK(keep_period(record, kDays).ok());
  CHECK(!keep_period(record, {}).ok());
  CHECK(!keep_period(record, {PeriodKind::kDay, 60}).ok());
  record.period = {};
  CHECK(keep_period(record, kDays).ok());
  NewTag tag(10);
  tag.options.period = kDays;
  CHECK(check_new_tag("order", tag).ok());
  tag.max_id = 1;
  CHECK(!check_new_tag("order", tag).ok());
}

}  // namespace featherid
