// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SEQUENCE_H_
#define FEATHERID_SEQUENCE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/internal/export.h"
#include "featherid/internal/fork_guard.h"
#include "featherid/internal/id_cursor.h"
#include "featherid/period.h"
#include "featherid/status.h"

namespace featherid {

class LocalBlock;
class TagState;

// Called once, with the ids or with the error that ended the wait. It runs on a thread of the
// allocator, or inside the call that it was passed to. It must be quick, and must not block or
// throw (an exception is dropped). It may use the allocator's try_ and _async calls and shutdown(),
// and may destroy the allocator.
using IdsCallback = std::function<void(Result<std::vector<IdRange>>)>;

// The same for a tag with periods.
using PeriodIdsCallback = std::function<void(Result<PeriodRanges>)>;

// The handle of one tag: a pointer, which is cheap to copy. A move copies it. It may outlive its
// allocator; it then returns kFailedPrecondition. Threads: all methods may be called from any
// thread at once. An assignment to a handle is a write: no other thread may use that handle
// meanwhile.
//
// Errors of next, next_range, next_consecutive, and of these with try_:
//   kNotFound            the store has no such tag (it is asked again after unknown_tag_ttl)
//   kUnavailable         try_: no id is in memory now, which never changes for a tag of strict
//                        order (TagOrder). Otherwise: the store has been failing for
//                        longer than wait_timeout, so the call does not wait; the message has the
//                        store's error
//   kDeadlineExceeded    no id arrived in time; the message has the store's last error
//   kExhausted, kDataLoss, kInvalidArgument   as status.h says
//   kFailedPrecondition  as status.h says; also for a tag with periods, which has calls of its own
//                        (next_in_period)
class FEATHERID_EXPORT Sequence {
 public:
  Sequence(const Sequence&) = default;
  Sequence& operator=(const Sequence&) = default;

  // The next id. While memory holds ids it returns at once, without a lock or a system call.
  // Otherwise it waits, at most for the allocator's wait_timeout. In one process the ids of one tag
  // increase strictly.
  Result<std::int64_t> next() {
    if (const std::int64_t id = cursor_->claim_one(); id != 0) return id;
    return next_slow(*state_);
  }
  // The same, but waits no longer than `timeout`.
  Result<std::int64_t> next(std::chrono::milliseconds timeout);

  // The next id if memory holds one. Never waits. If none is left, it asks for ids in the
  // background.
  Result<std::int64_t> try_next() {
    if (const std::int64_t id = cursor_->claim_one(); id != 0) return id;
    return try_next_slow(*state_);
  }

  // Returns exactly `count_ids` ids (1 to kRangeIdsMax) as a few ranges in increasing order, or an
  // error and no ids. The cost does not grow with the count.
  Result<std::vector<IdRange>> next_range(std::int64_t count_ids);
  Result<std::vector<IdRange>> next_range(std::int64_t count_ids,
                                          std::chrono::milliseconds timeout);
  Result<std::vector<IdRange>> try_next_range(std::int64_t count_ids);

  // The same, but the ids are consecutive: one range. If memory holds no range that is large
  // enough, the call waits for a lease of one, even if memory holds more ids in pieces. The ids
  // that memory holds below the range become a gap, so that the ids of the process still increase.
  // kExhausted: the tag has fewer ids left before its cap. Calls for fewer ids are still served.
  Result<IdRange> next_consecutive(std::int64_t count_ids);
  Result<IdRange> next_consecutive(std::int64_t count_ids, std::chrono::milliseconds timeout);
  Result<IdRange> try_next_consecutive(std::int64_t count_ids);

