// SPDX-License-Identifier: MIT
// Ids without access to the database: the process leases from featherid-servers. With an argument,
// from those: http_store 'http://a:8080,http://b:8080' TOKEN. Without, it shows what happens while
// no server can be reached, so that it needs none.
#include <featherid/http_store.h>
#include <featherid/segment_allocator.h>

#include <chrono>
#include <iostream>
#include <utility>

int main(int argc, char** argv) {
  featherid::HttpStoreOptions options;
  if (argc > 2) options.token = argv[2];
  options.connect_timeout = std::chrono::milliseconds(200);
  auto store = featherid::open_http_store(argc > 1 ? argv[1] : "http://127.0.0.1:1", options);
  if (!store.ok()) return std::cerr << store.status().to_string() << '\n', 1;

  featherid::AllocatorOptions waits;
  waits.wait_timeout = std::chrono::milliseconds(500);
  featherid::SegmentAllocator ids(*std::move(store), waits);
  for (int i = 0; i < 3; ++i) {
    const auto id = ids.next_id("order");  // from memory, after the first lease
    if (id.ok()) {
      std::cout << *id << '\n';
    } else {
      std::cout << id.status().to_string() << '\n';
    }
    if (!id.ok() && argc > 1) return 1;
  }
  ids.shutdown();  // what was not used goes back to the server that leased it
}
