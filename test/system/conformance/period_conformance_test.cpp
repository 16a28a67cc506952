// SPDX-License-Identifier: MIT
// Tests every store's periods against the contract of segment_store.h and tag_admin.h.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/store/period_rules.h"
#include "test/support/catch.h"
#include "test/support/midnight.h"
#include "test/support/scratch_dir.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"

using featherid::begin_of;
using featherid::end_of;
using featherid::IdRange;
using featherid::kIdMax;
using featherid::kPeriodAheadMax;
using featherid::kPeriodsKept;
using featherid::LeaseSize;
using featherid::MemoryStore;
using featherid::NewTag;
using featherid::next_period;
using featherid::Period;
using featherid::period_at;
using featherid::period_row;
using featherid::PeriodKind;
using featherid::PeriodRule;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::TagChange;
using featherid::TagInfo;
using featherid::TagOrder;
using featherid::WallTime;
using featherid::test::require_ok;
using featherid::test::take;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

NewTag with_period(PeriodRule rule, std::int64_t step = 10) {
  NewTag tag(step);
  tag.options.period = rule;
  return tag;
}

WallTime system_now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

// Days whose next midnight is so far away, to within the minute after that.
PeriodRule days_with_midnight_in(minutes time) {
  return featherid::test::days_that_end_with_minute(system_now() + time);
}

// The same, with at least some seconds left of the present minute.
PeriodRule days_that_end_within_a_minute() {
  const auto now = system_now().time_since_epoch();
  const milliseconds left = minutes(1) - (now - std::chrono::floor<minutes>(now));
  if (left < seconds(20)) std::this_thread::sleep_for(left + milliseconds(100));
  return days_with_midnight_in(minutes(0));
}

const PeriodRule kNoon = days_with_midnight_in(minutes(720));

std::int64_t rows_of(Store& store, const std::string& prefix) {
  featherid::TagQuery query;
  query.prefix = prefix;
  return static_cast<std::int64_t>(take(store.list(query)).size());
}

Period today(Store& store) {
  const SegmentRow row = take(store.find("order"));
  return period_at(row.period, row.read_at);
}

}  // namespace

TEMPLATE_TEST_CASE("each period is a series of its own that begins at 1", "[store][period]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const PeriodRule rule = days_that_end_within_a_minute();
  require_ok(store.create("order", with_period(rule)));
  const SegmentRow row = take(store.find("order"));
  CHECK(row.period == rule);
  CHECK(row.step == 10);
  CHECK(std::chrono::abs(row.read_at - system_now()) < seconds(20));
  const Period day = period_at(rule, row.read_at);
  const Period next = next_period(day);
  CHECK(take(store.lease_in_period("order", day, 7)) == IdRange{1, 8});
  CHECK(take(store.lease_in_period("order", day, 3)) == IdRange{8, 11});
  CHECK(take(store.lease_in_period("order", next, 5)) == IdRange{1, 6});  // ahead of time
  CHECK(take(store.lease_in_period("order", day, 1)) == IdRange{11, 12});
  CHECK(rows_of(store, "order@") == 2);
  CHECK(take(store.info(period_row("order", day))).max_id == 11);
  CHECK(take(store.find("order")).max_id == 0);
}

TEMPLATE_TEST_CASE("the store's clock decides which period is on", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  for (const PeriodKind kind : {PeriodKind::kDay, PeriodKind::kMonth, PeriodKind::kYear}) {
    // A minute more than may be leased ahead.
    PeriodRule rule = days_with_midnight_in(minutes(2));
    rule.kind = kind;
    const std::string tag = featherid::period_word(kind);
    require_ok(store.create(tag, with_period(rule)));
    const Period present = period_at(rule, take(store.find(tag)).read_at);
    CHECK(take(store.lease_in_period(tag, present, 1)).first == 1);
    const Period past = period_at(rule, begin_of(rule, present) - milliseconds(1));
    for (const Period& period : {past, next_period(present)}) {
      const Status refused = store.lease_in_period(tag, period, 1).status();
      INFO(refused);
      if (end_of(rule, present) - kPeriodAheadMax <= take(store.find(tag)).read_at) break;
      CHECK(refused.code() == StatusCode::kUnavailable);
      CHECK(store.info(period_row(tag, period)).status().code() == StatusCode::kNotFound);
    }
    PeriodRule other = rule;
    other.kind = kind == PeriodKind::kDay ? PeriodKind::kYear : PeriodKind::kDay;
    const Period misfit = period_at(other, take(store.find(tag)).read_at);
    CHECK(store.lease_in_period(tag, misfit, 1).status().code() == StatusCode::kFailedPrecondition);
  }
}

