// SPDX-License-Identifier: MIT
// Tests every store's time floors against the contract of segment_store.h and tag_admin.h.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "test/support/catch.h"
#include "test/support/wait_until.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"

using featherid::floor_at;
using featherid::IdRange;
using featherid::kIdMax;
using featherid::lead_end_at;
using featherid::LeaseSize;
using featherid::NewTag;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::TagChange;
using featherid::TagInfo;
using featherid::TimeFloor;
using featherid::WallTime;
using featherid::test::max_id_of;
using featherid::test::require_ok;
using featherid::test::take;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A tag of step 10 with a floor.
NewTag floored(std::int64_t rate, std::int64_t lead_max_s = 10) {
  NewTag tag(10);
  tag.options.floor.rate = rate;
  tag.options.floor.lead_max_s = lead_max_s;
  return tag;
}

TagChange rate_change(std::int64_t rate) {
  TagChange change;
  change.floor.rate = rate;
  return change;
}

// Where the tag's floor is now by the store's clock, and where its lead ends.
std::int64_t floor_now(Store& store) {
  const SegmentRow row = take(store.find("order"));
  return floor_at(row.floor, row.read_at);
}
std::int64_t lead_end_now(Store& store) {
  const SegmentRow row = take(store.find("order"));
  return lead_end_at(row.floor, row.read_at);
}

// Leases all that the lead leaves at some moment. Returns the last id.
std::int64_t use_up_lead(Store& store) {
  std::int64_t last = 0;
  for (int leases = 0; leases < 3; ++leases) {
    const Result<IdRange> range = store.lease("order", {1, featherid::kLeaseIdsMax});
    if (range.ok()) last = range->last();
  }
  REQUIRE(last > 0);
  return last;
}

}  // namespace

TEMPLATE_TEST_CASE("a lease begins where the floor is", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  std::int64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t before = floor_now(store);
    const IdRange range = take(store.lease("order", 7));
    CHECK(range.size() == 7);
    CHECK(range.first > before);
    CHECK(range.first > last);
    CHECK(range.first <= std::max(floor_now(store), last) + 1);
    CHECK(max_id_of(store, "order") == range.last());
    last = range.last();
    std::this_thread::sleep_for(milliseconds(20));  // the floor passes the last id
  }
  const auto now =
      std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch());
  CHECK(std::abs(last - 1000 * now.count()) < 10000);
}

TEMPLATE_TEST_CASE("a tag that is ahead of its floor goes on from max_id", "[store][floor]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1, 86400)));
  const IdRange range = take(store.lease("order", 1000));
  CHECK(take(store.lease("order", 5)) == IdRange{range.end, range.end + 5});
  CHECK(take(store.give_back("order", {range.end, range.end + 5})));
  CHECK(take(store.lease("order", 5)) == IdRange{range.end, range.end + 5});
}

TEMPLATE_TEST_CASE("no lease ends past the lead", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(10, 30)));
  const std::int64_t last = use_up_lead(store);
  CHECK(last <= lead_end_now(store));
  CHECK(last > lead_end_now(store) - 50);
  // It takes 30 s to grow by as much.
  const Status refused = store.lease("order", {290, 300}).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message().find("ahead of its time floor of 10 ids/s, and may be 30 s ahead") !=
        std::string::npos);
  CHECK(max_id_of(store, "order") == last);
  CHECK(store.lease("order", 301).status().code() == StatusCode::kUnavailable);  // it never can
  // What has become due since is granted.
  CHECK(featherid::test::wait_until([&] {
    const Result<IdRange> range = store.lease("order", {1, 300});
    return range.ok() && range->first == last + 1 && range->size() < 300;
  }));
}

TEMPLATE_TEST_CASE("a lead that only warns is no bound", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = floored(10, 1);
  tag.options.floor.lead_only_warns = true;
  require_ok(store.create("order", tag));
  CHECK(take(store.lease("order", 100000)).size() == 100000);
  CHECK(take(store.lease("order", 100000)).size() == 100000);
  TagChange change;
  change.floor.lead_only_warns = false;
  CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
  CHECK(take(store.find("order")).floor.lead_only_warns);
}

TEMPLATE_TEST_CASE("a tag past its lead is refused until the floor comes near", "[store][floor]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  const std::int64_t far = lead_end_now(store) + 100000;
  require_ok(store.advance("order", far));
  CHECK(store.lease("order", {1, 10}).status().code() == StatusCode::kUnavailable);
  CHECK(max_id_of(store, "order") == far);
  require_ok(store.update("order", rate_change(2000)));
  CHECK(take(store.lease("order", {1, 10})).first > far);
}

// What a backup or a failover brings back.
TEMPLATE_TEST_CASE("a row that went back repeats no id once the lead has passed", "[store][floor]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000, 1)));
  take(store.lease("order", 1));
  const std::int64_t backup = max_id_of(store, "order");
  const std::int64_t last = use_up_lead(store);
  fixture.set_max_id("order", backup);
  CHECK(featherid::test::wait_until([&] { return floor_now(store) >= last; }));
  CHECK(take(store.lease("order", 10)).first > last);
  fixture.set_max_id("order", 0);
  CHECK(take(store.lease("order", 10)).first > last);
}

