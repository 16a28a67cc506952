// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PROBES_H_
#define FEATHERID_TEST_BENCH_PROBES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"

// The loops whose cost is compared. Each is a function of its own with a plain name, so that the
// time (fast_path.cpp), the instructions (callgrind) and the machine code (objdump) are those of
// one and the same loop. Each takes `count` ids and keeps every one of them, as an application
// would; false when an id did not come.
extern "C" {

// The floor: what any counter shared by threads costs.
bool probe_fetch_add(std::atomic<std::int64_t>& word, std::int64_t count);
bool probe_next(const featherid::Sequence& shared, std::int64_t count);
bool probe_try_next(const featherid::Sequence& shared, std::int64_t count);

// The floor of a counter that one thread has for itself, and LocalBlock beside it.
bool probe_increment(std::int64_t& last, std::int64_t count);
bool probe_local_next(featherid::LocalBlock& block, std::int64_t count);

// By name: the names one after the other, from names[*at] on.
bool probe_next_id(featherid::SegmentAllocator& ids, const std::vector<std::string>& names,
                   std::size_t& at, std::int64_t count);

// `count` ranges of `range_ids` ids each.
bool probe_next_range(featherid::Sequence& sequence, std::int64_t range_ids, std::int64_t count);

}  // extern "C"

namespace featherid::bench {

// Makes the compiler produce `value` in a register. Unlike benchmark::DoNotOptimize it does not
// make it forget what it knows of memory: an application that uses the id does not either.
inline void keep(std::int64_t value) { asm volatile("" : : "r"(value)); }

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PROBES_H_
