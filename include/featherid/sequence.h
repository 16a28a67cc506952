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

#include "featherid/export.h"
#include "featherid/fork_guard.h"
#include "featherid/id_cursor.h"
#include "featherid/id_range.h"
#include "featherid/status.h"

namespace featherid {

class LocalBlock;
class TagState;

// Called once, with OK when ids have come, or with the error that ended the wait. Runs on a thread
// of the allocator, or inside the call that registered it; it must be quick, must not block, must
// not throw (what it throws is dropped), and may use the allocator's try_ calls, on_ready and
// shutdown(), and destroy the allocator.
using ReadyCallback = std::function<void(const Status&)>;

// The handle of one tag: a pointer, cheap to copy; to move it is to copy it. It may outlive its
// allocator, and then answers kFailedPrecondition. Threads: all methods from any thread at once;
// assigning a handle is a write.
//
// Errors of next, try_next, next_range and try_next_range:
//   kNotFound            the store has no such tag (asked again after unknown_tag_ttl)
//   kUnavailable         try_: no id in memory now. Else: the store has been failing for longer
//   than
//                        wait_timeout already, so waiting is not worth while; the message says how
//   kDeadlineExceeded    no id came in time; the message holds the store's last error
//   kExhausted, kDataLoss, kInvalidArgument, kFailedPrecondition   as status.h says
class FEATHERID_EXPORT Sequence {
 public:
  Sequence(const Sequence&) = default;
  Sequence& operator=(const Sequence&) = default;

  // The next id. Returns at once, without a lock or a system call, while memory holds ids; else
  // waits until the allocator's wait_timeout. Ids come out strictly increasing for one tag in one
  // process.
  Result<std::int64_t> next() {
    if (const std::int64_t id = cursor_->claim_one(); id != 0) return id;
    return next_slow(*state_);
  }
  // The same, waiting no longer than `timeout`.
  Result<std::int64_t> next(std::chrono::milliseconds timeout);

  // The next id if memory holds one. Never waits; asks for ids in the background when none is left.
  Result<std::int64_t> try_next() {
    if (const std::int64_t id = cursor_->claim_one(); id != 0) return id;
    return try_next_slow(*state_);
  }

  // Exactly `count_ids` ids (1 to kRangeIdsMax), as few ranges in increasing order, or an error and
  // none. Its cost does not grow with the count.
  Result<std::vector<IdRange>> next_range(std::int64_t count_ids);
  Result<std::vector<IdRange>> next_range(std::int64_t count_ids,
                                          std::chrono::milliseconds timeout);
  Result<std::vector<IdRange>> try_next_range(std::int64_t count_ids);

  // Says when `count_ids` ids are in memory, or that the wait for them has failed. Ids seen then
  // may be gone when the caller comes for them: call on_ready again. A wait that passes `timeout`
  // ends with kDeadlineExceeded when the tag next stirs, which may be later; a caller that must be
  // told in time keeps a timer of its own.
  //
  // Inside a callback of the same tag it does not call back itself. If ids are there, the new
  // callback runs when the other has returned; if there is an error, when the store has been asked
  // again. What is refused for good (shut down, kDataLoss, a fork) is told at once, and a callback
  // that is registered from there is dropped.
  void on_ready(std::int64_t count_ids, std::chrono::milliseconds timeout, ReadyCallback callback);

  // A block of ids for the use of one thread.
  LocalBlock local(std::int64_t block_ids = 1024) const;

  std::string tag() const;  // by value: the name may go with the last handle

 private:
  friend class LocalBlock;
  friend class SegmentAllocator;
  explicit Sequence(std::shared_ptr<TagState> state);

  // Without `this`, so that a handle in a local variable can stay in registers.
  FEATHERID_COLD static Result<std::int64_t> next_slow(TagState& state);
  FEATHERID_COLD static Result<std::int64_t> try_next_slow(TagState& state);

  internal::IdCursor* cursor_;  // inside *state_
  std::shared_ptr<TagState> state_;
};

// One thread's own ids: next() is a plain increment, and takes `block_ids` (1 to kRangeIdsMax) from
// the sequence at a time. Ids of different blocks interleave, so order holds only within one block;
// what is left in a block when it is destroyed is a gap. Not thread-safe. In a child after fork(),
// after a shutdown and once its tag has stopped (kDataLoss) it refuses, as everything else does.
class FEATHERID_EXPORT LocalBlock {
 public:
  // Errors as Sequence::next().
  Result<std::int64_t> next() {
    if (next_ != end_ && !sequence_.cursor_->stopped() && !fork_guard_.forked()) return next_++;
    return next_slow();
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

  FEATHERID_COLD Result<std::int64_t> next_slow();

  Sequence sequence_;
  std::int64_t block_ids_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  internal::ForkGuard fork_guard_;
};

}  // namespace featherid

#endif  // FEATHERID_SEQUENCE_H_
