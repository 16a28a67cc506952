// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ID_CURSOR_H_
#define FEATHERID_ID_CURSOR_H_

#include <atomic>
#include <cstdint>

#include "featherid/export.h"
#include "featherid/fork_guard.h"
#include "featherid/id_range.h"

namespace featherid::internal {

// The lock-free heart of a tag: hands out the ids of one segment at a time. Public only so that
// Sequence::next() can be inlined; applications use Sequence.
//
// One 64-bit word holds `generation << 32 | offset`, and beside it stands the record of the segment
// that the generation numbers: its origin (the word that the segment began with, less the fork
// epoch of its process), first id and size. A claim reads the record and then adds 1 to the word;
// the word less origin and fork epoch is the offset, and it is below the size only if the two speak
// of the same segment and of this process. So in a child made by fork() no claim of the parent's
// copy succeeds: word and origin lie at most a few generations apart, which an epoch's unit, 2^16
// of them, dwarfs.
//
// Why the record cannot change in between: replace() first moves the word to a closed (odd)
// generation and only then writes the record. A claim that got the old generation from its
// fetch_add precedes that move in the order of all changes of the word, so its reads of the record
// precede the writes.
//
// The offset must never carry into the generation. A segment has at most kSegmentIdsMax = 2^30 ids;
// past its end only claim_one() adds, 1 at a time, and a thread that got 0 must call replace(), or
// see crowded() false under the mutex that replace() is called with, before it claims again
// (TagState does), while claims from a closed cursor take the offset back themselves. So the offset
// stays about 2^31 plus the number of threads, and 2^31 threads do not exist. The generation may
// wrap: a stale record is taken for a new one only by a thread that sleeps between two instructions
// for exactly a multiple of 2^31 segments.
//
// Threads: claims from any number of threads at once; replace() from one thread at a time (the
// owner's mutex). Nothing is ever freed, so a claim needs no protection from reclamation.
class FEATHERID_EXPORT IdCursor {
 public:
  static constexpr std::int64_t kSegmentIdsMax = std::int64_t{1} << 30;

  IdCursor() = default;
  IdCursor(const IdCursor&) = delete;
  IdCursor& operator=(const IdCursor&) = delete;

  // One id that nobody else gets, or 0 when the segment is used up.
  std::int64_t claim_one() {
    // acquire: pairs with the release of origin_ in replace(), so first_ and size_ are no older.
    const std::uint64_t origin = origin_.load(std::memory_order_acquire);
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    const std::uint64_t size = size_.load(std::memory_order_relaxed);
    // release: pairs with the acquire in replace(), so the three reads come before its writes;
    // acquire: pairs with its release of the word, for claim_one_slow().
    const std::uint64_t word = word_.fetch_add(1, std::memory_order_acq_rel);
    const std::uint64_t offset = word - origin - current_fork_epoch();
    if (offset < size) return first + static_cast<std::int64_t>(offset);
    return claim_one_slow(word);
  }

  // At least `least` and at most `most` ids in one range, or an empty range when fewer are left in
  // the segment; then nothing is claimed. 1 <= least <= most.
  IdRange claim(std::int64_t least, std::int64_t most);

  // Installs `next` (empty: the cursor closes) and returns what was not claimed of the segment
  // before. Exact: each id of that segment is either in what is returned or with exactly one
  // claimant; but one that a claimant took while segments raced by may be lost. In a child made by
  // fork() the parent's segment counts as used up. next.size() <= kSegmentIdsMax.
  IdRange replace(IdRange next);

  // Ids left in the segment, at some moment during the call; while replace() runs, perhaps 0.
  std::int64_t remaining() const;

  // Claims past the end have piled up so far that replace() is due.
  bool crowded() const {
    // relaxed: nothing is read on the strength of it.
    return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed)) >> 31 != 0;
  }

 private:
  friend struct IdCursorTestPeer;  // puts the word near its bounds

  // The word that the segment in the record began with, if it is this process's.
  std::uint64_t start_of_segment() const {
    return origin_.load(std::memory_order_acquire) + current_fork_epoch();
  }

  // Finds out what `word`, which claim_one() got, entitles to: the record it read was of another
  // segment, or the segment is used up.
  FEATHERID_COLD std::int64_t claim_one_slow(std::uint64_t word);

  // Written by every claim, so alone on its cache line; the record changes only once a segment.
  alignas(64) std::atomic<std::uint64_t> word_{0};
  alignas(64) std::atomic<std::uint64_t> origin_{0};
  std::atomic<std::int64_t> first_{0};
  std::atomic<std::uint64_t> size_{0};
};

}  // namespace featherid::internal

#endif  // FEATHERID_ID_CURSOR_H_
