// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SEGMENT_ALLOCATOR_H_
#define FEATHERID_SEGMENT_ALLOCATOR_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/export.h"
#include "featherid/fork_guard.h"
#include "featherid/segment_store.h"
#include "featherid/sequence.h"
#include "featherid/status.h"

namespace featherid {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Receives the library's log lines, on any thread. It must be quick, and must not use the allocator
// except to shut it down or destroy it.
using LogCallback = std::function<void(LogLevel level, std::string_view message)>;

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

  // How many names that are not (yet) known to be tags are remembered at once. Each is looked up at
  // most once per unknown_tag_ttl. Raise it if the application makes more handles than this before
  // it uses them. 16 to 1,000,000.
  int unknown_tags_max = 1024;

  // How many of these names per second may be forgotten in favour of new ones. Each costs one more
  // look-up. Other new names are refused (kUnavailable), repeated names last. 1 to 1,000,000.
  int unknown_lookups_per_second_max = 500;

  // How long shutdown() waits for leases in progress. It does not wait for a store that hangs
  // longer. 0 to 10 min.
  std::chrono::milliseconds shutdown_timeout{3000};

  LogCallback log;  // may be empty
};

// OK, or kInvalidArgument with the name of the option and its bounds.
FEATHERID_EXPORT Status validate(const AllocatorOptions& options);

// What a tag has done in this process so far.
struct TagStats {
  std::string tag;
  std::int64_t issued_ids = 0;
  std::int64_t held_ids = 0;  // leased and not yet issued
  std::int64_t returned_ids = 0;
  double burn_ids_per_second = 0;  // a mean over one hold, up to now
  std::int64_t leases = 0;
  std::int64_t lease_failures = 0;
  std::int64_t waits = 0;  // calls that found no id in memory
  std::chrono::microseconds last_lease_latency{0};
  Status last_error;  // of the last lease; OK once one succeeds
};

// How long the store took for leases, over all tags and including failed leases.
struct LeaseLatency {
  static constexpr std::array<std::chrono::microseconds, 12> kBounds{
      std::chrono::microseconds(250), std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::milliseconds(2),
      std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
      std::chrono::milliseconds(25),  std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::seconds(5)};

  // counts[i]: the leases that took longer than kBounds[i - 1], and at most kBounds[i]. The last
  // one: the leases that took longer than every bound.
  std::array<std::int64_t, kBounds.size() + 1> counts{};
  std::chrono::microseconds sum{0};
};

// Issues ids for every tag of one store. Make one per process and share it.
//
// Threads: every method may be called from any thread at once. Destroying the allocator ends
// waiting calls with kFailedPrecondition, but no new call may begin.
//
// fork(): the child's copy refuses with kFailedPrecondition and shares nothing. Make a new store
// and a new allocator there (soci_store.h says when a child must exec first).
//
// Errors: as in sequence.h, and kInvalidArgument for a malformed tag or count. Every call that can
// fail returns
//   the error of validate()   if it refuses the options
//   kUnavailable              if no refill thread can be started
//   kFailedPrecondition       if the process is not protected against fork()
//
// Memory: if an allocation fails, std::bad_alloc reaches the caller of this class, of Sequence or
// of LocalBlock. At most the ids of that call are lost (a gap), and the next call works normally.
// Refill threads treat it as a failed lease and continue. Destruction and shutdown() require no
// memory.
class FEATHERID_EXPORT SegmentAllocator {
 public:
  // Starts the refill threads. Does not call the store until a tag is used. Do not pass the last
  // argument: it tells the library which fork protection the application sees.
  explicit SegmentAllocator(std::shared_ptr<SegmentStore> store, AllocatorOptions options = {},
                            const internal::ForkEpoch& seen = internal::fork_epoch);
  ~SegmentAllocator();  // shutdown()
  SegmentAllocator(const SegmentAllocator&) = delete;
  SegmentAllocator& operator=(const SegmentAllocator&) = delete;

  // A handle for hot loops. Does not call the store: an unknown tag shows at the first next().
  Result<Sequence> sequence(std::string_view tag);

  // Like the methods of Sequence, but by name. Each call costs one look-up in a table that is only
  // read.
  Result<std::int64_t> next_id(std::string_view tag);
  Result<std::int64_t> try_next_id(std::string_view tag);
  Result<std::vector<IdRange>> next_range(std::string_view tag, std::int64_t count_ids);
  Result<std::vector<IdRange>> try_next_range(std::string_view tag, std::int64_t count_ids);

  // Every tag that has been used and exists, in no particular order.
  std::vector<TagStats> stats() const;

  // Whether any tag holds ids in memory. Cheaper than stats().
  bool holds_ids() const;

  LeaseLatency lease_latency() const;

  // Stops issuing ids, ends waiting calls, gives each unused tail back to the store if nobody has
  // leased after it, and joins the threads. Takes at most shutdown_timeout plus one store call.
  // Returns how many ids were given back. Later calls for ids return kFailedPrecondition; a second
  // shutdown() returns 0 at once. It must return before the allocator is destroyed, except in a
  // callback.
  //
  // If called in a callback of the allocator, it waits only for the other threads. If called inside
  // a store call (including the store's warnings), it waits for no thread and gives nothing back,
  // because the store may hold a lock.
  std::int64_t shutdown();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with a running shutdown()
};

}  // namespace featherid

#endif  // FEATHERID_SEGMENT_ALLOCATOR_H_
