// SPDX-License-Identifier: MIT
// Ids from an etcd cluster. With an argument, from that: etcd_store
// etcd://a:2379,b:2379,c:2379/featherid. Without, it shows what happens while no member can be
// reached, so that it needs none.
#include <featherid/etcd_store.h>
#include <featherid/segment_allocator.h>

#include <chrono>
#include <iostream>
#include <utility>

int main(int argc, char** argv) {
  const char* const url = argc > 1 ? argv[1] : "etcd://127.0.0.1:1/featherid";
  featherid::EtcdStoreOptions options;
  options.connect_timeout = std::chrono::milliseconds(200);
  auto store = featherid::open_etcd_store(url, options);
  if (!store.ok()) return std::cerr << store.status().to_string() << '\n', 1;
  if (argc > 1) {
    const featherid::Status made = featherid::init_etcd_store(url, options);
    if (!made.ok()) return std::cerr << made.to_string() << '\n', 1;
  }

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
  ids.shutdown();  // what was not used goes back
}
