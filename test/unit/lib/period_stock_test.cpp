// SPDX-License-Identifier: MIT
#include "lib/segment/period_stock.h"

#include <chrono>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr PeriodRule kDays{PeriodKind::kDay, 0};
constexpr Period kToday{2026, 11, 29};
constexpr Period kTomorrow{2026, 11, 30};
const WallTime kMidnight = end_of(kDays, kToday);
const TimePoint kStart{hours(100)};

// Its clock was read at kStart, in no time, when so much was left of the day.
struct Fixture {
  explicit Fixture(Duration before_midnight, Duration answer = {}) { see(before_midnight, answer); }
  void see(Duration before_midnight, Duration answer = {}, TimePoint asked = kStart) {
    stock.see(kDays, kMidnight - std::chrono::duration_cast<milliseconds>(before_midnight), asked,
              asked + answer);
  }
  // The period of the next id, when so much time has passed; none: it may not be handed out.
  Period next(Duration after) {
    std::vector<IdRange> ranges;
    PeriodStock::Taken taken;
    return stock.take(1, kStart + after, &ranges, &taken) ? taken.period : Period();
  }

  PeriodStock stock;
};

}  // namespace

TEST_CASE("ids come of the present period, in order", "[period_stock]") {
  Fixture f(hours(10));
  CHECK(f.stock.present(kStart) == kToday);
  f.stock.add(kToday, {1, 4});
  f.stock.add(kToday, {4, 5});
  f.stock.add(kToday, {10, 12});
  std::vector<IdRange> ranges;
  PeriodStock::Taken taken;
  REQUIRE(f.stock.take(5, kStart, &ranges, &taken));
  CHECK(ranges == std::vector<IdRange>{{1, 5}, {10, 11}});
  CHECK(taken.period == kToday);
  CHECK(f.stock.present_ids() == 1);
  CHECK(!f.stock.take(2, kStart, &ranges, &taken));
  CHECK(f.stock.highest_end(kToday) == 12);
  CHECK(f.stock.highest_id() == 11);
  CHECK(f.stock.was_used());
}

TEST_CASE("no id comes before its period has surely begun", "[period_stock]") {
  Fixture f(seconds(10));
  f.stock.add(kTomorrow, {1, 100});
  CHECK(f.next(seconds(10)) == Period());  // a clock that is fast by 0.1 %
  CHECK(f.next(seconds(10) + milliseconds(9)) == Period());
  CHECK(f.next(seconds(10) + milliseconds(11)) == kTomorrow);
  CHECK(f.stock.present(kStart + seconds(11)) == kTomorrow);
}

TEST_CASE("no id comes once its period has surely ended", "[period_stock]") {
  Fixture f(seconds(10));
  f.stock.add(kToday, {1, 100});
  CHECK(f.next(seconds(10) + milliseconds(5)) == kToday);  // perhaps it is still on
  CHECK(f.next(seconds(10) + milliseconds(11)) == Period());
  CHECK(f.stock.present_ids() == 0);  // they are lost
}

TEST_CASE("no id comes if its period may have ended a second ago", "[period_stock]") {
  // The answer took three seconds, so the clock may be that much further.
  Fixture f(seconds(10), seconds(3));
  f.stock.add(kToday, {1, 100});
  const Duration until = seconds(11) - milliseconds(11);  // and it may be 0.1 % fast
  CHECK(f.next(until - milliseconds(5)) == kToday);
  CHECK(f.next(until + milliseconds(5)) == Period());
  CHECK(!f.stock.present(kStart + until + milliseconds(5)).has_value());
  CHECK(f.stock.needs_clock(kStart + until + milliseconds(5)));
  CHECK(f.stock.present_ids() > 0);  // the clock may show that the period is still on
  f.see(milliseconds(500), {}, kStart + until);
  CHECK(f.next(until) == kToday);
}

