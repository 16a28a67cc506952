// SPDX-License-Identifier: MIT
#include "featherid/id_cursor.h"

#include <algorithm>

#include "lib/invariant.h"

namespace featherid::internal {

IdRange IdCursor::claim(std::int64_t least, std::int64_t most) {
  FEATHERID_INVARIANT(1 <= least && least <= most, least, most);
  // acquire: as in claim_one().
  std::uint64_t word = word_.load(std::memory_order_acquire);
  for (;;) {
    const Slot& slot = slot_of(word);
    const std::int64_t first = slot.first.load(std::memory_order_acquire);
    const std::uint32_t size = slot.size.load(std::memory_order_acquire);
    const std::uint32_t offset = offset_of(word);
    if (slot.generation.load(std::memory_order_relaxed) != generation_of(word)) {
      word = word_.load(std::memory_order_acquire);
      continue;
    }
    const std::int64_t left = std::int64_t{size} - offset;
    if (left < least) return {};
    const std::int64_t taken = std::min(left, most);
    // Unlike fetch_add this never passes the end, so a large claim cannot push the offset far. When
    // it succeeds the word had not changed, so neither had the slot.
    if (word_.compare_exchange_weak(word, word + static_cast<std::uint64_t>(taken),
                                    std::memory_order_acquire, std::memory_order_acquire)) {
      return {first + offset, first + offset + taken};
    }
  }
}

IdRange IdCursor::replace(IdRange next) {
  FEATHERID_INVARIANT(next.size() <= kSegmentIdsMax, next.first, next.end);
  FEATHERID_INVARIANT(next.empty() || (next.first >= 1 && next.last() <= kIdMax), next.first,
                      next.end);
  // relaxed: only replace() changes the generation, and one thread at a time runs it.
  const std::uint32_t generation = generation_of(word_.load(std::memory_order_relaxed)) + 1;
  Slot& slot = slots_[generation % kSlots];
  // The generation goes first: a claimant that still holds the slot's former generation and reads
  // the new first or size (release here, acquire there) then sees that its generation is gone.
  slot.generation.store(generation, std::memory_order_relaxed);
  slot.first.store(next.first, std::memory_order_release);
  slot.size.store(static_cast<std::uint32_t>(next.size()), std::memory_order_release);
  // release: publishes the slot to claimants. acquire is not needed for the tail: this thread wrote
  // the slot that the old word speaks of, or took over from the one that did under a mutex.
  return tail_of(word_.exchange(std::uint64_t{generation} << 32, std::memory_order_acq_rel));
}

IdRange IdCursor::tail_of(std::uint64_t word) const {
  const Slot& slot = slot_of(word);
  const std::uint32_t size = slot.size.load(std::memory_order_relaxed);
  const std::uint32_t offset = offset_of(word);
  if (offset >= size) return {};
  const std::int64_t first = slot.first.load(std::memory_order_relaxed);
  return {first + offset, first + size};
}

std::int64_t IdCursor::remaining() const {
  for (;;) {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    const Slot& slot = slot_of(word);
    const std::uint32_t size = slot.size.load(std::memory_order_acquire);
    if (slot.generation.load(std::memory_order_relaxed) != generation_of(word)) continue;
    return std::max<std::int64_t>(0, std::int64_t{size} - offset_of(word));
  }
}

}  // namespace featherid::internal
