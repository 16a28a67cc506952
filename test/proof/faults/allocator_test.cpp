// SPDX-License-Identifier: MIT
// Real refill threads: fail at call 1, 2, 3, … of starting, serving, refilling and shutting down.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "featherid/segment_allocator.h"
#include "test/proof/faults/scenario.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

using std::chrono::milliseconds;

constexpr const char* kTags[] = {"order", "user"};

// The most that one passing fault may cost: a lease, a call's ids and a tail.
constexpr std::int64_t kLostIdsMax = 500;

AllocatorOptions options() {
  AllocatorOptions options;
  options.wait_timeout = milliseconds(5);
  options.backoff_min = options.backoff_max = options.unknown_tag_ttl = milliseconds(1);
  options.log = [](LogLevel, std::string_view line) { static_cast<void>(std::string(line)); };
  return options;
}

std::shared_ptr<SegmentAllocator> start_once(const std::shared_ptr<Store>& store) {
  std::shared_ptr<SegmentAllocator> ids;
  attempt([&] { ids = std::make_shared<SegmentAllocator>(store, options()); });
  if (ids == nullptr) return nullptr;
  const Uncounted own;
  // An invalid name shows whether any call is served.
  const Status status = ids->next_id("").status();
  if (status.code() == StatusCode::kInvalidArgument) return ids;
  CHECK(status.code() == StatusCode::kUnavailable);
  return nullptr;
}

// A passing fault allows it at the second attempt, a lasting one only when it is over.
std::shared_ptr<SegmentAllocator> start(const std::shared_ptr<Store>& store, const Strike& strike) {
  if (auto ids = start_once(store)) return ids;
  strike.disarm_persistent();
  return start_once(store);
}

struct Callbacks {
  std::atomic<int> registered{0};
  std::atomic<int> heard{0};
};

void note_ranges(Ledger& ledger, const char* tag, const Result<std::vector<IdRange>>& ranges) {
  if (!ranges.ok()) return;
  for (const IdRange range : *ranges) ledger.note(tag, range);
}

// Every call there is.
void use(SegmentAllocator& ids, Ledger& ledger, Callbacks& callbacks) {
  const auto note_id = [&](const char* tag, const Result<std::int64_t>& id) {
    if (id.ok()) ledger.note(tag, {*id, *id + 1});
  };
  for (int round = 0; round < 2; ++round) {
    for (const char* const tag : kTags) {
      attempt([&] { note_id(tag, ids.next_id(tag)); });
      attempt([&] { note_id(tag, ids.try_next_id(tag)); });
      attempt([&] { note_ranges(ledger, tag, ids.next_range(tag, 25)); });
      attempt([&] { note_ranges(ledger, tag, ids.try_next_range(tag, 3)); });
      std::optional<Sequence> sequence;
      attempt([&] {
        Result<Sequence> made = ids.sequence(tag);
        if (made.ok()) sequence = *std::move(made);
      });
      if (!sequence) continue;
      attempt([&] { note_id(tag, sequence->next(milliseconds(5))); });
      const auto note_later = [&ledger, &callbacks, tag](const auto& got) {
        note_ranges(ledger, tag, got);
        ++callbacks.heard;
      };
      attempt([&] {
        sequence->next_range_async(40, milliseconds(5), note_later);
        ++callbacks.registered;
      });
      const auto note_one = [&](const Result<IdRange>& range) {
        if (range.ok()) ledger.note(tag, *range);
      };
      attempt([&] { note_one(sequence->next_consecutive(30, milliseconds(5))); });
      attempt([&] { note_one(sequence->try_next_consecutive(4)); });
      attempt([&] {
        sequence->next_consecutive_async(35, milliseconds(5), note_later);
        ++callbacks.registered;
      });
      LocalBlock block = sequence->local(1);  // leaves nothing behind
      attempt([&] { note_id(tag, block.next()); });
      attempt([&] { note_id(tag, block.next()); });
      attempt([&] { static_cast<void>(ids.stats()); });
    }
    attempt([&] { static_cast<void>(ids.next_id("nobody")); });
  }
}

