// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ID_CURSOR_H_
#define FEATHERID_ID_CURSOR_H_

#include <atomic>
#include <cstdint>

#include "featherid/export.h"
#include "featherid/id_range.h"

namespace featherid::internal {

// The lock-free heart of a tag: hands out the ids of one segment at a time. Public only so that
// Sequence::next() can be inlined; applications use Sequence.
//
// One 64-bit word holds `generation << 32 | offset`. A claim of one id is one fetch_add; the
// generation names the slot that says which ids the offset counts in. A slot is written before its
// generation is published, and is reused kSlots generations later, so a claimant that slept through
// that many finds another generation in the slot: it has lost that id (a gap) and claims again.
//
// The offset must never carry into the generation. Valid offsets end at kSegmentIdsMax = 2^30; past
// that only claim_one() adds, 1 at a time, and each thread that gets 0 must call replace() or see
// it called (TagState does so under its mutex, see crowded()) before it claims again. So the offset
// stays under 2^31 + the number of threads, and 2^31 threads do not exist.
//
// Threads: claims from any number of threads at once; replace() from one thread at a time (the
// owner's mutex). Nothing is ever freed, so a claim needs no protection from reclamation.
class FEATHERID_EXPORT IdCursor {
 public:
  static constexpr std::int64_t kSegmentIdsMax = std::int64_t{1} << 30;

  IdCursor() = default;
  IdCursor(const IdCursor&) = delete;
  IdCursor& operator=(const IdCursor&) = delete;

  // One id that nobody else gets, or 0 when the segment is used up. Wait-free but for lost ids.
  std::int64_t claim_one() {
    for (;;) {
      // acquire: pairs with the release in replace() (and, through the other claims in between,
      // which are read-modify-writes, with its release sequence), so the slot of this generation is
      // seen.
      const std::uint64_t word = word_.fetch_add(1, std::memory_order_acquire);
      const Slot& slot = slot_of(word);
      const std::int64_t first = slot.first.load(std::memory_order_acquire);
      const std::uint32_t size = slot.size.load(std::memory_order_acquire);
      // The two acquires above pair with the releases in replace(): whoever read a later segment's
      // first or size also sees its generation here.
      if (slot.generation.load(std::memory_order_relaxed) != generation_of(word)) continue;
      const std::uint32_t offset = offset_of(word);
      return offset < size ? first + offset : 0;
    }
  }

  // At least `least` and at most `most` ids in one range, or an empty range when fewer are left in
  // the segment; then nothing is claimed. 1 <= least <= most.
  IdRange claim(std::int64_t least, std::int64_t most);

  // Installs `next` (empty: the cursor closes) and returns what was not claimed of the segment
  // before. Exact: an id is either in what is returned or was or will be got by exactly one
  // claimant or lost. next.size() <= kSegmentIdsMax.
  IdRange replace(IdRange next);

  // Ids left in the segment, at some moment during the call.
  std::int64_t remaining() const;

  // Claims past the end have piled up so far that replace() is due.
  bool crowded() const {
    return offset_of(word_.load(std::memory_order_relaxed)) >= (std::uint32_t{1} << 31);
  }

 private:
  friend struct IdCursorTestPeer;  // puts the word near its bounds

  static constexpr unsigned kSlots = 4;  // a power of two

  struct Slot {
    std::atomic<std::uint32_t> generation{0};
    std::atomic<std::uint32_t> size{0};
    std::atomic<std::int64_t> first{0};
  };

  static std::uint32_t generation_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32);
  }
  static std::uint32_t offset_of(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
  const Slot& slot_of(std::uint64_t word) const { return slots_[generation_of(word) % kSlots]; }

  // The tail of the segment that `word` speaks of; only for a word that is still current, or for
  // the caller of replace(), for whom no slot changes.
  IdRange tail_of(std::uint64_t word) const;

  // Written by every claim, so alone on its cache line; the slots change only once a segment.
  alignas(64) std::atomic<std::uint64_t> word_{0};
  alignas(64) Slot slots_[kSlots];
};

// Counts the forks that this process descends from: it differs from the value a thing was made with
// exactly when that thing belongs to the parent. Raised by a pthread_atfork() handler.
FEATHERID_EXPORT extern std::atomic<std::uint32_t> fork_epoch;

}  // namespace featherid::internal

#endif  // FEATHERID_ID_CURSOR_H_
