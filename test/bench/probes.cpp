// SPDX-License-Identifier: MIT
#include "test/bench/probes.h"

#include <stdexcept>
#include <utility>

using featherid::LocalBlock;
using featherid::SegmentAllocator;
using featherid::Sequence;
using featherid::bench::keep;

namespace {

template <typename Take>
bool take_ids(std::int64_t count, Take take) {
  for (; count > 0; --count) {
    const featherid::Result<std::int64_t> id = take();
    if (!id.ok()) return false;
    keep(*id);
  }
  return true;
}

}  // namespace

bool probe_fetch_add(std::atomic<std::int64_t>& word, std::int64_t count) {
  for (; count > 0; --count) keep(word.fetch_add(1));
  return true;
}

bool probe_next(const Sequence& shared, std::int64_t count) {
  Sequence sequence = shared;
  return take_ids(count, [&] { return sequence.next(); });
}

bool probe_try_next(const Sequence& shared, std::int64_t count) {
  Sequence sequence = shared;
  return take_ids(count, [&] { return sequence.try_next(); });
}

bool probe_increment(std::int64_t& last, std::int64_t count) {
  std::int64_t id = last;
  for (; count > 0; --count) keep(++id);
  last = id;
  return true;
}

bool probe_local_next(LocalBlock& kept, std::int64_t count) {
  LocalBlock block = std::move(kept);
  const bool all = take_ids(count, [&] { return block.next(); });
  kept = std::move(block);
  return all;
}

bool probe_next_id(SegmentAllocator& ids, const std::vector<std::string>& names, std::size_t& at,
                   std::int64_t count) {
  std::size_t i = at;
  const bool all = take_ids(count, [&] {
    const std::string& name = names[i];
    if (++i == names.size()) i = 0;
    return ids.next_id(name);
  });
  at = i;
  return all;
}

bool probe_next_range(Sequence& sequence, std::int64_t range_ids, std::int64_t count) {
  for (; count > 0; --count) {
    const auto ranges = sequence.next_range(range_ids);
    if (!ranges.ok()) return false;
    keep(ranges->front().first);
  }
  return true;
}

namespace featherid::bench {

void bring_into_use(SegmentAllocator& ids, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!ids.next_id(name).ok() || !ids.next_id(name).ok()) {
      throw std::runtime_error("tag '" + name + "' gave no id");
    }
  }
}

}  // namespace featherid::bench
