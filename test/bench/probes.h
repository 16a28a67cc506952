// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PROBES_H_
#define FEATHERID_TEST_BENCH_PROBES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"

// The loops whose cost is compared. Each is a separate function with a plain name, so that the time
// (fast_path.cpp), the instructions (callgrind) and the machine code (objdump) belong to the same
// loop. Each takes `count` ids and keeps every one, as an application would. False if an id did not
// come.
extern "C" {

// The floor: the cost of any counter that threads share.
bool probe_fetch_add(std::atomic<std::int64_t>& word, std::int64_t count);
bool probe_next(const featherid::Sequence& shared, std::int64_t count);
bool probe_try_next(const featherid::Sequence& shared, std::int64_t count);

// The floor of a counter for one thread, and LocalBlock beside it.
bool probe_increment(std::int64_t& last, std::int64_t count);
bool probe_local_next(featherid::LocalBlock& block, std::int64_t count);

// By name: takes the names in order, from names[*at] on.
bool probe_next_id(featherid::SegmentAllocator& ids, const std::vector<std::string>& names,
                   std::size_t& at, std::int64_t count);

// `count` ranges of `range_ids` ids each.
bool probe_next_range(featherid::Sequence& sequence, std::int64_t range_ids, std::int64_t count);

}  // extern "C"

namespace featherid::bench {

// Takes two ids of each tag, one tag after the other: with its second id, a tag enters the table
// that later look-ups read without a lock. Throws if an id does not come.
void bring_into_use(SegmentAllocator& ids, const std::vector<std::string>& names);

// Makes the compiler produce `value` in a register. Unlike benchmark::DoNotOptimize it does not
// clobber memory, because an application that uses the id does not either.
inline void keep(std::int64_t value) { asm volatile("" : : "r"(value)); }

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PROBES_H_
