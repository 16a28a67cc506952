// SPDX-License-Identifier: MIT
#ifndef FEATHERID_FORK_GUARD_H_
#define FEATHERID_FORK_GUARD_H_

#include <cstdint>

#include "featherid/export.h"

namespace featherid::internal {

// Counts the forks that this process descends from, in units of kForkEpochUnit: it differs from the
// value that a thing was made with exactly when that thing is a copy of the parent's. Raised in the
// child, before fork() returns, by a pthread_atfork() handler. A cache line of its own, so that no
// neighbour's writes slow its readers, which are all claims of ids. Not atomic: the child has but
// the one thread when it is written, and a compiler makes one instruction of load and subtraction.
struct alignas(64) ForkEpoch {
  std::uint64_t value = 0;
};
FEATHERID_EXPORT extern ForkEpoch fork_epoch;

// More than the ids of one segment (id_cursor.h). A process descends from fewer than 2^29 forks.
constexpr std::uint64_t kForkEpochUnit = std::uint64_t{1} << 31;

inline std::uint64_t current_fork_epoch() { return fork_epoch.value; }

// A member of what must not be used in a child made by fork(): there the threads of the parent are
// gone and its mutexes may be held for ever. A child made by a raw clone() or _Fork(), which run no
// handlers, is not seen.
class ForkGuard {
 public:
  bool forked() const { return current_fork_epoch() != epoch_; }

 private:
  std::uint64_t epoch_ = current_fork_epoch();
};

}  // namespace featherid::internal

#endif  // FEATHERID_FORK_GUARD_H_