TEMPLATE_TEST_CASE("nothing is leased from a tag with periods without one", "[store][period]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  require_ok(store.create("plain", 10));
  const Period day = today(store);
  const Status refused = store.lease("order", 1).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(take(store.find("order")).max_id == 0);
  CHECK(store.lease_in_period("plain", day, 1).status().code() == StatusCode::kFailedPrecondition);
  CHECK(take(store.lease("plain", 1)).first == 1);
  CHECK(store.lease_in_period("none", day, 1).status().code() == StatusCode::kNotFound);
  CHECK(store.lease_in_period("order", {}, 1).status().code() == StatusCode::kInvalidArgument);
}

TEMPLATE_TEST_CASE("a period's row is used only through its tag", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  const Period day = today(store);
  const std::string name = period_row("order", day);
  take(store.lease_in_period("order", day, 5));
  CHECK(store.lease(name, 1).status().code() == StatusCode::kFailedPrecondition);
  CHECK(store.find(name).status().code() == StatusCode::kFailedPrecondition);
  CHECK(store.update(name, TagChange(20)).code() == StatusCode::kFailedPrecondition);
  CHECK(store.remove(name).code() == StatusCode::kFailedPrecondition);
  CHECK(store.rewind(name, 5, 0).status().code() == StatusCode::kFailedPrecondition);
  CHECK(take(store.info(name)).max_id == 5);
  require_ok(store.advance(name, 100, "somebody"));
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{101, 106});
  CHECK(take(store.give_back(name, {103, 106})));
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{103, 108});
}

TEMPLATE_TEST_CASE("no tag is created with the name of a period's row", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("user", 10));
  for (const char* name : {"user@2026-11-29", "user@2026-11", "user@2026", "nix@2024-02-29"}) {
    INFO(name);
    for (const bool automatic : {false, true}) {
      NewTag tag(10);
      tag.automatic = automatic;
      CHECK(store.create(name, tag).code() == StatusCode::kInvalidArgument);
    }
    CHECK(store.lease(name, 1).status().code() == StatusCode::kNotFound);
  }
  CHECK(rows_of(store, "user") == 1);
  CHECK(rows_of(store, "nix") == 0);
  for (const char* free :
       {"user@", "user@2026-13", "user@2026-02-30", "@2026", "user@2026-11-29x"}) {
    INFO(free);
    NewTag tag(10);
    tag.automatic = true;
    require_ok(store.create(free, tag));
  }
}

// An older version, or another program, leases from the row.
TEMPLATE_TEST_CASE("who leases from a period's row past the store repeats no id", "[store][period]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  const Period day = today(store);
  fixture.put_row(period_row("order", day), 500, 10);
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{501, 506});
}

TEMPLATE_TEST_CASE("rows of others whose name looks like a period's stay as they are",
                   "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  fixture.put_row("user@2026-11-29", 40, 10);
  CHECK(take(store.lease("user@2026-11-29", 5)) == IdRange{41, 46});
  CHECK(take(store.find("user@2026-11-29")).max_id == 45);
  const Status refused = store.create("user", with_period(kNoon));
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  require_ok(store.create("user", 10));
  CHECK(take(store.lease("user@2026-11-29", 5)) == IdRange{46, 51});
  require_ok(store.remove("user@2026-11-29"));
}

TEMPLATE_TEST_CASE("cap and step of the tag are those of each period", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = with_period(days_that_end_within_a_minute());
  tag.options.cap = 20;
  tag.options.order = TagOrder::kStrict;
  require_ok(store.create("order", tag));
  const Period day = today(store);
  CHECK(take(store.find("order")).order == TagOrder::kStrict);
  CHECK(take(store.find("order")).cap == 20);
  CHECK(take(store.lease_in_period("order", day, 15)) == IdRange{1, 16});
  CHECK(take(store.lease_in_period("order", day, {1, 10})) == IdRange{16, 21});
  const Status end = store.lease_in_period("order", day, 1).status();
  INFO(end);
  CHECK(end.code() == StatusCode::kExhausted);
  CHECK(take(store.lease_in_period("order", next_period(day), {1, 30})) == IdRange{1, 21});
  TagChange change;
  change.cap = 25;
  require_ok(store.update("order", change));
  CHECK(take(store.lease_in_period("order", day, {1, 10})) == IdRange{21, 26});
  CHECK(take(store.find("order")).period.is_set());  // a change keeps it
}

