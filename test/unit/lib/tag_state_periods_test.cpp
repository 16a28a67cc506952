// SPDX-License-Identifier: MIT
// TagState with a tag that has periods.
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/segment/tag_state.h"
#include "test/support/catch.h"
#include "test/support/wait_until.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr PeriodRule kDays{PeriodKind::kDay, 0};
constexpr Period kToday{2026, 11, 29};
constexpr Period kTomorrow{2026, 11, 30};
const WallTime kMidnight = end_of(kDays, kToday);

// A tag of step 100 with days, and a store whose clock stands at `left` before midnight. The test
// acts as the refiller.
struct Fixture {
  explicit Fixture(Duration left, TagOrder order_in = TagOrder::kPlain)
      : order(order_in), midnight(clock->boot_now() + left) {}
  ~Fixture() { tag->close(); }

  WallTime store_now() const {
    return kMidnight + std::chrono::duration_cast<milliseconds>(clock->boot_now() - midnight);
  }
  SegmentRow row() const {
    SegmentRow row{"order", 0, 100};
    row.period = kDays;
    row.order = order;
    row.read_at = store_now();
    return row;
  }
  // One flight, as Refiller::refill(). Returns the period that it leased of, if any.
  std::optional<Period> refill() {
    REQUIRE(tag->begin_refill());
    LeaseSize size = tag->lease_size();
    if (tag->needs_row(size.most_ids)) {
      REQUIRE(tag->accept_row(row()).ok());
      size = tag->lease_size();
    }
    Result<IdRange> leased = IdRange{};
    const std::optional<Period> period = tag->lease_period();
    if (size.most_ids > 0) {
      REQUIRE(period.has_value());
      std::int64_t& max_id = max_ids[period->number()];
      leased = IdRange{max_id + 1, max_id + 1 + size.most_ids};
      max_id += size.most_ids;
    }
    CHECK(tag->end_refill(size.most_ids, leased, milliseconds(1)).status.ok());
    return size.most_ids > 0 ? period : std::nullopt;
  }
  // The next id as "2026-11-29 7", or the error.
  std::string next() {
    const Result<PeriodRanges> taken = tag->try_take_in_period(1);
    if (!taken.ok()) return taken.status().to_string();
    return to_string(taken->period) + " " + std::to_string(taken->ranges.front().first);
  }

  TagOrder order;
  test::RecordingQueue queue;
  std::shared_ptr<test::ManualClock> clock = std::make_shared<test::ManualClock>();
  TimePoint midnight;
  std::shared_ptr<TagState> tag =
      std::make_shared<TagState>("order", test::kTagStateOptions, clock, &queue);
  std::map<int, std::int64_t> max_ids;
};

}  // namespace

TEST_CASE("ids come with their period, and begin at 1 in the next one", "[tag_periods]") {
  Fixture f(hours(1));
  CHECK_THAT(f.next(), Contains("unavailable"));
  CHECK(f.queue.requests() == 1);
  CHECK(f.refill() == kToday);
  CHECK(f.tag->has_period());
  CHECK(f.next() == "2026-11-29 1");
  CHECK(f.next() == "2026-11-29 2");
  CHECK(f.tag->snapshot().issued_ids == 2);
  CHECK(f.tag->snapshot().held_ids == 98);
  CHECK(f.tag->snapshot().period == kToday);
  f.clock->advance(hours(1) + seconds(10));
  CHECK_THAT(f.next(), Contains("unavailable"));
  CHECK(f.refill() == kTomorrow);
  CHECK(f.next() == "2026-11-30 1");
}

TEST_CASE("midnight makes no caller wait, even of a tag that is seldom used", "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  CHECK(f.next() == "2026-11-29 1");
  // The refiller sweeps the tag when the next day may be leased.
  const Duration left = f.midnight - f.queue.sweep_due;
  CHECK(left < PeriodStock::kAskAhead);
  CHECK(left > PeriodStock::kAskAhead - seconds(10));
  f.clock->advance(f.queue.sweep_due - f.clock->now());
  f.tag->sweep();
  REQUIRE(f.queue.requests() == 2);
  // Its estimate of the clock is an hour old, so it reads the row, and waits a little longer.
  if (!f.refill()) {
    f.clock->advance(f.queue.sweep_due - f.clock->now());
    f.tag->sweep();
    CHECK(f.refill() == kTomorrow);
  }
  CHECK(f.next() == "2026-11-29 2");
  f.clock->advance(f.midnight - f.clock->now() + milliseconds(500));
  CHECK(f.next() == "2026-11-30 1");
}

