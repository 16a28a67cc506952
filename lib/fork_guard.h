// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORK_GUARD_H_
#define FEATHERID_LIB_FORK_GUARD_H_

#include <cstdint>

#include "featherid/id_cursor.h"

namespace featherid {

// Watches over one cursor: in a child made by fork() the cursor is closed before fork() returns, so
// that the child cannot repeat the parent's ids, at no cost to the fast path. (A child made by a
// raw clone() or _Fork(), which run no pthread_atfork() handlers, is not seen.)
class ForkGuard {
 public:
  explicit ForkGuard(internal::IdCursor& cursor);
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

  // This process is a child of the one that made the guard. Its threads are gone and its mutexes
  // may be held for ever: touch neither.
  bool forked() const;

 private:
  friend struct ForkGuardList;

  internal::IdCursor& cursor_;
  const std::uint32_t epoch_;
  ForkGuard* previous_ = nullptr;
  ForkGuard* next_ = nullptr;
};

// True when fork() has come between `epoch` (a past value of fork_epoch) and now.
inline bool forked_since(std::uint32_t epoch) {
  // relaxed: the epoch changes only inside fork(), which the child's only thread has gone through.
  return internal::fork_epoch.load(std::memory_order_relaxed) != epoch;
}

}  // namespace featherid

#endif  // FEATHERID_LIB_FORK_GUARD_H_