TEMPLATE_TEST_CASE("a period is set when the tag is created, and stays", "[store][period]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  const Period day = today(store);
  take(store.lease_in_period("order", day, 5));
  CHECK(take(store.info("order")).period == kNoon);
  for (const TagInfo& row : take(store.list())) {
    CHECK(row.period == (row.tag == "order" ? kNoon : PeriodRule()));
  }
  require_ok(store.remove("order"));
  CHECK(store.lease_in_period("order", day, 5).status().code() == StatusCode::kNotFound);
  CHECK(store.create("order", 10).code() == StatusCode::kInvalidArgument);
  PeriodRule other = kNoon;
  other.kind = PeriodKind::kMonth;
  CHECK(store.create("order", with_period(other)).code() == StatusCode::kInvalidArgument);
  require_ok(store.create("order", with_period(kNoon)));
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{6, 11});  // it goes on
}

TEMPLATE_TEST_CASE("a period that does not fit is refused", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  CHECK(store.create("order", with_period({PeriodKind::kDay, 841})).code() ==
        StatusCode::kInvalidArgument);
  CHECK(store.create(std::string(54, 'x'), with_period(kNoon)).code() ==
        StatusCode::kInvalidArgument);
  NewTag tag = with_period(kNoon);
  tag.options.floor.rate = 1000;
  CHECK(store.create("order", tag).code() == StatusCode::kInvalidArgument);
  CHECK(store.find("order").status().code() == StatusCode::kNotFound);
  const std::string longest = std::string(51, 'x') + "é@";
  require_ok(store.create(longest, with_period(kNoon)));
  const Period day = period_at(kNoon, take(store.find(longest)).read_at);
  CHECK(take(store.lease_in_period(longest, day, 5)) == IdRange{1, 6});
  TagChange floor;
  floor.floor.rate = 1000;
  CHECK(store.update(longest, floor).code() == StatusCode::kInvalidArgument);
}

TEMPLATE_TEST_CASE("processes that meet in a new period make one row and repeat no id",
                   "[store][period]", STORES) {
  TestType fixture;
  require_ok(fixture.store().create("order", with_period(kNoon)));
  const Period day = today(fixture.store());
  const std::shared_ptr<Store> stores[] = {fixture.open(), fixture.open()};
  std::mutex mutex;
  std::vector<bool> seen(4 * 10 * 7 + 1);
  int wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10;) {
        const Result<IdRange> range = stores[thread % 2]->lease_in_period("order", day, 7);
        const std::lock_guard<std::mutex> lock(mutex);
        if (!range.ok() && range.status().code() == StatusCode::kUnavailable) continue;
        ++i;
        if (!range.ok() || range->last() >= static_cast<std::int64_t>(seen.size())) {
          ++wrong;
          continue;
        }
        for (std::int64_t id = range->first; id < range->end; ++id) {
          wrong += seen[static_cast<std::size_t>(id)];
          seen[static_cast<std::size_t>(id)] = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(rows_of(fixture.store(), "order@") == 1);
}

TEMPLATE_TEST_CASE("old rows are removed when a new one is made", "[store][period]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  const Period day = today(store);
  for (int old = 1; old <= 12; ++old) fixture.put_row(period_row("order", {2001, 1, old}), 9, 10);
  fixture.put_row("order@2001-02", 9, 10);  // of another kind
  fixture.put_row("order@2001-01-1", 9, 10);
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{1, 6});
  CHECK(rows_of(store, "order@") == static_cast<std::int64_t>(kPeriodsKept) + 2);
  CHECK(store.info("order@2001-01-05").status().code() == StatusCode::kNotFound);
  CHECK(take(store.info("order@2001-01-06")).max_id == 9);
  CHECK(take(store.lease_in_period("order", day, 5)) == IdRange{6, 11});
}

TEMPLATE_TEST_CASE("a process far behind the store's clock gets nothing of its periods",
                   "[store][period]", featherid::test::MariadbFixture,
                   featherid::test::MysqlFixture, featherid::test::PostgresqlFixture,
                   featherid::test::NamedPostgresqlFixture) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", with_period(kNoon)));
  const Period day = today(store);
  const std::shared_ptr<Store> behind = fixture.open_with_clock(-minutes(61));
  const Status refused = behind->lease_in_period("order", day, 5).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(rows_of(store, "order@") == 0);
  // Minutes are no matter: the store's date decides.
  CHECK(take(fixture.open_with_clock(-minutes(59))->lease_in_period("order", day, 5)).first == 1);
  CHECK(take(fixture.open_with_clock(hours(50))->lease_in_period("order", day, 5)).first == 6);
}

// --- stores whose clock the test moves ---

namespace {

class MovingMemory {
 public:
  Store& store() { return *store_; }
  void set(WallTime now) { *now_ = now; }

