// SPDX-License-Identifier: MIT
// Strict order with real threads, and the checker of it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/real_time_order.h"

namespace featherid {

using std::chrono::seconds;
using test::Disorder;
using test::find_disorder;
using test::TimedIds;

namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// The definition, in O(n^2).
std::int64_t calls_out_of_order(const std::vector<TimedIds>& calls) {
  return std::count_if(calls.begin(), calls.end(), [&](const TimedIds& call) {
    return std::any_of(calls.begin(), calls.end(), [&](const TimedIds& other) {
      return other.ended < call.began && other.ids.last() >= call.ids.first;
    });
  });
}

constexpr int kProcesses = 3;  // allocators over one store, as processes over a database
constexpr int kThreads = 4;    // of each
constexpr int kCalls = 400;    // of each thread

// All calls of some threads that use `processes`, in every way that waits.
std::vector<TimedIds> use(std::vector<std::unique_ptr<SegmentAllocator>>& processes) {
  std::mutex mutex;
  std::vector<TimedIds> calls;
  const auto note = [&](std::int64_t began, std::size_t caller, const auto& ids) {
    const std::int64_t ended = now_ns();
    if (!ids.ok()) return;
    const std::lock_guard<std::mutex> lock(mutex);
    for (const IdRange range : *ids) calls.push_back({began, ended, range, caller});
  };
  const auto call = [&](Sequence& order, std::size_t caller, unsigned roll) {
    const std::int64_t began = now_ns();
    const auto count = static_cast<std::int64_t>(roll % 5) + 1;
    if (roll % 3 == 0) {
      order.next_range_async(count, seconds(10),
                             [&note, began, caller](const auto& ids) { note(began, caller, ids); });
    } else if (roll % 3 == 1) {
      note(began, caller, order.next_range(count));
    } else if (const Result<std::int64_t> id = order.next(); id.ok()) {
      note(began, caller, Result(std::vector<IdRange>{{*id, *id + 1}}));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t caller = 0; caller < kProcesses * kThreads; ++caller) {
    threads.emplace_back([&, caller, order = *processes[caller % kProcesses]->sequence("order")] {
      Sequence own = order;
      std::minstd_rand random(static_cast<unsigned>(caller) + 1);
      for (int i = 0; i < kCalls; ++i) call(own, caller, static_cast<unsigned>(random() / 16));
    });
  }
  for (std::thread& thread : threads) thread.join();
  processes.clear();  // ends the callbacks
  return calls;
}

std::vector<TimedIds> calls_of(TagOrder order) {
  auto store = std::make_shared<MemoryStore>();
  NewTag tag(1000);
  tag.options.order = order;
  REQUIRE(store->create("order", tag).ok());
  std::vector<std::unique_ptr<SegmentAllocator>> processes;
  for (int i = 0; i < kProcesses; ++i) {
    processes.push_back(std::make_unique<SegmentAllocator>(store));
  }
  return use(processes);
}

}  // namespace

TEST_CASE("the checker of real-time order finds every call that breaks it", "[stress][order]") {
  std::minstd_rand random(7);
  const auto pick = [&](std::int64_t most) { return static_cast<std::int64_t>(random()) % most; };
  std::int64_t broken = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<TimedIds> calls;
    std::int64_t id = 1;
    for (std::int64_t i = 0; i < 30; ++i) {
      const std::int64_t began = pick(100);
      const std::int64_t first = round % 2 == 0 ? id : 1 + pick(100);
      id = first + 1 + pick(3);
      calls.push_back({began, began + pick(30), {first, id}, 0});
    }
    const Disorder found = find_disorder(calls);
    REQUIRE(found.calls == calls_out_of_order(calls));
    broken += found.calls;
    if (found.calls == 0) continue;
    CHECK(found.before->ended < found.call->began);
    CHECK(found.before->ids.last() >= found.call->ids.first);
  }
  CHECK(broken > 0);
  CHECK(find_disorder({}).calls == 0);
  CHECK(find_disorder({{0, 5, {10, 11}, 0}, {5, 6, {1, 2}, 0}}).calls == 0);  // they touch
  CHECK(find_disorder({{0, 5, {10, 11}, 0}, {6, 7, {10, 11}, 0}}).calls == 1);
}

TEST_CASE("under strict order a later call of any thread gets a larger id", "[stress][order]") {
  const std::vector<TimedIds> calls = calls_of(TagOrder::kStrict);
  CHECK(calls.size() > kProcesses * kThreads * kCalls / 2);
  const Disorder found = find_disorder(calls);
  if (found.call) {
    WARN("caller " << found.call->caller << " got " << found.call->ids.first << " after caller "
                   << found.before->caller << " had got " << found.before->ids.first);
  }
  CHECK(found.calls == 0);
}

TEST_CASE("under plain order the ids of several processes interleave", "[stress][order]") {
  CHECK(find_disorder(calls_of(TagOrder::kPlain)).calls > 0);  // so the check above can fail
}

}  // namespace featherid
