// SPDX-License-Identifier: MIT
#include "featherid/sequence.h"

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/in_fork.h"
#include "test/support/patient.h"

namespace featherid {

namespace {

struct Fixture {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  SegmentAllocator ids{store, test::patient()};
  Fixture() { REQUIRE(store->create("order", 100).ok()); }
};

bool refuses(const Status& status) { return status.code() == StatusCode::kFailedPrecondition; }

}  // namespace

TEST_CASE("try_next never waits, and next_range_async calls back with the ids", "[sequence]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  CHECK(order.try_next().status().code() == StatusCode::kUnavailable);
  std::atomic<std::int64_t> end{0};
  order.next_range_async(3, std::chrono::seconds(30), [&](Result<std::vector<IdRange>> ids) {
    CHECK(*ids == std::vector<IdRange>{{1, 4}});
    end = ids->back().end;
  });
  while (end == 0) std::this_thread::yield();
  CHECK(*order.try_next() == 4);
}

TEST_CASE("consecutive ids are one range, and ids still increase", "[sequence]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  std::int64_t last = 0;
  for (const std::int64_t count_ids : {1, 7, 100, 250, 3, 1000, 1}) {
    REQUIRE(f.store->lease("order", 5).ok());  // another process
    const Result<IdRange> range = order.next_consecutive(count_ids);
    REQUIRE(range.ok());
    CHECK(range->size() == count_ids);
    CHECK(range->first > last);
    last = *order.next();
    CHECK(last >= range->end);
  }
  std::atomic<bool> called{false};
  order.next_consecutive_async(5000, std::chrono::seconds(30), [&](const auto& ids) {
    CHECK(ids->size() == 1);
    CHECK(ids->front().size() == 5000);
    called = true;
  });
  while (!called) std::this_thread::yield();
  for (const std::int64_t count_ids : {std::int64_t{0}, std::int64_t{-1}, kRangeIdsMax + 1}) {
    CHECK(order.try_next_consecutive(count_ids).status().code() == StatusCode::kInvalidArgument);
    CHECK(order.next_consecutive(count_ids, std::chrono::milliseconds(1)).status().code() ==
          StatusCode::kInvalidArgument);
  }
}

TEST_CASE("local blocks hand out disjoint ids, each in order", "[sequence]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  LocalBlock a = order.local(10);
  LocalBlock b = order.local(10);
  std::set<std::int64_t> seen;
  std::int64_t last_a = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t id = *a.next();
    CHECK(id > last_a);
    last_a = id;
    CHECK(seen.insert(id).second);
    CHECK(seen.insert(*b.next()).second);
  }
  CHECK(*seen.rbegin() < 2000 + 2 * 10);  // only the ids that the blocks still hold were lost
}

TEST_CASE("a moved block takes its ids along", "[sequence]") {
  Fixture f;
  LocalBlock a = f.ids.sequence("order")->local(10);
  CHECK(*a.next() == 1);
  LocalBlock b = std::move(a);
  CHECK(*b.next() == 2);
  CHECK(*a.next() == 11);  // NOLINT(bugprone-use-after-move): it starts a new block
  a = std::move(b);
  CHECK(*a.next() == 3);
}

TEST_CASE("a block stops with its tag, even if ids are left", "[sequence]") {
  auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->memory().create("order", 100).ok());
  SegmentAllocator ids(store, test::patient());
  Sequence order = *ids.sequence("order");
  LocalBlock block = order.local(10);
  CHECK(*block.next() == 1);
  SECTION("once the store has gone backwards") {
    store->on_lease = [](std::string_view, std::int64_t count) { return IdRange{1, 1 + count}; };
    while (order.next().ok()) {
    }
    CHECK(block.next().status().code() == StatusCode::kDataLoss);
  }
  SECTION("after a shutdown") {
    ids.shutdown();
    CHECK(refuses(block.next().status()));
  }
  CHECK_FALSE(block.next().ok());
}

TEST_CASE("a handle that was moved from is still usable", "[sequence]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  Sequence other =
      std::move(order);  // NOLINT(performance-move-const-arg): a copy, as the test shows
  CHECK(*other.next() == 1);
  CHECK(*order.next() == 2);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("an exception from a callback is dropped, wherever the callback runs", "[sequence]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  StatusCode heard = StatusCode::kOk;
  order.next_range_async(0, std::chrono::seconds(1), [&](const auto& ids) {
    heard = ids.status().code();
    throw 1;
  });
  CHECK(heard == StatusCode::kInvalidArgument);
}

TEST_CASE("a block at the very end of the ids stops", "[sequence]") {
  Fixture f;
  REQUIRE(f.store->advance("order", kIdMax - 100).ok());
  LocalBlock block = f.ids.sequence("order")->local(1000);
  std::int64_t last = 0;
  Result<std::int64_t> id = block.next();
  for (; id.ok(); id = block.next()) last = *id;
  CHECK(last == kIdMax);
  CHECK(id.status().code() == StatusCode::kExhausted);
}

TEST_CASE("a forked child refuses everything and the parent goes on", "[sequence][fork]") {
  Fixture f;
  Sequence order = *f.ids.sequence("order");
  LocalBlock block = order.local(10);
  CHECK(*block.next() == 1);
  CHECK(*order.next() == 11);
  const int failed = test::failures_in_fork([&] {
    int failures = 0;
    failures += !refuses(order.next().status());
    failures += !refuses(order.try_next().status());
    failures += !refuses(order.next_range(5).status());
    failures += !refuses(block.next().status());
    failures += !refuses(f.ids.next_id("order").status());
    failures += !refuses(f.ids.next_id("other").status());
    failures += f.ids.shutdown() != 0;
    failures += !f.ids.stats().empty();
    order.next_range_async(1, std::chrono::seconds(1),
                           [&](const auto& ids) { failures += !refuses(ids.status()); });
    return failures;
  });
  CHECK(failed == 0);
  CHECK(*block.next() == 2);
  CHECK(*order.next() == 12);
}

// ThreadSanitizer does not follow threads that a forked child starts.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a child may destroy its copy and make an allocator of its own",
          "[sequence][fork][not_emulated]") {
  auto store = std::make_shared<MemoryStore>();
  REQUIRE(store->create("order", 100).ok());
  auto ids = std::make_unique<SegmentAllocator>(store, test::patient());
  CHECK(*ids->next_id("order") == 1);
  const int failed = test::failures_in_fork([&] {
    ids.reset();
    auto own_store = std::make_shared<MemoryStore>();
    int failures = own_store->create("order", 100).ok() ? 0 : 1;
    SegmentAllocator own(own_store, test::patient());
    const Result<std::int64_t> id = own.next_id("order");
    failures += !id.ok() || *id != 1;
    return failures;
  });
  CHECK(failed == 0);
  CHECK(*ids->next_id("order") == 2);
}
#endif

}  // namespace featherid