TEST_CASE("a tag that nobody uses leases nothing of the next day", "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  f.clock->advance(hours(1) - seconds(30));
  f.tag->sweep();
  CHECK(!f.refill().has_value());
  CHECK(f.max_ids.size() == 1);
}

TEST_CASE("a machine that slept over midnight issues no old id", "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  CHECK(f.next() == "2026-11-29 1");
  f.clock->sleep(hours(2));  // its steady clock stands still
  CHECK_THAT(f.next(), Contains("unavailable"));
  f.refill();
  CHECK(f.next() == "2026-11-30 1");
}

TEST_CASE("an id whose period ended before it could be given to the caller is lost",
          "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  // The callback runs when the process continues.
  std::string heard;
  f.tag->take_in_period_async(1, hours(5), [&](const Result<PeriodRanges>& ids) {
    heard = ids.ok() ? to_string(ids->period) : ids.status().message();
  });
  CHECK(heard == "2026-11-29");
  f.tag->take_in_period_async(1, hours(5), [&](const Result<PeriodRanges>&) {
    f.clock->sleep(hours(2));
    f.tag->take_in_period_async(1, hours(5), [&](const Result<PeriodRanges>& ids) {
      heard = ids.ok() ? to_string(ids->period) : ids.status().message();
    });
  });
  while (heard == "2026-11-29" && f.queue.requests() < 10) f.refill();
  CHECK(heard == "2026-11-30");
}

TEST_CASE("ids whose period ends before their callback runs are lost", "[tag_periods]") {
  Fixture f(hours(1));
  f.tag->take_in_period_async(1, hours(5), [&](const Result<PeriodRanges>& ids) {
    CHECK(ids.ok());
    f.clock->sleep(hours(2));
  });
  Status heard;
  f.tag->take_in_period_async(1, hours(5),
                              [&](const Result<PeriodRanges>& ids) { heard = ids.status(); });
  f.refill();
  CHECK(heard.code() == StatusCode::kUnavailable);
  CHECK_THAT(heard.message(), Contains("2026-11-29 ended"));
}

namespace {

// The machine sleeps for two hours at the n-th look at the time.
class SleepyClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(hours(1)); }
  TimePoint boot_now() const override {
    if (--looks_ == 0) slept_ = hours(2);
    return now() + slept_;
  }
  void sleep_at(int look) { looks_ = look; }
  bool has_slept() const { return looks_ <= 0; }

 private:
  mutable int looks_ = 0;
  mutable Duration slept_{0};
};

}  // namespace

TEST_CASE("a call that slept at any moment returns an id of the day on which it returns",
          "[tag_periods]") {
  bool slept = true;
  for (int look = 1; slept; ++look) {
    test::RecordingQueue queue;
    const auto clock = std::make_shared<SleepyClock>();
    const auto tag = std::make_shared<TagState>("order", test::kTagStateOptions, clock, &queue);
    static_cast<void>(tag->try_take_in_period(1));
    REQUIRE(tag->begin_refill());
    SegmentRow row{"order", 0, 100};
    row.period = kDays;
    row.read_at = kMidnight - hours(1);
    REQUIRE(tag->accept_row(row).ok());
    const LeaseSize size = tag->lease_size();
    CHECK(tag->end_refill(size.most_ids, IdRange{1, 101}, milliseconds(1)).status.ok());

    clock->sleep_at(look);
    const Result<PeriodRanges> ids = tag->take_in_period(1, seconds(0));
    slept = clock->has_slept();
    INFO(look);
    CHECK(ids.ok() == !slept);  // no id of today after two hours
    CHECK(look < 100);
    tag->close();
  }
}

TEST_CASE("a waiting thread gets an id of the day on which it returns", "[tag_periods]") {
  Fixture f(milliseconds(500));
  std::string got;
  std::thread waiter([&] {
    const Result<PeriodRanges> ids = f.tag->take_in_period(1, hours(1));
    got = ids.ok() ? to_string(ids->period) : ids.status().to_string();
  });
  REQUIRE(test::wait_until([&] { return f.queue.requests() > 0; }));
  f.refill();
  waiter.join();
  CHECK(got == "2026-11-29");
}