TEST_CASE("an answer says until when it may be given", "[period_stock]") {
  Fixture f(seconds(10));
  f.stock.add(kToday, {1, 100});
  std::vector<IdRange> ranges;
  PeriodStock::Taken taken;
  REQUIRE(f.stock.take(1, kStart, &ranges, &taken));
  CHECK(taken.until > kStart + seconds(10) + milliseconds(900));
  CHECK(taken.until < kStart + seconds(11));
}

TEST_CASE("the next period is leased shortly before it begins, if this one is used",
          "[period_stock]") {
  Fixture f(hours(1));
  const Duration early = hours(1) - PeriodStock::kAskAhead;
  CHECK(!f.stock.coming(kStart + early).has_value());
  CHECK(f.stock.coming(kStart + early + seconds(4)) == kTomorrow);
  CHECK(f.stock.coming_at() < kStart + early + seconds(4));
  CHECK(!f.stock.was_used());
  CHECK(f.stock.coming_at() > kStart + hours(1) - kPeriodAheadMax);  // the store would refuse
}

TEST_CASE("the store's clock is asked for again after a minute", "[period_stock]") {
  Fixture f(hours(10));
  CHECK(!f.stock.needs_clock(kStart + seconds(59)));
  CHECK(f.stock.needs_clock(kStart + seconds(60)));
  CHECK(!PeriodStock().needs_clock(kStart));
}

TEST_CASE("a process that slept for days goes on in the present period", "[period_stock]") {
  Fixture f(seconds(10));
  f.stock.add(kToday, {1, 100});
  f.stock.add(kTomorrow, {1, 100});
  CHECK(f.next(hours(80)) == Period());
  CHECK(f.stock.present_ids() + f.stock.coming_ids() == 0);
  f.stock.see(kDays, kMidnight + hours(80), kStart + hours(80), kStart + hours(80));
  CHECK(f.stock.present(kStart + hours(80)) == Period{2026, 12, 3});
}

TEST_CASE("a clock that is set back over midnight brings the old day back first",
          "[period_stock]") {
  Fixture f(seconds(-5));
  REQUIRE(f.stock.present(kStart) == kTomorrow);
  f.stock.add(kTomorrow, {1, 10});
  f.see(seconds(5));
  CHECK(f.stock.present(kStart) == kToday);
  CHECK(f.next(seconds(0)) == Period());  // the old day's ids are leased again, from its row
  f.stock.add(kToday, {501, 510});
  CHECK(f.next(seconds(1)) == kToday);
  CHECK(f.next(seconds(6)) == kTomorrow);
}

TEST_CASE("another rule drops everything", "[period_stock]") {
  Fixture f(hours(10));
  f.stock.add(kToday, {1, 100});
  f.stock.see({PeriodKind::kDay, 60}, kMidnight - hours(10), kStart, kStart);
  CHECK(f.stock.present_ids() == 0);
  f.stock.add({2026, 11, 29}, {1, 100});
  f.stock.see({}, kMidnight - hours(10), kStart, kStart);
  CHECK(f.stock.highest_id() == 0);
  CHECK(!f.stock.is_set());
}

TEST_CASE("a lease for a period that is over is lost", "[period_stock]") {
  Fixture f(hours(10));
  f.stock.add({2026, 11, 28}, {1, 100});
  CHECK(f.stock.present_ids() + f.stock.coming_ids() == 0);
}

TEST_CASE("the unused ends of both periods' leases can be given back", "[period_stock]") {
  Fixture f(seconds(10));
  f.stock.add(kToday, {1, 100});
  f.stock.add(kTomorrow, {1, 50});
  CHECK(f.next(seconds(0)) == kToday);
  PeriodStock::Tail tail = f.stock.take_tail();
  CHECK(tail == IdRange{2, 100});
  CHECK(tail.period == kToday);
  tail = f.stock.take_tail();
  CHECK(tail == IdRange{1, 50});
  CHECK(tail.period == kTomorrow);
  CHECK(f.stock.take_tail().empty());
}

}  // namespace featherid