  // Like next_range(), but does not wait: it calls back with the ids, or with the error. A timeout
  // (kDeadlineExceeded) may be reported late, at the tag's next activity. A caller that must know
  // in time needs a timer of its own. Ids that come after that are lost (a gap).
  //
  // If called in a callback of the same tag, it returns without calling back. If ids are there, the
  // new callback runs when the first one has returned. If there is an error, it runs when the store
  // has been asked again. A final refusal (shut down, kDataLoss, a fork) is reported at once, and a
  // callback passed there is dropped.
  void next_range_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                        IdsCallback callback);
  // The same for next_consecutive(): it calls back with one range.
  void next_consecutive_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                              IdsCallback callback);

  // The same for a tag with periods (PeriodRule). Such a tag refuses the calls above with
  // kFailedPrecondition, and every other tag refuses these. Each answer names the period, and all
  // ids of one call are of one period. By the store's clock, no id comes before its period has
  // begun, or more than a second after it has ended. Each call locks a mutex and reads the time.
  // next_range_in_period_async() also calls back with kUnavailable if the period ended before the
  // callback ran.
  Result<PeriodId> next_in_period();
  Result<PeriodId> next_in_period(std::chrono::milliseconds timeout);
  Result<PeriodId> try_next_in_period();
  Result<PeriodRanges> next_range_in_period(std::int64_t count_ids);
  Result<PeriodRanges> next_range_in_period(std::int64_t count_ids,
                                            std::chrono::milliseconds timeout);
  Result<PeriodRanges> try_next_range_in_period(std::int64_t count_ids);
  void next_range_in_period_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                                  PeriodIdsCallback callback);
  // Whether the tag has periods, as far as this process knows. False until the row has been read.
  bool has_period() const;

  // A block of ids for the use of one thread.
  LocalBlock local(std::int64_t block_ids = 1024) const;

  std::string tag() const;  // by value: the text may end with the last handle

 private:
  friend class LocalBlock;
  friend class SegmentAllocator;
  explicit Sequence(std::shared_ptr<TagState> state);

  // Static, so that a handle in a local variable can stay in registers.
  FEATHERID_COLD static Result<std::int64_t> next_slow(TagState& state);
  FEATHERID_COLD static Result<std::int64_t> try_next_slow(TagState& state);

  internal::IdCursor* cursor_;  // inside *state_
  std::shared_ptr<TagState> state_;
};

// Ids for one thread. next() is a plain increment. The block takes `block_ids` ids (1 to
// kRangeIdsMax) from the sequence at a time. Ids of different blocks interleave, so order holds
// only within one block. The ids that are left in a block when it is destroyed become a gap. A tag
// of strict order refuses (kFailedPrecondition), because a block holds ids in memory. A block is
// not thread-safe. Like everything else, it refuses in a child after fork(), after a shutdown, and
// once its tag has stopped (kDataLoss).
class FEATHERID_EXPORT LocalBlock {
 public:
  // Errors as Sequence::next().
  Result<std::int64_t> next() {
    if (next_ != end_ && !sequence_.cursor_->stopped() && !fork_guard_.forked()) return next_++;
    IdRange rest{next_, end_};
    Result<std::int64_t> first = next_slow(*sequence_.state_, block_ids_, &rest);
    next_ = rest.first;
    end_ = rest.end;
    return first;
  }

  LocalBlock(LocalBlock&& other) noexcept
      : sequence_(other.sequence_),  // copied: a moved-from block stays usable, and empty
        block_ids_(other.block_ids_),
        next_(std::exchange(other.next_, 0)),
        end_(std::exchange(other.end_, 0)),
        fork_guard_(other.fork_guard_) {}
  LocalBlock& operator=(LocalBlock&& other) noexcept {
    sequence_ = other.sequence_;
    block_ids_ = other.block_ids_;
    next_ = std::exchange(other.next_, 0);
    end_ = std::exchange(other.end_, 0);
    fork_guard_ = other.fork_guard_;
    return *this;
  }
  LocalBlock(const LocalBlock&) = delete;  // a copy would hand out the same ids
  LocalBlock& operator=(const LocalBlock&) = delete;

 private:
  friend class Sequence;
  LocalBlock(const Sequence& sequence, std::int64_t block_ids);

  // Takes a new block: returns its first id, and puts the others into `rest`. After an error `rest`
  // is unchanged. Static, so that a block in a local variable can stay in registers.
  FEATHERID_COLD static Result<std::int64_t> next_slow(TagState& state, std::int64_t block_ids,
                                                       IdRange* rest);

  Sequence sequence_;
  std::int64_t block_ids_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  internal::ForkGuard fork_guard_;
};

}  // namespace featherid

#endif  // FEATHERID_SEQUENCE_H_