TEMPLATE_TEST_CASE("a rewind does not take ids below the floor", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  const std::int64_t before = floor_now(store);
  CHECK(take(store.rewind("order", take(store.lease("order", 10)).last(), 5)));
  CHECK(max_id_of(store, "order") == 5);
  CHECK(take(store.lease("order", 10)).first > before);
}

TEMPLATE_TEST_CASE("a floor that has passed the cap ends the tag", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  const std::int64_t now = floor_now(store);
  fixture.put_floor("order", {1000, 0, 30, false}, now + 20000);
  require_ok(store.advance("order", now + 19000));
  CHECK(take(store.lease("order", {1, 20000})) == IdRange{now + 19001, now + 20001});
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
  fixture.set_max_id("order", 0);  // not even then does it lease them again
  fixture.put_floor("order", {1000, 0, 10, false}, floor_now(store) + 300);
  const std::int64_t cap = take(store.find("order")).cap;
  CHECK(featherid::test::wait_until([&] { return floor_now(store) >= cap; }));
  const Status refused = store.lease("order", {1, 10}).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kExhausted);
  CHECK(max_id_of(store, "order") == 0);
}

TEMPLATE_TEST_CASE("a floor about to reach the cap is refused", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = floored(1000);
  tag.options.cap = 2147483647;
  const Status refused = store.create("order", tag);
  INFO(refused);
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK(refused.message().find("reach the cap 2147483647 at 1970-01-25") != std::string::npos);
  CHECK(store.find("order").status().code() == StatusCode::kNotFound);
  require_ok(store.create("order", floored(1000)));
  TagChange change;
  change.cap = floor_now(store) + 1000 * 86400;
  CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
  change.cap = floor_now(store) + std::int64_t{1000} * 86400 * 31;
  require_ok(store.update("order", change));
}

TEMPLATE_TEST_CASE("a floor rises, and never falls or goes away", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = floored(1000);
  tag.options.floor.epoch_s = 1000000;
  require_ok(store.create("order", tag));
  CHECK(store.update("order", rate_change(999)).code() == StatusCode::kInvalidArgument);
  TagChange change;
  change.floor.epoch_s = 1000001;
  CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
  change.floor.epoch_s = 999999;
  change.floor.lead_max_s = 20;
  require_ok(store.update("order", change));
  require_ok(store.update("order", rate_change(2000)));
  TagInfo info = take(store.info("order"));
  CHECK(info.floor.rate == 2000);
  CHECK(info.floor.epoch_s == 999999);
  CHECK(info.floor.lead_max_s == 20);
  CHECK_FALSE(info.floor.lead_only_warns);
  CHECK(take(store.find("order")).floor.rate == 2000);
  CHECK(take(store.list()).front().floor.rate == 2000);
  for (const std::int64_t rate : {std::int64_t{0}, std::int64_t{-1}, featherid::kFloorRateMax + 1,
                                  std::numeric_limits<std::int64_t>::min()}) {
    CHECK(store.update("order", rate_change(rate)).code() == StatusCode::kInvalidArgument);
    if (rate != 0) {
      CHECK(store.create("new", floored(rate)).code() == StatusCode::kInvalidArgument);
    }
  }
  for (const std::int64_t lead : {std::int64_t{0}, featherid::kLeadMaxSecondsMax + 1}) {
    CHECK(store.create("new", floored(1000, lead)).code() == StatusCode::kInvalidArgument);
  }
  tag.options.floor.epoch_s = std::int64_t{1} << 33;  // the year 2242
  CHECK(store.create("new", tag).code() == StatusCode::kInvalidArgument);
  CHECK(store.find("new").status().code() == StatusCode::kNotFound);
  require_ok(store.create("plain", 10));
  CHECK_FALSE(take(store.find("plain")).floor.is_set());
  TagChange lead;
  lead.floor.lead_max_s = 20;
  CHECK(store.update("plain", lead).code() == StatusCode::kInvalidArgument);
  // A tag that is created again has the floor that it had.
  require_ok(store.remove("order"));
  require_ok(store.create("order", 10));
  CHECK(take(store.find("order")).floor.rate == 2000);
  require_ok(store.remove("order"));
  CHECK(store.create("order", floored(1999)).code() == StatusCode::kInvalidArgument);
  tag = floored(3000);
  require_ok(store.create("order", tag));
  CHECK(take(store.find("order")).floor.rate == 3000);
}

TEMPLATE_TEST_CASE("the highest rates have room for ids", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = floored(featherid::kFloorRateMax, featherid::kLeadMaxSecondsMax);
  require_ok(store.create("order", tag));
  const IdRange range = take(store.lease("order", featherid::kLeaseIdsMax));
  CHECK(range.first > std::int64_t{1700000000} * featherid::kFloorRateMax);
  CHECK(range.size() == featherid::kLeaseIdsMax);
  // A row at the very end
  fixture.set_max_id("order", std::numeric_limits<std::int64_t>::max());
  CHECK(store.lease("order", {1, 10}).status().code() == StatusCode::kExhausted);
  fixture.set_max_id("order", kIdMax - 5);
  CHECK(store.lease("order", {1, 10}).status().code() == StatusCode::kUnavailable);
  CHECK(max_id_of(store, "order") == kIdMax - 5);
}

