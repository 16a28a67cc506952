// SPDX-License-Identifier: MIT
#include "test/proof/faults/scenario.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace featherid::test {

namespace {

FaultCounter store_calls;

enum class Way { kBefore, kAfter, kThrows, kWrong };

Status down(Way way) {
  if (way == Way::kThrows) throw std::runtime_error("the store broke");
  return {StatusCode::kUnavailable, "the store is down"};
}

void make_fail(FaultStore& store, Way way) {
  MemoryStore* const memory = &store.memory();
  store.on_lease = [=](std::string_view tag, std::int64_t count) -> Result<IdRange> {
    if (!store_calls.strikes()) return memory->lease(tag, count);
    if (way == Way::kBefore) return down(way);
    Result<IdRange> range = memory->lease(tag, count);
    if (way != Way::kWrong || !range.ok()) return down(way);
    return IdRange{range->first - count, range->end - count};  // the lease before, again
  };
  store.on_find = [=](std::string_view tag) -> Result<SegmentRow> {
    if (!store_calls.strikes()) return memory->find(tag);
    if (way != Way::kWrong) return down(way);
    return SegmentRow{std::string(tag), 0, 0};
  };
  store.on_give_back = [=](std::string_view tag, IdRange tail) -> Result<bool> {
    if (!store_calls.strikes()) return memory->give_back(tag, tail);
    if (way == Way::kWrong) return true;  // and does nothing
    if (way != Way::kBefore) static_cast<void>(memory->give_back(tag, tail));
    return down(way);
  };
}

}  // namespace

std::vector<Fault> memory_and_store_faults() {
  const auto way = [](Way of) { return [of](FaultStore& store) { make_fail(store, of); }; };
  return {{"no memory", &allocations, nullptr},
          {"store fails before the commit", &store_calls, way(Way::kBefore)},
          {"store fails after the commit", &store_calls, way(Way::kAfter)},
          {"store throws after the commit", &store_calls, way(Way::kThrows)},
          {"store answers wrongly", &store_calls, way(Way::kWrong), true}};
}

std::shared_ptr<FaultStore> store_with(const Fault& fault) {
  auto store = std::make_shared<FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  REQUIRE(store->create("user", 10).ok());
  if (fault.attach) fault.attach(*store);
  return store;
}

void Ledger::note(const char* tag, IdRange range) {
  const Uncounted own;
  const std::lock_guard<std::mutex> lock(mutex_);
  got_.push_back({tag, range});
}

std::int64_t Ledger::check(const std::string& tag, std::int64_t max_id) {
  std::vector<IdRange> ranges;
  for (const Got& got : got_) {
    if (got.tag == tag) ranges.push_back(got.range);
  }
  std::sort(ranges.begin(), ranges.end(), [](IdRange a, IdRange b) { return a.first < b.first; });
  std::int64_t ids = 0;
  std::int64_t end = 1;
  for (const IdRange range : ranges) {
    INFO("tag " << tag << ": " << range << " after an end of " << end);
    REQUIRE_FALSE(range.empty());
    REQUIRE(range.first >= end);
    REQUIRE(range.last() <= max_id);
    end = range.end;
    ids += range.size();
  }
  return ids;
}

void fail_at_every_call(const char* scenario, const Fault& fault,
                        const std::function<void(const Strike&)>& run) {
  int calls[2] = {};
  for (const bool persistent : {false, true}) {
    int nth = 0;
    do {
      ++nth;
      INFO(scenario << ": " << fault.name << " at call " << nth << (persistent ? " and on" : ""));
      REQUIRE(nth < 5000);
      run({fault, nth, persistent});
    } while (fault.counter->reached());
    calls[persistent ? 1 : 0] = nth - 1;
  }
  WARN(scenario << ": " << fault.name << ": once at each of " << calls[0]
                << " calls, lasting from each of " << calls[1]);
}

}  // namespace featherid::test
