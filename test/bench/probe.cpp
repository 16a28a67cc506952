// SPDX-License-Identifier: MIT
// featherid_probe NAME COUNT   runs one loop of probes.h, for a tool that observes the program from
// outside.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "featherid/memory_store.h"
#include "test/bench/probes.h"

namespace {

bool run(const std::string& name, std::int64_t count) {
  auto store = std::make_shared<featherid::MemoryStore>();
  if (!store->create("order", std::int64_t{1} << 30).ok()) return false;
  featherid::SegmentAllocator ids(store);
  featherid::Sequence sequence = *ids.sequence("order");
  featherid::LocalBlock block = sequence.local(featherid::kRangeIdsMax);
  const std::vector<std::string> names = {"order"};
  std::atomic<std::int64_t> word{0};
  std::int64_t last = 0;
  std::size_t at = 0;
  // Takes the first ids, so that only the fast path follows.
  if (!sequence.next().ok() || !block.next().ok() || !ids.next_id("order").ok()) return false;

  if (name == "fetch_add") return probe_fetch_add(word, count);
  if (name == "next") return probe_next(sequence, count);
  if (name == "try_next") return probe_try_next(sequence, count);
  if (name == "increment") return probe_increment(last, count);
  if (name == "local_next") return probe_local_next(block, count);
  if (name == "next_id") return probe_next_id(ids, names, at, count);
  if (name == "next_range") return probe_next_range(sequence, 100, count);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && run(argv[1], std::strtoll(argv[2], nullptr, 10))) return 0;
  std::cerr << "usage: featherid_probe "
               "fetch_add|next|try_next|increment|local_next|next_id|next_range COUNT\n";
  return 1;
}
