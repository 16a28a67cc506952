// SPDX-License-Identifier: MIT
// A tag of strict order: a call that starts after another has ended gets a larger id, no matter in
// which process. Each call waits for the store, but calls that wait at the same time share one
// lease.
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

using featherid::IdRange;
using featherid::Result;
using featherid::SegmentAllocator;
using featherid::Sequence;

namespace {

constexpr int kCallers = 1000;

// Takes an id for each of many callers at once, as an event loop does. False if one failed.
bool take_together(Sequence& invoice) {
  std::atomic<int> left{kCallers};
  std::atomic<bool> good{true};
  for (int i = 0; i < kCallers; ++i) {
    invoice.next_range_async(1, std::chrono::seconds(10),
                             [&](const Result<std::vector<IdRange>>& ids) {
                               if (!ids.ok()) good = false;
                               --left;
                             });
  }
  while (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return good;
}

}  // namespace

int main() {
  auto store = std::make_shared<featherid::MemoryStore>();
  featherid::NewTag invoice(1000);  // the step does not count: a lease has what is waited for
  invoice.options.order = featherid::TagOrder::kStrict;
  if (!store->create("invoice", invoice).ok()) return 1;

  // In real life these are two processes, and the store is a database.
  SegmentAllocator berlin(store);
  SegmentAllocator paris(store);
  std::int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    for (SegmentAllocator* process : {&berlin, &paris}) {
      const Result<std::int64_t> id = process->next_id("invoice");
      if (!id.ok() || *id <= last) return 1;
      last = *id;
    }
  }
  std::cout << "10 calls in turn: the last id is " << last << "\n";

  Result<Sequence> shared = berlin.sequence("invoice");
  if (!shared.ok()) return 1;
  const std::int64_t before = berlin.stats().front().leases;
  if (!take_together(*shared)) return 1;
  std::cout << kCallers << " calls at once: " << berlin.stats().front().leases - before
            << " leases\n";
}