TEMPLATE_TEST_CASE("another process's lease follows a floor at once", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::shared_ptr<Store> other = fixture.open();
  require_ok(store.create("order", 10));
  CHECK(take(other->lease("order", 50)) == IdRange{1, 51});
  const std::int64_t known = take(other->changes(-1)).version;
  require_ok(store.update("order", rate_change(10)));
  CHECK(take(store.find("order")).floor.since_id == 50);
  const std::int64_t first = floor_now(store);
  CHECK(take(other->lease("order", 50)).first > first);
  const featherid::TagChanges changes = take(other->changes(known));
  REQUIRE(changes.limits.size() == 1);
  CHECK(changes.limits.front().max_id == 0);  // held ids do not sort with those of the floor
  require_ok(store.update("order", rate_change(1000)));
  CHECK(take(other->lease("order", 50)).first > 50 * first);
  TagChange change;
  change.floor.lead_max_s = 1;
  require_ok(store.update("order", change));
  CHECK(other->lease("order", {1500, 2000}).status().code() == StatusCode::kUnavailable);
  CHECK(take(other->changes(changes.version)).limits.size() == 1);  // of the rate
}

TEMPLATE_TEST_CASE("leases at once share the lead", "[store][floor]", STORES) {
  TestType fixture;
  require_ok(fixture.store().create("order", floored(100, 1)));
  const std::shared_ptr<Store> stores[] = {fixture.open(), fixture.open()};
  std::mutex mutex;
  std::vector<IdRange> ranges;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Store& store = *stores[thread % 2];
      for (int i = 0; i < 40; ++i) {
        const Result<IdRange> range = store.lease("order", {1, std::int64_t{7} + thread});
        if (!range.ok()) {
          wrong += range.status().code() != StatusCode::kUnavailable;
          continue;
        }
        // The lead's end has only moved on since. (No checks of the framework on this thread.)
        const Result<SegmentRow> row = store.find("order");
        wrong += row.ok() && range->last() > lead_end_at(row->floor, row->read_at);
        const std::lock_guard<std::mutex> lock(mutex);
        ranges.push_back(*range);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  REQUIRE(ranges.size() >= 10);  // the lead has 100 ids, and no lease more than 10
  std::sort(ranges.begin(), ranges.end(),
            [](const IdRange& a, const IdRange& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < ranges.size(); ++i) CHECK(ranges[i - 1].end <= ranges[i].first);
}

TEMPLATE_TEST_CASE("a tag without a floor is as it was", "[store][floor]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  require_ok(store.create("user", 10));
  fixture.put_row("foreign", 0, 10);
  take(store.lease("order", 5));
  CHECK(take(store.lease("user", 5)) == IdRange{1, 6});
  CHECK(take(store.lease("foreign", 5)) == IdRange{1, 6});
}

TEMPLATE_TEST_CASE("a clock that is far ahead of the process's is not followed", "[store][floor]",
                   featherid::test::MariadbFixture, featherid::test::MysqlFixture,
                   featherid::test::PostgresqlFixture, featherid::test::NamedPostgresqlFixture) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", floored(1000)));
  const std::shared_ptr<Store> behind = fixture.open_with_clock(seconds(-65));
  const Status refused = behind->lease("order", {1, 10}).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(refused.message().find("follows the database's clock, which says 20") != std::string::npos);
  CHECK(max_id_of(store, "order") == 0);
  const std::int64_t now = floor_now(store);
  CHECK(take(fixture.open_with_clock(seconds(-55))->lease("order", {1, 10})).first > now);
  CHECK(take(fixture.open_with_clock(seconds(5000))->lease("order", {1, 10})).first > now);
  // Not even max_id far below brings it back.
  fixture.set_max_id("order", 7);
  CHECK(behind->lease("order", {1, 10}).status().code() == StatusCode::kFailedPrecondition);
  CHECK(max_id_of(store, "order") == 7);
}

// Its clock is the store's, so a process that is behind leases from where max_id is.
TEMPLATE_TEST_CASE("max_id follows no clock backwards", "[store][floor]",
                   featherid::test::Sqlite3Fixture) {
  TestType fixture;
  require_ok(fixture.store().create("order", floored(1000, 60)));
  const IdRange ahead = take(fixture.open_with_clock(seconds(50))->lease("order", 10));
  CHECK(ahead.first > floor_now(fixture.store()) + 40000);
  CHECK(take(fixture.store().lease("order", 10)) == IdRange{ahead.end, ahead.end + 10});
  CHECK(fixture.open_with_clock(seconds(-50))->lease("order", 10).status().code() ==
        StatusCode::kUnavailable);
}
