// SPDX-License-Identifier: MIT
// The shortest complete program. Its ids come from a SQLite file, so the second run continues after
// the first.
#include <featherid/segment_allocator.h>
#include <featherid/soci_store.h>

#include <iostream>

int main() {
  auto store = featherid::open_soci_store("sqlite3:ids.db");
  if (!store.ok()) return std::cerr << store.status().to_string() << '\n', 1;
  featherid::SegmentAllocator ids(*std::move(store));

  auto id = ids.next_id("order");
  if (!id.ok()) return std::cerr << id.status().to_string() << '\n', 1;
  std::cout << *id << '\n';
}