void check_serving(SegmentAllocator& ids, const char* tag, Ledger& ledger, bool may_be_stopped) {
  Status status;
  const bool serves = wait_until([&] {
    bool done = false;
    attempt([&] {
      const Result<std::int64_t> id = ids.next_id(tag);
      if (id.ok()) ledger.note(tag, {*id, *id + 1});
      done = id.ok() || (may_be_stopped && id.status().code() == StatusCode::kDataLoss);
      status = id.status();
    });
    return done;
  });
  const Uncounted own;
  INFO("tag " << tag << ", last error: " << status);
  REQUIRE(serves);
}

// Issued ids are unique, and missing ids were lost to the fault.
void check_ids(FaultStore& store, Ledger& ledger, const Strike& strike) {
  for (const char* const tag : kTags) {
    const std::int64_t max_id = store.memory().find(tag)->max_id;
    const std::int64_t lost = max_id - ledger.check(tag, max_id);
    INFO("tag " << tag << ": " << lost << " ids lost of " << max_id);
    if (!strike.fault.counter->reached()) REQUIRE(lost == 0);
    if (!strike.persistent) REQUIRE(lost <= kLostIdsMax);
  }
}

enum class Armed { kFromTheStart, kAtShutdown };

void run(const Strike& strike, Armed armed) {
  auto store = store_with(strike.fault);
  Ledger ledger;
  Callbacks callbacks;
  if (armed == Armed::kFromTheStart) strike.arm();
  {
    std::shared_ptr<SegmentAllocator> ids = start(store, strike);
    REQUIRE(ids != nullptr);
    use(*ids, ledger, callbacks);
    if (armed == Armed::kFromTheStart) {
      strike.disarm_persistent();
      for (const char* const tag : kTags) {
        check_serving(*ids, tag, ledger, strike.fault.may_stop_a_tag);
      }
    } else {
      strike.arm();
    }
    ids->shutdown();
  }
  strike.disarm();
  CHECK(callbacks.heard == callbacks.registered);
  {
    SegmentAllocator next_process(store, options());
    for (const char* const tag : kTags) check_serving(next_process, tag, ledger, false);
  }
  check_ids(*store, ledger, strike);
}

}  // namespace

TEST_CASE("an allocator with threads serves after a fault at any call", "[faults][threads]") {
  for (const Fault& fault : memory_and_store_faults()) {
    fail_at_every_call("serving on threads", fault,
                       [](const Strike& strike) { run(strike, Armed::kFromTheStart); });
  }
}

TEST_CASE("a fault at any call of shutdown loses at most the tails", "[faults][threads]") {
  for (const Fault& fault : memory_and_store_faults()) {
    fail_at_every_call("shutdown", fault,
                       [](const Strike& strike) { run(strike, Armed::kAtShutdown); });
  }
}

TEST_CASE("threads that cannot be started leave none behind and become a status",
          "[faults][threads]") {
  const auto threads = [] {
    std::set<std::string> ids;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      ids.insert(task.path().filename());
    }
    return ids;
  };
  const Fault fault{"no thread", &thread_starts, nullptr};
  // A thread that was joined may be listed for a moment yet: one from before, and one of this test.
  const std::set<std::string> before = threads();
  const auto added = [&] {
    const std::set<std::string> now = threads();
    return std::count_if(now.begin(), now.end(),
                         [&](const std::string& id) { return before.count(id) == 0; });
  };
  auto store = store_with(fault);
  thread_starts.arm(1, true);
  {
    SegmentAllocator ids(store, options());
    CHECK(added() == 0);
    const Status status = ids.next_id("order").status();
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK_THAT(status.message(), Contains("cannot start"));
    CHECK(ids.sequence("order").status().code() == StatusCode::kUnavailable);
    CHECK(ids.stats().empty());
    CHECK(ids.shutdown() == 0);
  }
  thread_starts.arm(4, true);
  std::string logged;
  {
    AllocatorOptions many = options();
    many.refill_threads = 64;
    many.log = [&](LogLevel, std::string_view line) { logged += line; };
    SegmentAllocator ids(store, many);
    CHECK(added() == 3);
    thread_starts.disarm();
    Ledger ledger;
    check_serving(ids, "order", ledger, false);
  }
  CHECK_THAT(logged, Contains("only 3 of 64 refill threads"));
  CHECK(wait_until([&] { return added() == 0; }));
  fail_at_every_call("serving on threads", fault,
                     [](const Strike& strike) { run(strike, Armed::kFromTheStart); });
}

}  // namespace featherid::test