TEST_CASE("calls of the wrong kind are refused, and name the right one", "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  const Status plain = f.tag->try_take(1, 1).status();
  CHECK(plain.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(plain.message(), Contains("next_in_period"));
  CHECK(f.tag->take(1, 100, seconds(0)).status().code() == StatusCode::kFailedPrecondition);
  CHECK(f.tag->cursor().claim_one() == 0);

  const auto other = std::make_shared<TagState>("plain", test::kTagStateOptions, f.clock, &f.queue);
  static_cast<void>(other->try_take_in_period(1));
  REQUIRE(other->begin_refill());
  REQUIRE(other->accept_row({"plain", 0, 100}).ok());
  CHECK(other->end_refill(100, IdRange{1, 101}, milliseconds(1)).status.ok());
  const Status in_period = other->try_take_in_period(1).status();
  CHECK(in_period.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(in_period.message(), Contains("next()"));
  CHECK(!other->has_period());
  other->close();
}

TEST_CASE("a caller that waits with the wrong call hears so with the row", "[tag_periods]") {
  Fixture f(hours(1));
  Status heard;
  f.tag->take_async(1, seconds(2), [&](const auto& ids) { heard = ids.status(); });
  f.refill();
  CHECK(heard.code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("in a tag of strict order nothing is held, in no period", "[tag_periods]") {
  Fixture f(hours(1), TagOrder::kStrict);
  std::vector<std::string> got;
  const auto ask = [&] {
    f.tag->take_in_period_async(2, seconds(2), [&](const Result<PeriodRanges>& ids) {
      got.push_back(ids.ok()
                        ? to_string(ids->period) + " " + std::to_string(ids->ranges.front().first)
                        : ids.status().message());
    });
  };
  ask();
  ask();
  f.refill();
  CHECK(got == std::vector<std::string>{"2026-11-29 1", "2026-11-29 3"});
  CHECK(f.tag->snapshot().held_ids == 0);
  CHECK(f.tag->snapshot().issued_ids == 4);
  f.clock->advance(hours(1) + seconds(10));
  ask();
  f.refill();
  CHECK(got.back() == "2026-11-30 1");
}

TEST_CASE("a store that leases ids of a period twice stops the tag", "[tag_periods]") {
  Fixture f(hours(1));
  f.next();
  f.refill();
  while (f.queue.requests() == 1) f.next();
  f.max_ids[kToday.number()] = 0;  // the store went backwards
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->lease_size().most_ids > 0);
  const auto outcome = f.tag->end_refill(100, IdRange{1, 101}, milliseconds(1));
  CHECK(outcome.status.code() == StatusCode::kDataLoss);
  CHECK_THAT(f.next(), Contains("stopped"));
}

TEST_CASE("a change that recalls ids drops those of all periods", "[tag_periods]") {
  Fixture f(seconds(40));
  f.next();
  f.refill();
  f.next();
  f.tag->sweep();
  CHECK(f.refill() == kTomorrow);
  CHECK(f.tag->holds_ids());
  f.tag->limit(0);
  CHECK(!f.tag->holds_ids());
}

TEST_CASE("a closed tag gives back what it held of both periods", "[tag_periods]") {
  Fixture f(seconds(40));
  f.next();
  f.refill();
  f.next();
  f.tag->sweep();
  f.refill();
  f.tag->close();
  CHECK(f.next() == "failed precondition: the allocator was shut down");
  const TagState::Tail today = f.tag->take_tail();
  CHECK(today.period == kToday);
  CHECK(today == IdRange{2, 101});
  CHECK(f.tag->take_tail().period == kTomorrow);
  CHECK(f.tag->take_tail().empty());
}

TEST_CASE("the burn is measured, and a lease comes before the ids are used up", "[tag_periods]") {
  Fixture f(hours(10));
  f.next();
  f.refill();
  int answered = f.queue.requests();
  for (int i = 0; i < 3000; ++i) {
    f.clock->advance(milliseconds(10));
    if (f.next().rfind("2026", 0) != 0) FAIL("no id at " << i);
    if (f.queue.requests() == answered) continue;
    answered = f.queue.requests();
    f.refill();
  }
  CHECK(f.tag->snapshot().burn_ids_per_second > 50);
}

}  // namespace featherid
