// SPDX-License-Identifier: MIT
#include "featherid/id_cursor.h"

#include <algorithm>

#include "lib/invariant.h"

namespace featherid::internal {

namespace {

constexpr std::uint64_t kGeneration = std::uint64_t{1} << 32;

std::uint64_t generation_of(std::uint64_t word) { return word / kGeneration; }

// In a closed generation there is no segment: between two of them, and after the last.
bool is_closed(std::uint64_t word) { return generation_of(word) % 2 == 1; }

// Word and start of a segment lie this far apart only across a fork (or when a thread slept between
// reading them for tens of thousands of segments, which then counts as finding nothing).
bool is_parents(std::uint64_t word, std::uint64_t start) {
  return word - start + kForkEpochUnit / 2 >= kForkEpochUnit;
}

}  // namespace

std::int64_t IdCursor::claim_one_slow(std::uint64_t word) {
  for (;;) {
    if (is_closed(word)) {
      // Callers may go on asking a cursor that stays closed for ever. Nobody else resets its offset
      // then; only from exactly this word, so that a generation opened since is left alone.
      std::uint64_t expected = word + 1;
      if (static_cast<std::uint32_t>(word) >> 31 != 0) {
        word_.compare_exchange_strong(expected, generation_of(word) * kGeneration,
                                      std::memory_order_acq_rel, std::memory_order_relaxed);
      }
      return 0;
    }
    const std::uint64_t start = start_of_segment();
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    const std::uint64_t size = size_.load(std::memory_order_relaxed);
    // Adding nothing proves, as in claim_one(), that the record is still that of `word`.
    const std::uint64_t now = word_.fetch_add(0, std::memory_order_acq_rel);
    const bool current = generation_of(now) == generation_of(word);
    if (current && word - start < size) return first + static_cast<std::int64_t>(word - start);
    if (current && generation_of(start) == generation_of(word)) return 0;
    if (is_parents(word, start)) return 0;
    // Segments race by: what `word` was worth is lost.
    word = word_.fetch_add(1, std::memory_order_acq_rel);
  }
}

IdRange IdCursor::claim(std::int64_t least, std::int64_t most) {
  FEATHERID_INVARIANT(1 <= least && least <= most, least, most);
  for (;;) {
    // The orders are those of claim_one().
    const std::uint64_t start = start_of_segment();
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    const std::uint64_t size = size_.load(std::memory_order_relaxed);
    std::uint64_t word = word_.load(std::memory_order_acquire);
    const std::uint64_t offset = word - start;
    if (offset >= size) {
      // Used up, closed, the parent's, or a record of another segment: only the last is worth
      // another look.
      if (is_closed(word) || generation_of(word) == generation_of(start)) return {};
      if (is_parents(word, start)) return {};
      continue;
    }
    const auto left = static_cast<std::int64_t>(size - offset);
    if (left < least) return {};
    const std::int64_t taken = std::min(left, most);
    // Unlike fetch_add this never passes the end, so a large claim cannot push the offset far.
    if (word_.compare_exchange_weak(word, word + static_cast<std::uint64_t>(taken),
                                    std::memory_order_acq_rel, std::memory_order_relaxed)) {
      const std::int64_t begin = first + static_cast<std::int64_t>(offset);
      return {begin, begin + taken};
    }
  }
}

IdRange IdCursor::replace(IdRange next) {
  FEATHERID_INVARIANT(next.size() <= kSegmentIdsMax, next.first, next.end);
  FEATHERID_INVARIANT(next.empty() || (next.first >= 1 && next.last() <= kIdMax), next.first,
                      next.end);
  // relaxed: only replace() changes the generation, and one thread at a time runs it.
  const std::uint64_t generation = generation_of(word_.load(std::memory_order_relaxed));
  const std::uint64_t closed = ((generation + 1) | 1) * kGeneration;
  // acquire: pairs with the release in the claims, whose reads of the record come before the writes
  // below.
  const std::uint64_t last = word_.exchange(closed, std::memory_order_acq_rel);

  // This thread wrote the record, or took over under the owner's mutex from the one that did.
  const std::uint64_t offset = last - start_of_segment();
  const std::uint64_t size = size_.load(std::memory_order_relaxed);
  const std::int64_t first = first_.load(std::memory_order_relaxed);
  IdRange tail;
  if (offset < size) {
    tail = {first + static_cast<std::int64_t>(offset), first + static_cast<std::int64_t>(size)};
  }
  if (next.empty()) return tail;

  first_.store(next.first, std::memory_order_relaxed);
  size_.store(static_cast<std::uint64_t>(next.size()), std::memory_order_relaxed);
  // release: whoever reads the origin (acquire) reads no older first and size. A mixture of the old
  // origin with newer ones does no harm: the word has left that generation.
  origin_.store(closed + kGeneration - current_fork_epoch(), std::memory_order_release);
  // release: whoever claims in the new generation (acquire) finds its record.
  word_.store(closed + kGeneration, std::memory_order_release);
  return tail;
}

std::int64_t IdCursor::remaining() const {
  const std::uint64_t start = start_of_segment();
  const std::uint64_t size = size_.load(std::memory_order_relaxed);
  const std::uint64_t offset = word_.load(std::memory_order_acquire) - start;
  return offset < size ? static_cast<std::int64_t>(size - offset) : 0;
}

}  // namespace featherid::internal
