// SPDX-License-Identifier: MIT
#ifndef FEATHERID_INTERNAL_ID_CURSOR_H_
#define FEATHERID_INTERNAL_ID_CURSOR_H_

#include <atomic>
#include <cstdint>

#include "featherid/id_range.h"
#include "featherid/internal/export.h"
#include "featherid/internal/fork_guard.h"

namespace featherid::internal {

// The lock-free core of a tag: issues the ids of one chunk of the leased ids at a time. Public only
// so that Sequence::next() can be inlined; applications use Sequence.
//
// One 64-bit word holds the next id. The limit beside it is the end of the chunk. A claim reads the
// limit and then adds 1 to the word. The id it took from the word is its own if it is below the
// limit. Why no id is claimed twice:
//   - While a chunk is open, every claim gets another id from the word.
//   - Claims past the end move the word through ids that the next chunk may begin with. These ids
//     are above the limit that their claimants read. replace() first closes the word, to a value
//     above every limit. Only then does it write the new limit and open the word with the new first
//     id. So a thread that reads the new limit finds the word closed, or the new chunk, and nothing
//     older.
//   - A thread that read an older limit may find a newer chunk. Ends never go back, so an id below
//     that limit is in the new chunk too. An id at or above it is lost: a gap of one.
//
// A limit is stored minus the fork epoch of its process, and a claim adds the current epoch. In a
// child made by fork(), whose epoch is lower or still 0, the limits of the parent's chunks are
// therefore below their first id.
//
// Layout: the limit comes first, and the word 16 bytes later, so that an owner can place the border
// of two cache lines between them (tag_state.h). Claims write the word's line. The limit's line is
// only read until the chunk ends, so it may hold other data that a claim reads.
//
// Threads: claims from any number of threads at once; replace() and end() from one thread at a time
// (the owner's mutex). Nothing is ever freed, so a claim needs no protection from reclamation.
class FEATHERID_EXPORT alignas(16) IdCursor {
 public:
  static constexpr std::int64_t kChunkIdsMax = std::int64_t{1} << 30;

  IdCursor() = default;
  IdCursor(const IdCursor&) = delete;
  IdCursor& operator=(const IdCursor&) = delete;

  // One id that nobody else gets, or 0 when the chunk is used up.
  std::int64_t claim_one() {
    const std::uint64_t limit = current_limit();
    // relaxed: it must only come after the limit, and the acquire there ensures that.
    const std::uint64_t word = word_.fetch_add(1, std::memory_order_relaxed);
    if (word >= limit) return 0;
    const std::int64_t id = id_of(word);
    FEATHERID_ASSUME(id != 0);  // saves the caller's test
    return id;
  }

  // At least `least` and at most `most` ids in one range, or an empty range when fewer are left in
  // the chunk; then nothing is claimed. 1 <= least <= most.
  IdRange claim(std::int64_t least, std::int64_t most);

  // Installs `next` (empty: the cursor closes) and returns what was not claimed of the previous
  // chunk. This is exact: each id of that chunk is either in the returned range or has exactly one
  // claimant. (An id that a claimant took while chunks changed may be lost.) In a child made by
  // fork() the parent's chunk counts as used up. `next` may begin with what was returned, but not
  // below it, and must not end before end(). next.size() <= kChunkIdsMax.
  IdRange replace(IdRange next);

  // Makes stopped() true: nothing that was claimed here may be used any more. The cursor must be
  // closed, and stays closed until start().
  void stop();
  void start();
  bool stopped() const {
    return limit_.load(std::memory_order_relaxed) == kStopped;  // a flag alone: no partner
  }

  // The end of the newest chunk so far; 0 before the first.
  std::int64_t end() const { return end_; }

  // Ids left in the chunk at some moment during the call. It may be 0 while replace() runs.
  std::int64_t remaining() const;

 private:
  friend struct IdCursorTestPeer;  // puts the word near its bounds

  // Word and limit hold ids with kBias added, so that a limit minus an epoch is still above 0, and
  // above kStopped. A closed word leaves room for 2^61 claims, more than any process makes.
  static constexpr std::uint64_t kBias = std::uint64_t{1} << 62;
  static constexpr std::uint64_t kClosed = std::uint64_t{7} << 61;
  static constexpr std::uint64_t kStopped = std::uint64_t{1} << 61;  // a limit below every word

  static std::int64_t id_of(std::uint64_t word) { return static_cast<std::int64_t>(word - kBias); }
  static std::uint64_t word_of(std::int64_t id) { return static_cast<std::uint64_t>(id) + kBias; }

  // acquire: pairs with the release in replace(), so the word is read no older than closed.
  std::uint64_t current_limit() const {
    return limit_.load(std::memory_order_acquire) + fork_epoch.value;
  }

  std::atomic<std::uint64_t> limit_{kBias - own_fork_epoch()};
  std::int64_t end_ = 0;  // of the newest chunk; replace()'s
  std::atomic<std::uint64_t> word_{kClosed};
  std::int64_t unclaimed_from_ = 1;  // from here on nothing was claimed; replace()'s
};

}  // namespace featherid::internal

#endif  // FEATHERID_INTERNAL_ID_CURSOR_H_
