// SPDX-License-Identifier: MIT
#include <featherid/id_format.h>
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>
#include <featherid/store_check.h>
#include <featherid/version.h>

#include <chrono>
#include <iostream>
#include <memory>

int main() {
  auto store = std::make_shared<featherid::MemoryStore>();
  if (!store->create("order", 1000).ok()) return 1;
  featherid::AllocatorOptions options;
  options.wait_timeout = std::chrono::seconds(30);  // the machine may stall
  featherid::SegmentAllocator ids(store, options);
  auto id = ids.next_id("order");
  std::cout << FEATHERID_VERSION << ' ' << (id.ok() ? *id : 0) << '\n';
  if (!id.ok() || *id != 1) return 1;
  auto format = featherid::IdFormat::make("INV-{id width=6}");
  if (!format.ok() || format->format(*id).value() != "INV-000001") return 1;
  if (!store->create("check", 1000).ok()) return 1;
  return featherid::check_store([&] { return store; }, "check").empty() ? 0 : 1;
}
