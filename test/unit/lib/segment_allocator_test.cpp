// SPDX-License-Identifier: MIT
#include "featherid/segment_allocator.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "featherid/memory_store.h"
#include "lib/segment/unknown_tag_limits.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/gate.h"
#include "test/support/patient.h"
#include "test/support/wait_until.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::patient;

namespace {

std::shared_ptr<test::FaultStore> store_with(const std::string& tag, std::int64_t step) {
  auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create(tag, step).ok());
  return store;
}

Result<IdRange> store_is_down(std::string_view, std::int64_t) {
  return Status(StatusCode::kUnavailable, "the store is down");
}

}  // namespace

TEST_CASE("ids come by name and by handle, from one series", "[segment_allocator]") {
  SegmentAllocator ids(store_with("order", 10), patient());
  CHECK(*ids.next_id("order") == 1);
  Result<Sequence> order = ids.sequence("order");
  REQUIRE(order.ok());
  CHECK(order->tag() == "order");
  CHECK(*order->next() == 2);
  CHECK(*order->next(seconds(30)) == 3);
  CHECK(*ids.next_range("order", 100) == std::vector<IdRange>{{4, 104}});
  CHECK(*order->next_range(3) == std::vector<IdRange>{{104, 107}});
  CHECK(*ids.next_id("order") == 107);
}

TEST_CASE("ranges can be walked as they come", "[segment_allocator]") {
  SegmentAllocator ids(store_with("order", 10), patient());
  std::int64_t next = 1;
  for (const IdRange range : *ids.next_range("order", 5)) {
    CHECK(range == IdRange{next, next + 5});
    next = range.end;
  }
  CHECK(next == 6);
}

