// SPDX-License-Identifier: MIT
#include "featherid/internal/id_cursor.h"

#include <algorithm>

#include "lib/base/invariant.h"

namespace featherid::internal {

IdRange IdCursor::claim(std::int64_t least, std::int64_t most) {
  FEATHERID_INVARIANT(1 <= least && least <= most, least, most);
  for (;;) {
    const std::uint64_t limit = current_limit();
    // relaxed, here and below: as in claim_one().
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    if (word >= limit) return {};
    const auto left = static_cast<std::int64_t>(limit - word);
    if (left < least) return {};
    const std::int64_t taken = std::min(left, most);
    // Unlike fetch_add, this never passes the end, so no id is lost. The word may have been closed
    // and opened again at the same id since. That does no harm: the id is still unclaimed.
    if (word_.compare_exchange_weak(word, word + static_cast<std::uint64_t>(taken),
                                    std::memory_order_relaxed)) {
      return {id_of(word), id_of(word) + taken};
    }
  }
}

IdRange IdCursor::replace(IdRange next) {
  // relaxed: only the order between the word and the limit matters, and the release below ensures
  // that.
  const std::uint64_t last = word_.exchange(kClosed, std::memory_order_relaxed);
  IdRange tail;
  if (last < kClosed) {
    const bool forked = word_of(end_) > current_limit();
    // As words: claims past the end of the last possible ids exceed what an id can be.
    const std::int64_t claimed_to = id_of(std::min(last, word_of(end_)));
    FEATHERID_INVARIANT(claimed_to >= unclaimed_from_, claimed_to, unclaimed_from_);
    if (!forked) tail = {claimed_to, end_};
    unclaimed_from_ = forked ? end_ : claimed_to;
  }
  if (next.empty()) return tail;

  FEATHERID_INVARIANT(!stopped(), next.first, next.end);
  FEATHERID_INVARIANT(next.size() <= kChunkIdsMax, next.first, next.end);
  FEATHERID_INVARIANT(next.first >= unclaimed_from_, next.first, unclaimed_from_);
  FEATHERID_INVARIANT(next.end >= end_ && next.last() <= kIdMax, next.end, end_);
  unclaimed_from_ = next.first;
  end_ = next.end;
  // release: a thread that reads this limit (acquire) finds the word closed or newer.
  limit_.store(word_of(end_) - own_fork_epoch(), std::memory_order_release);
  // release: so that this comes after the limit, and no claimant loses an id needlessly.
  word_.store(word_of(next.first), std::memory_order_release);
  return tail;
}

void IdCursor::stop() {
  // relaxed: claimants find the word closed, whichever limit they read.
  FEATHERID_INVARIANT(word_.load(std::memory_order_relaxed) >= kClosed, end_, unclaimed_from_);
  limit_.store(kStopped, std::memory_order_relaxed);
}

void IdCursor::start() {
  // relaxed: claimants find the word closed, whichever limit they read.
  FEATHERID_INVARIANT(word_.load(std::memory_order_relaxed) >= kClosed, end_, unclaimed_from_);
  limit_.store(kBias - own_fork_epoch(), std::memory_order_relaxed);
}

std::int64_t IdCursor::remaining() const {
  const std::uint64_t limit = current_limit();
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  return word < limit ? static_cast<std::int64_t>(limit - word) : 0;
}

}  // namespace featherid::internal
