// SPDX-License-Identifier: MIT
#ifndef FEATHERID_OPTIONS_H_
#define FEATHERID_OPTIONS_H_

#include <chrono>
#include <cstdint>

#include "featherid/internal/export.h"
#include "featherid/log.h"
#include "featherid/status.h"

namespace featherid {

// How an allocator leases, waits and logs. The defaults suit most programs.
struct AllocatorOptions {
  // How long next() and next_range() wait when memory holds no ids. 1 ms to 10 min.
  std::chrono::milliseconds wait_timeout{2000};

  // Each tag holds enough ids for this long at its burn rate (ids used per second), so it survives
  // a store outage of that length. A crash loses at most about twice as many ids. 1 s to 1 h.
  std::chrono::seconds hold{30};

  // Leases grow up to this size, in ids. A row with a larger step leases its step. For callers that
  // wait for more ids at once, one lease has up to kRangeIdsMax. 1 to kLeaseIdsMax.
  std::int64_t lease_max_ids = 10000000;

  // Threads that call the store, each with one lease at a time. 1 to 64.
  int refill_threads = 2;

  // A failed lease is tried again after backoff_min, then after twice that, up to backoff_max. Each
  // pause has jitter. 1 ms <= backoff_min <= backoff_max <= 1 min.
  std::chrono::milliseconds backoff_min{20};
  std::chrono::milliseconds backoff_max{1000};

  // How long "no such tag", or another error that somebody must fix, is remembered before the store
  // is asked again. 1 ms to 10 min.
  std::chrono::milliseconds unknown_tag_ttl{1000};

  // How long shutdown() waits for leases in progress. It does not wait for a store that hangs
  // longer. 0 to 10 min.
  std::chrono::milliseconds shutdown_timeout{3000};

  // Must not use the allocator, except to shut it down or destroy it. May be empty.
  LogCallback log;
};

// OK, or kInvalidArgument with the name of the option and its bounds.
FEATHERID_EXPORT Status validate(const AllocatorOptions& options);

}  // namespace featherid

#endif  // FEATHERID_OPTIONS_H_