TEST_CASE("the error for a bad argument names what is allowed", "[segment_allocator]") {
  SegmentAllocator ids(store_with("order", 10));
  CHECK(ids.next_id("").status().code() == StatusCode::kInvalidArgument);
  CHECK(ids.sequence(std::string(65, 'x')).status().code() == StatusCode::kInvalidArgument);
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{-1}, kRangeIdsMax + 1, INT64_MIN}) {
    CHECK(ids.next_range("order", count).status().code() == StatusCode::kInvalidArgument);
    CHECK(ids.try_next_range("order", count).status().code() == StatusCode::kInvalidArgument);
    Status heard;
    ids.sequence("order")->next_range_async(count, seconds(1),
                                            [&](const auto& got) { heard = got.status(); });
    CHECK(heard.code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("an unknown tag is not found, and is found once it is created", "[segment_allocator]") {
  auto store = std::make_shared<MemoryStore>();
  AllocatorOptions options = patient();
  options.unknown_tag_ttl = milliseconds(1);
  SegmentAllocator ids(store, options);
  CHECK(ids.next_id("late").status().code() == StatusCode::kNotFound);
  REQUIRE(store->create("late", 10).ok());
  Result<std::int64_t> id = ids.next_id("late");
  while (id.status().code() == StatusCode::kNotFound) id = ids.next_id("late");
  CHECK(*id == 1);
}

TEST_CASE("a flood of unknown tags neither fills memory nor reaches the store unbounded",
          "[segment_allocator]") {
  constexpr UnknownTagLimits kLimits;
  auto store = store_with("order", 10);
  SegmentAllocator ids(store, patient());
  REQUIRE(ids.next_id("order").ok());
  const auto begin = std::chrono::steady_clock::now();
  const int finds_before = store->finds();
  constexpr int kNames = 100000;
  int refused = 0;
  int served = 0;
  for (int i = 0; i < kNames; ++i) {
    const Status status = ids.next_id("no such tag " + std::to_string(i)).status();
    refused += status.code() == StatusCode::kUnavailable ? 1 : 0;
    if (i % 100 == 0) served += ids.next_id("order").ok() ? 1 : 0;
  }
  const double seconds_taken =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const int finds = store->finds() - finds_before;
  // Every name that is not refused is remembered and looked up once: as many as may be remembered,
  // a second's worth at once, then as many each second.
  CHECK(finds <= kLimits.tags_max + kLimits.forgotten_per_second_max * (2 + seconds_taken));
  CHECK(refused >= kNames - finds);
  CHECK(served == kNames / 100);
}

TEST_CASE("names that cannot be served make room for others, whatever the reason",
          "[segment_allocator]") {
  auto store = std::make_shared<test::FaultStore>();
  std::atomic<bool> table_missing{true};
  store->on_find = [&](std::string_view tag) -> Result<SegmentRow> {
    if (!table_missing) return store->memory().find(tag);
    return Status(StatusCode::kFailedPrecondition, "the table is missing");
  };
  SegmentAllocator ids(store, patient());
  for (int i = 0; i < UnknownTagLimits().tags_max / 2 + 50; ++i) {
    CHECK_FALSE(ids.next_id("tag" + std::to_string(i)).ok());
    CHECK(ids.sequence("unused" + std::to_string(i)).ok());
  }
  REQUIRE(store->create("order", 10).ok());
  table_missing = false;
  CHECK(ids.next_id("order").ok());
}

TEST_CASE("any number of existing tags is served, each requested by name only once",
          "[segment_allocator]") {
  constexpr int kTags = 3 * UnknownTagLimits().tags_max;
  auto store = std::make_shared<MemoryStore>();
  SegmentAllocator ids(store, patient());
  int served = 0;
  for (int i = 0; i < kTags; ++i) {
    const std::string tag = "tag" + std::to_string(i);
    REQUIRE(store->create(tag, 10).ok());
    served += ids.next_id(tag).ok() ? 1 : 0;
  }
  CHECK(served == kTags);
  CHECK(ids.stats().size() == kTags);
}

TEST_CASE("handles are limited until they are used", "[segment_allocator]") {
  auto store = store_with("order", 10);
  SegmentAllocator ids(store, patient());
  std::vector<Sequence> handles;
  for (int i = 0; i < UnknownTagLimits().tags_max; ++i) {
    const std::string tag = "tag" + std::to_string(i);
    REQUIRE(store->create(tag, 10).ok());
    handles.push_back(*ids.sequence(tag));
  }
  CHECK(ids.sequence("order").status().code() == StatusCode::kUnavailable);
  CHECK(handles.back().next().ok());
  CHECK(ids.sequence("order").ok());
}

TEST_CASE("every call names the options that are out of bounds", "[segment_allocator]") {
  const auto message = [](void (*change)(AllocatorOptions&)) {
    AllocatorOptions options;
    change(options);
    SegmentAllocator ids(std::make_shared<MemoryStore>(), options);
    const Status status = ids.next_id("order").status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    return status.message();
  };
  CHECK_THAT(message([](auto& o) { o.wait_timeout = milliseconds(0); }), Contains("wait_timeout"));
  CHECK_THAT(message([](auto& o) { o.hold = seconds(0); }), Contains("hold"));
  CHECK_THAT(message([](auto& o) { o.lease_max_ids = 0; }), Contains("lease_max_ids"));
  CHECK_THAT(message([](auto& o) { o.refill_threads = 65; }), Contains("refill_threads"));
  CHECK_THAT(message([](auto& o) { o.backoff_min = seconds(2); }), Contains("backoff_min"));
  CHECK_THAT(message([](auto& o) { o.backoff_max = seconds(61); }), Contains("backoff_max"));
  CHECK_THAT(message([](auto& o) { o.unknown_tag_ttl = milliseconds(0); }), Contains("ttl"));
  CHECK_THAT(message([](auto& o) { o.shutdown_timeout = milliseconds(-1); }), Contains("shutdown"));
  CHECK_THAT(message([](auto& o) { o.shutdown_timeout = milliseconds::max(); }),
             Contains("shutdown"));
  CHECK(SegmentAllocator(nullptr).next_id("order").status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a wait ends by its deadline with the store's message", "[segment_allocator][fault]") {
  auto store = store_with("order", 10);
  store->on_lease = store_is_down;
  AllocatorOptions options;
  options.wait_timeout = milliseconds(50);
  SegmentAllocator ids(store, options);
  CHECK(test::wait_until([&] {  // the first waits may end before the store answers
    const Status status = ids.next_id("order").status();
    CHECK((status.code() == StatusCode::kDeadlineExceeded ||
           status.code() == StatusCode::kUnavailable));
    return status.message().find("the store is down") != std::string::npos;
  }));
}

TEST_CASE("an exhausted tag says so", "[segment_allocator]") {
  auto store = store_with("order", 10);
  REQUIRE(store->advance("order", kIdMax - 3).ok());
  SegmentAllocator ids(store, patient());
  for (std::int64_t id = kIdMax - 2; id <= kIdMax; ++id) CHECK(*ids.next_id("order") == id);
  CHECK(ids.next_id("order").status().code() == StatusCode::kExhausted);
  CHECK_FALSE(ids.holds_ids());
}

TEST_CASE("shutdown gives the tail back, and the next process continues without a gap",
          "[segment_allocator]") {
  auto store = store_with("order", 1000);
  {
    SegmentAllocator ids(store, patient());
    for (std::int64_t id = 1; id <= 5; ++id) CHECK(*ids.next_id("order") == id);
    CHECK(ids.shutdown() >= 995);
    CHECK(ids.shutdown() == 0);
    CHECK(ids.next_id("order").status().code() == StatusCode::kFailedPrecondition);
    CHECK(ids.next_id("other").status().code() == StatusCode::kFailedPrecondition);
  }
  SegmentAllocator ids(store, patient());
  CHECK(*ids.next_id("order") == 6);
}

TEST_CASE("a tail is not given back over somebody else's lease", "[segment_allocator]") {
  auto store = store_with("order", 1000);
  SegmentAllocator ids(store, patient());
  CHECK(*ids.next_id("order") == 1);
  const IdRange other = *store->lease("order", 10);
  CHECK(ids.shutdown() == 0);
  CHECK(store->find("order")->max_id == other.last());
}

TEST_CASE("a store that throws at shutdown costs that tail and nothing else",
          "[segment_allocator][fault]") {
  auto store = store_with("order", 1000);
  REQUIRE(store->create("user", 1000).ok());
  int calls = 0;
  store->on_give_back = [&](std::string_view tag, IdRange tail) -> Result<bool> {
    if (++calls == 1) throw 42;
    return store->memory().give_back(tag, tail);
  };
  SegmentAllocator ids(store, patient());
  CHECK(ids.next_id("order").ok());
  CHECK(ids.next_id("user").ok());
  CHECK(ids.shutdown() >= 999);
  CHECK(calls == 2);
}

TEST_CASE("a handle outlives its allocator and refuses", "[segment_allocator]") {
  auto ids = std::make_unique<SegmentAllocator>(store_with("order", 10), patient());
  Sequence order = *ids->sequence("order");
  CHECK(order.next().ok());
  ids.reset();
  CHECK(order.next().status().code() == StatusCode::kFailedPrecondition);
  CHECK(order.try_next().status().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("destroying the allocator ends waiting calls", "[segment_allocator][threads]") {
  auto store = store_with("order", 10);
  store->on_lease = store_is_down;
  auto ids = std::make_unique<SegmentAllocator>(store, patient());
  Sequence order = *ids->sequence("order");
  auto waiting = std::async(std::launch::async, [&] { return order.next().status(); });
  while (store->leases() == 0) std::this_thread::yield();
  ids.reset();
  const StatusCode code = waiting.get().code();
  CHECK(code == StatusCode::kFailedPrecondition);
}

TEST_CASE("stats cover the tags that exist", "[segment_allocator]") {
  SegmentAllocator ids(store_with("order", 10), patient());
  CHECK(ids.next_id("order").ok());
  CHECK_FALSE(ids.next_id("none").ok());
  const std::vector<TagStats> stats = ids.stats();
  REQUIRE(stats.size() == 1);
  CHECK(stats[0].tag == "order");
  CHECK(stats[0].issued_ids == 1);
  CHECK(stats[0].held_ids >= 9);
  CHECK(stats[0].leases >= 1);
}

namespace {

// Ends an allocator during a call: destroys it, or only shuts it down.
struct Ending {
  std::unique_ptr<SegmentAllocator> ids;
  bool destroys = true;
  std::atomic<bool> done{false};
  std::chrono::steady_clock::duration took{0};

  void end() {
    const auto start = std::chrono::steady_clock::now();
    if (destroys) {
      ids.reset();
    } else {
      ids->shutdown();
      CHECK(ids->shutdown() == 0);
    }
    took = std::chrono::steady_clock::now() - start;
    done = true;
  }
  bool ended() {
    return test::wait_until([this] { return done.load(); });
  }
};

AllocatorOptions slow_to_shut_down() {
  AllocatorOptions options = patient();
  options.shutdown_timeout = seconds(20);
  return options;
}

}  // namespace

TEST_CASE("an allocator that ends in its own callback ends at once and gives ids back",
          "[segment_allocator][threads]") {
  auto store = store_with("order", 100);
  Ending ending;
  AllocatorOptions options = slow_to_shut_down();
  SECTION("destroyed") {}
  SECTION("shut down") { ending.destroys = false; }
  SECTION("destroyed, with several refill threads") { options.refill_threads = 8; }
  ending.ids = std::make_unique<SegmentAllocator>(store, options);
  ending.ids->sequence("order")->next_range_async(1, seconds(30),
                                                  [&](const auto&) { ending.end(); });
  REQUIRE(ending.ended());
  CHECK(ending.took < seconds(10));
  CHECK(store->memory().find("order")->max_id == 1);  // the callback got that id
}

TEST_CASE("an allocator may end in a callback that its caller or the shutdown runs",
          "[segment_allocator][threads]") {
  auto store = store_with("order", 100);
  Ending ending;
  ending.ids = std::make_unique<SegmentAllocator>(store, slow_to_shut_down());
  std::int64_t left_at = 0;
  SECTION("in the call that registered it") {
    CHECK(*ending.ids->next_id("order") == 1);
    ending.ids->sequence("order")->next_range_async(1, seconds(30),
                                                    [&](const auto&) { ending.end(); });
    left_at = 2;
  }
  SECTION("in a shutdown") {
    store->on_find = [](std::string_view) {
      return Status(StatusCode::kUnavailable, "the store is down");
    };
    ending.ids->sequence("order")->next_range_async(1, seconds(30),
                                                    [&](const auto&) { ending.end(); });
    ending.ids->shutdown();
  }
  CHECK(ending.ended());
  CHECK(ending.took < seconds(10));
  CHECK(store->memory().find("order")->max_id == left_at);
}

TEST_CASE("an allocator may end in its log callback", "[segment_allocator][threads]") {
  auto store = store_with("order", 100);
  REQUIRE(store->create("user", 100).ok());
  store->on_find = [memory = &store->memory()](std::string_view tag) -> Result<SegmentRow> {
    if (tag == "order") return memory->find(tag);
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  Ending ending;
  AllocatorOptions options = slow_to_shut_down();
  options.log = [&](LogLevel, std::string_view) {
    if (!ending.done) ending.end();
  };
  ending.ids = std::make_unique<SegmentAllocator>(store, options);
  CHECK(*ending.ids->next_id("order") == 1);
  Sequence user = *ending.ids->sequence("user");
  CHECK_FALSE(user.try_next().ok());
  REQUIRE(ending.ended());
  CHECK(ending.took < seconds(10));
  CHECK(store->memory().find("order")->max_id == 1);
}

TEST_CASE("an allocator that ends in a call of its store leaves the store alone",
          "[segment_allocator][threads]") {
  auto store = store_with("order", 100);
  Ending ending;
  std::atomic<int> given_back{0};
  store->on_give_back = [&](std::string_view, IdRange) {
    ++given_back;
    return Result<bool>(false);
  };
  store->on_lease = [&, memory = &store->memory()](std::string_view tag, std::int64_t count_ids) {
    if (tag == "user") ending.end();
    return memory->lease(tag, count_ids);
  };
  REQUIRE(store->create("user", 100).ok());
  ending.ids = std::make_unique<SegmentAllocator>(store, slow_to_shut_down());
  Sequence user = *ending.ids->sequence("user");
  CHECK(*ending.ids->next_id("order") == 1);
  CHECK(user.next().status().code() == StatusCode::kFailedPrecondition);
  REQUIRE(ending.ended());
  CHECK(ending.took < seconds(10));
  CHECK(given_back == 0);
}

TEST_CASE("a callback that registers itself again for ever ends with the allocator",
          "[segment_allocator][threads]") {
  auto store = store_with("order", 100);
  AllocatorOptions options = slow_to_shut_down();
  options.unknown_tag_ttl = milliseconds(1);
  std::atomic<int> calls{0};
  std::string tag = "order";
  std::int64_t count_ids = 1;
  SECTION("while ids are available") {}
  SECTION("on an unknown tag") { tag = "ghost"; }
  SECTION("with an invalid count") { count_ids = 0; }
  SegmentAllocator ids(store, options);
  Sequence sequence = *ids.sequence(tag);
  const IdsCallback again = [&](const auto&) {
    ++calls;
    sequence.next_range_async(count_ids, seconds(1), again);
  };
  sequence.next_range_async(count_ids, seconds(1), again);
  CHECK(test::wait_until([&] { return calls >= (count_ids == 0 ? 1 : 10); }));
  const auto start = std::chrono::steady_clock::now();
  ids.shutdown();
  CHECK(std::chrono::steady_clock::now() - start < seconds(10));
  const int calls_at_end = calls;
  sequence.next_range_async(1, seconds(1), again);
  CHECK(calls == calls_at_end + 1);
}

TEST_CASE("an application that sees another fork protection is refused", "[segment_allocator]") {
  auto store = store_with("order", 100);
  const auto others = std::make_unique<internal::ForkEpoch>();
  SegmentAllocator ids(store, patient(), *others);
  CHECK(ids.next_id("order").status().code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(ids.sequence("order").status().message(), Contains("-Wl,-Bsymbolic"));
  CHECK(ids.shutdown() == 0);
}

TEST_CASE("changes reach the tags that hold ids", "[segment_allocator]") {
  test::Gate gate;
  auto store = store_with("order", 10);
  REQUIRE(store->create("user", 10).ok());
  REQUIRE(store->create("removed", 10).ok());
  Result<TagChanges> answer = TagChanges{5, {{"order", 4}, {"removed", 0}, {"missing", 0}}};
  const bool lost = GENERATE(false, true);
  if (lost) answer = Status(StatusCode::kDataLoss, "the store went backwards");
  store->on_changes = [&](std::int64_t version) {
    gate.wait();
    const bool told = answer.ok() && (version < 0 || version == answer->version);
    return told ? TagChanges{5, {}} : answer;
  };
  SegmentAllocator ids(store, patient());  // a second thread leases meanwhile
  CHECK(*ids.next_id("order") == 1);
  CHECK(*ids.next_id("user") == 1);
  CHECK(*ids.next_id("removed") == 1);
  REQUIRE(store->remove("removed").ok());
  gate.open();
  if (lost) {
    CHECK(test::wait_until([&] {
      return ids.try_next_id("order").status().code() == StatusCode::kDataLoss &&
             ids.try_next_id("user").status().code() == StatusCode::kDataLoss;
    }));
    return;
  }
  const auto stats_of = [&](const std::string& tag) {
    for (const TagStats& stats : ids.stats()) {
      if (stats.tag == tag) return stats;
    }
    return TagStats();
  };
  // Nobody wants their ids now. So only the change can make them ask the store.
  CHECK(test::wait_until([&] { return stats_of("order").leases == 2; }));
  CHECK(test::wait_until(
      [&] { return stats_of("removed").last_error.code() == StatusCode::kNotFound; }));
  CHECK(stats_of("removed").held_ids == 0);
  CHECK(stats_of("user").leases == 1);
  CHECK(*ids.next_id("order") == 11);
}

TEST_CASE("a change reaches a tag whose first look is on its way", "[segment_allocator]") {
  test::Gate read;  // the row, as it was before the change
  test::Gate told;  // of the change
  test::Gate answered;
  auto store = store_with("order", 10);
  REQUIRE(store->create("user", 10).ok());
  store->on_find = [&, memory = &store->memory()](std::string_view tag) {
    Result<SegmentRow> row = memory->find(tag);
    if (tag == "order" && row->order == TagOrder::kPlain) {
      read.open();
      answered.wait();
    }
    return row;
  };
  store->on_changes = [&, memory = &store->memory()](std::int64_t version) {
    told.wait();
    return memory->changes(version);
  };
  SegmentAllocator ids(store, patient());  // with two refill threads
  auto first = std::async(std::launch::async, [&] { return ids.next_id("order"); });
  read.wait();
  TagChange change;
  change.order = TagOrder::kStrict;
  REQUIRE(store->update("order", change).ok());
  told.open();
  CHECK(ids.next_id("user").ok());  // by the thread that has taken in the change before
  answered.open();
  CHECK(*first.get() == 11);  // the lease of the plain tag is dropped
  const std::vector<TagStats> stats = ids.stats();
  const auto order = std::find_if(stats.begin(), stats.end(),
                                  [](const TagStats& each) { return each.tag == "order"; });
  REQUIRE(order != stats.end());
  CHECK(order->strict);
  CHECK(order->held_ids == 0);
}

}  // namespace featherid
