// SPDX-License-Identifier: MIT
#include "featherid/period.h"

#include <chrono>
#include <cstdint>
#include <string>

#include "test/support/catch.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr PeriodRule kDays{PeriodKind::kDay, 0};
constexpr PeriodRule kMonths{PeriodKind::kMonth, 0};
constexpr PeriodRule kYears{PeriodKind::kYear, 0};

WallTime at(std::int64_t unix_s) { return WallTime(seconds(unix_s)); }

std::string text_at(const PeriodRule& rule, WallTime time) {
  return to_string(period_at(rule, time));
}

}  // namespace

TEST_CASE("a time lies in one day, month and year", "[period]") {
  CHECK(text_at(kDays, at(0)) == "1970-01-01");
  CHECK(text_at(kDays, at(0) - milliseconds(1)) == "1969-12-31");
  CHECK(text_at(kDays, at(1795910400)) == "2026-11-29");
  CHECK(text_at(kDays, at(1795910400) - milliseconds(1)) == "2026-11-28");
  CHECK(text_at(kMonths, at(1795910400)) == "2026-11");
  CHECK(text_at(kYears, at(1795910400)) == "2026");
  CHECK(text_at({}, at(0)).empty());
}

TEST_CASE("months end and leap days come as in the calendar", "[period]") {
  CHECK(to_string(next_period({2026, 2, 28})) == "2026-03-01");
  CHECK(to_string(next_period({2028, 2, 28})) == "2028-02-29");
  CHECK(to_string(next_period({2028, 2, 29})) == "2028-03-01");
  CHECK(to_string(next_period({2100, 2, 28})) == "2100-03-01");  // not a leap year
  CHECK(to_string(next_period({2000, 2, 28})) == "2000-02-29");
  CHECK(to_string(next_period({2026, 12, 31})) == "2027-01-01");
  CHECK(to_string(next_period({2026, 12, 0})) == "2027-01");
  CHECK(to_string(next_period({2026, 0, 0})) == "2027");
}

TEST_CASE("periods follow each other without a gap or an overlap", "[period]") {
  for (const PeriodKind kind : {PeriodKind::kDay, PeriodKind::kMonth, PeriodKind::kYear}) {
    for (const int offset : {0, 60, -330, 840, -840}) {
      const PeriodRule rule{kind, offset};
      Period period = period_at(rule, at(-3000000000));  // 1874
      for (int i = 0; i < 100000 && period.year < 2300; ++i) {
        const WallTime begin = begin_of(rule, period);
        const WallTime end = end_of(rule, period);
        if (period_at(rule, begin) != period || period_at(rule, end - milliseconds(1)) != period ||
            period_at(rule, end) != next_period(period) ||
            next_period(period).number() <= period.number()) {
          FAIL(to_string(period));
        }
        period = next_period(period);
      }
      CHECK(period.year >= 2147);
    }
  }
}

TEST_CASE("an offset moves the whole calendar, on every day of the year", "[period]") {
  const PeriodRule shanghai{PeriodKind::kDay, 480};
  CHECK(text_at(shanghai, at(1795910400) - hours(8)) == "2026-11-29");
  CHECK(text_at(shanghai, at(1795910400) - hours(8) - milliseconds(1)) == "2026-11-28");
  // The days on which Berlin changes its clocks have 24 hours, like all others.
  const PeriodRule berlin{PeriodKind::kDay, 60};
  for (const Period day : {Period{2026, 3, 29}, Period{2026, 10, 25}}) {
    CHECK(end_of(berlin, day) - begin_of(berlin, day) == hours(24));
  }
}

TEST_CASE("a period is read back from its text, and nothing else is a period", "[period]") {
  for (const std::string good : {"2026-11-29", "2026-11", "2026", "0001-01-01", "2028-02-29"}) {
    const Result<Period> period = parse_period(good);
    REQUIRE(period.ok());
    CHECK(to_string(*period) == good);
  }
  for (const std::string bad :
       {"", "26", "2026-13", "2026-00", "2026-11-00", "2026-11-31", "2026-02-29", "2026/11/29",
        "2026-1-29", "+026", "-026", "2026-+1", "0000", "2026-11-29 ", "20261129", "２０２６"}) {
    INFO(bad);
    CHECK(parse_period(bad).status().code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("the name of a period's row is read back, and other names are not reserved", "[period]") {
  CHECK(period_row("order", {2026, 11, 29}) == "order@2026-11-29");
  const auto row = parse_period_row("a@b@2026-11");
  REQUIRE(row.has_value());
  CHECK(row->tag == "a@b");
  CHECK(row->period == Period{2026, 11, 0});
  const std::string longest(kPeriodTagCharsMax, 'x');
  CHECK(parse_period_row(longest + "@2026").has_value());
  for (const std::string& name :
       {std::string("order"), std::string("@2026"), std::string("order@"),
        std::string("order@2026-11-31"), std::string("order @2026"), longest + "x@2026"}) {
    INFO(name);
    CHECK(!parse_period_row(name).has_value());
  }
}

TEST_CASE("times past the calendar count as its first and last year", "[period]") {
  CHECK(text_at(kYears, at(-100000000000)) == "0001");
  CHECK(text_at(kDays, at(300000000000)) == "9999-12-31");
}

}  // namespace featherid
