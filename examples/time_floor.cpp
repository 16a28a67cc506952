// SPDX-License-Identifier: MIT
// Ids that sort by time and survive a lost commit: a tag with a time floor. The store here lives in
// memory; over a database nothing else changes.
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>
#include <featherid/time_floor.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>

using featherid::WallTime;

namespace {

// Prints a time as "2026-11-29 20:00:00".
std::string text_of(WallTime at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", std::gmtime(&seconds))};
}

}  // namespace

int main() {
  // A clock that the example can move.
  const auto now = std::make_shared<std::atomic<std::int64_t>>(1795910400000);
  auto store = std::make_shared<featherid::MemoryStore>(
      [now] { return WallTime(std::chrono::milliseconds(now->load())); });

  featherid::NewTag order(1000);
  order.options.floor.rate = 100000;  // 100 x the peak of all processes
  if (!store->create("order", order).ok()) return 1;

  std::int64_t last = 0;
  {
    featherid::SegmentAllocator ids(store);
    const auto id = ids.next_id("order");
    if (!id.ok()) return 1;
    last = *id;
    const auto row = store->find("order");
    const auto time = featherid::leased_when(row->floor, *id);
    if (!time.ok()) return 1;
    std::cout << *id << " was leased between " << text_of(time->from) << " and "
              << text_of(time->until) << "\n";
  }

  // A backup comes back: it knows of no lease. After lead_max, that does no harm.
  featherid::SegmentRow backup = *store->find("order");
  backup.max_id = 0;
  store->overwrite(backup);
  *now += 1000 * backup.floor.lead_max_s;
  featherid::SegmentAllocator ids(store);
  const auto id = ids.next_id("order");
  if (!id.ok()) return 1;
  std::cout << *id << " after the backup came back\n";
  return *id > last ? 0 : 1;
}
