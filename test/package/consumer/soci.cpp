// SPDX-License-Identifier: MIT
#include <featherid/segment_allocator.h>
#include <featherid/soci_store.h>

#include <cstdio>
#include <iostream>
#include <utility>

int main() {
  std::remove("consumer.db");
  auto status = featherid::init_soci_schema("sqlite3:consumer.db");
  auto store = featherid::open_soci_store("sqlite3:consumer.db");
  if (!status.ok() || !store.ok()) {
    std::cerr << status.to_string() << ", " << store.status().to_string() << '\n';
    return 1;
  }
  featherid::SegmentAllocator ids(*std::move(store));
  auto id = ids.next_id("order");
  std::cout << (id.ok() ? *id : 0) << '\n';
  return id.ok() && *id == 1 ? 0 : 1;
}
