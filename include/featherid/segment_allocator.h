// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SEGMENT_ALLOCATOR_H_
#define FEATHERID_SEGMENT_ALLOCATOR_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "featherid/internal/export.h"
#include "featherid/internal/fork_guard.h"
#include "featherid/options.h"
#include "featherid/segment_store.h"
#include "featherid/sequence.h"
#include "featherid/stats.h"
#include "featherid/status.h"

namespace featherid {

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
  // argument: it shows the library which copy of the fork epoch the application uses.
  explicit SegmentAllocator(std::shared_ptr<SegmentStore> store, AllocatorOptions options = {},
                            const internal::ForkEpoch& seen = internal::fork_epoch);
  ~SegmentAllocator();  // shutdown()
  SegmentAllocator(const SegmentAllocator&) = delete;
  SegmentAllocator& operator=(const SegmentAllocator&) = delete;

  // A handle for hot loops. Does not call the store: an unknown tag shows at the first next().
  // An application that makes handles of more than 1024 tags before it uses them gets kUnavailable:
  // use each handle as you make it.
  Result<Sequence> sequence(std::string_view tag);

  // Like the methods of Sequence, but by tag. Each call costs one look-up in a table, which writes
  // no shared memory.
  Result<std::int64_t> next_id(std::string_view tag);
  Result<std::int64_t> try_next_id(std::string_view tag);
  Result<std::vector<IdRange>> next_range(std::string_view tag, std::int64_t count_ids);
  Result<std::vector<IdRange>> try_next_range(std::string_view tag, std::int64_t count_ids);

  // Drops the ids of the tag that this process holds, and those of a lease under way. They are lost
  // (a gap). Call it before TagAdmin::rewind(), so that this process holds none of the ids that
  // others will lease again. A LocalBlock keeps its ids if nobody uses it before the tag's next
  // lease.
  void drop(std::string_view tag);

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
  // a store call (including the store's log callback), it waits for no thread and gives nothing
  // back, because the store may hold a lock.
  std::int64_t shutdown();

 private:
  struct FEATHERID_LOCAL Impl;
  std::shared_ptr<Impl> impl_;  // shared with a running shutdown()
};

}  // namespace featherid

#endif  // FEATHERID_SEGMENT_ALLOCATOR_H_