 private:
  const std::shared_ptr<std::atomic<WallTime>> now_ =
      std::make_shared<std::atomic<WallTime>>(system_now());
  const std::unique_ptr<Store> store_ =
      std::make_unique<MemoryStore>([now = now_] { return now->load(); });
};

class MovingSqlite : private featherid::test::ScratchDir {
 public:
  MovingSqlite() {
    featherid::SociStoreOptions options;
    options.clock = [now = now_] { return now->load(); };
    store_ = take(featherid::open_soci_store("sqlite3:" + file("ids.db"), options));
  }
  Store& store() { return *store_; }
  void set(WallTime now) { *now_ = now; }

 private:
  const std::shared_ptr<std::atomic<WallTime>> now_ =
      std::make_shared<std::atomic<WallTime>>(system_now());
  std::unique_ptr<Store> store_;
};

constexpr PeriodRule kUtcDays{PeriodKind::kDay, 0};

}  // namespace

#define MOVING_STORES MovingMemory, MovingSqlite

TEMPLATE_TEST_CASE("a period is leased until its last moment, and the next from a minute before",
                   "[store][period]", MOVING_STORES) {
  TestType moving;
  Store& store = moving.store();
  require_ok(store.create("x", with_period(kUtcDays)));
  for (const Period day : {Period{2026, 12, 31}, Period{2027, 2, 28}, Period{2028, 2, 28},
                           Period{2028, 3, 26}, Period{2032, 2, 29}}) {
    const WallTime midnight = end_of(kUtcDays, day);
    const Period next = next_period(day);
    moving.set(midnight - kPeriodAheadMax - milliseconds(1));
    CHECK(take(store.lease_in_period("x", day, 5)) == IdRange{1, 6});
    CHECK(store.lease_in_period("x", next, 5).status().code() == StatusCode::kUnavailable);
    moving.set(midnight - kPeriodAheadMax);
    CHECK(take(store.lease_in_period("x", next, 5)) == IdRange{1, 6});
    moving.set(midnight - milliseconds(1));
    CHECK(take(store.lease_in_period("x", day, 5)) == IdRange{6, 11});
    moving.set(midnight);
    CHECK(store.lease_in_period("x", day, 5).status().code() == StatusCode::kUnavailable);
    CHECK(take(store.lease_in_period("x", next, 5)) == IdRange{6, 11});
    require_ok(store.advance(period_row("x", next), 1000));
    moving.set(begin_of(kUtcDays, next) + hours(20));
    CHECK(take(store.lease_in_period("x", next, 5)).first == 1001);
  }
}

TEMPLATE_TEST_CASE("a clock that is set back goes on where each day was, or stops",
                   "[store][period]", MOVING_STORES) {
  TestType moving;
  Store& store = moving.store();
  require_ok(store.create("x", with_period(kUtcDays)));
  std::vector<Period> days = {{2026, 11, 20}};
  for (int i = 0; i < 12; ++i) {
    moving.set(begin_of(kUtcDays, days.back()) + hours(10));
    CHECK(take(store.lease_in_period("x", days.back(), 5)) == IdRange{1, 6});
    days.push_back(next_period(days.back()));
  }
  days.pop_back();
  CHECK(rows_of(store, "x@") == static_cast<std::int64_t>(kPeriodsKept));
  for (std::size_t i = 0; i < days.size(); ++i) {
    moving.set(begin_of(kUtcDays, days[i]) + hours(10));
    const Result<IdRange> range = store.lease_in_period("x", days[i], 5);
    INFO(to_string(days[i]) << " " << range.status());
    if (i + kPeriodsKept >= days.size()) {
      CHECK(take(range) == IdRange{6, 11});
    } else {
      CHECK(range.status().code() == StatusCode::kFailedPrecondition);
      CHECK(range.status().message().find("never made again") != std::string::npos);
    }
  }
  // Days that never had a row may have one, if they are not older than what was removed.
  moving.set(begin_of(kUtcDays, {2026, 11, 10}));
  CHECK(store.lease_in_period("x", {2026, 11, 10}, 5).status().code() ==
        StatusCode::kFailedPrecondition);
}

TEMPLATE_TEST_CASE("a clock that was years ahead for a while does not stop the days after",
                   "[store][period]", MOVING_STORES) {
  TestType moving;
  Store& store = moving.store();
  require_ok(store.create("x", with_period(kUtcDays)));
  for (const Period day : {Period{2026, 11, 28}, Period{2026, 11, 29}, Period{2099, 1, 1},
                           Period{2099, 1, 2}, Period{2026, 11, 30}, Period{2026, 12, 1}}) {
    moving.set(begin_of(kUtcDays, day) + hours(10));
    CHECK(take(store.lease_in_period("x", day, 5)) == IdRange{1, 6});
  }
  CHECK(rows_of(store, "x@") == 6);
}
