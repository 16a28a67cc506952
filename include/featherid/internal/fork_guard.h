// SPDX-License-Identifier: MIT
#ifndef FEATHERID_INTERNAL_FORK_GUARD_H_
#define FEATHERID_INTERNAL_FORK_GUARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "featherid/internal/export.h"

namespace featherid::internal {

// Distinguishes a process from those that it was forked from. The kernel sets `value` to 0 in every
// child, before any code runs there (MADV_WIPEONFORK). The child then gives itself a value lower
// than those of all its ancestors. So an object was made in another process exactly if the value
// differs from the one that the object was made with.
//
// The value is in the middle, so that its page holds nothing else wherever the linker puts the
// object, and no neighbour's writes slow its readers: every claim of an id reads it. It is not
// atomic, so that the compiler can make one instruction of load and addition. It is written at
// load, in a child that has one thread, or, after a raw clone(), by the first thread that makes an
// object.
struct alignas(64) ForkEpoch {
  static constexpr std::size_t kPageBytesMax = 65536;

  std::atomic<std::uint64_t> given{0};  // values, in this process and its ancestors; never wiped
  char before[kPageBytesMax - sizeof(given)]{};
  std::uint64_t value = 0;
  char after[kPageBytesMax - sizeof(value)]{};
};
FEATHERID_EXPORT extern ForkEpoch fork_epoch;

// A child's value is lower by at least this: more than the ids of one chunk (id_cursor.h).
constexpr std::uint64_t kForkEpochUnit = std::uint64_t{1} << 31;
// The highest value. A process descends from fewer than 2^29 forks.
constexpr std::uint64_t kForkEpochMax = std::uint64_t{1} << 60;

// The value to make an object with. It is 0 only if nothing protects this process: the kernel does
// not wipe, and the C library did not take the handler.
FEATHERID_EXPORT std::uint64_t own_fork_epoch();

// A member of every object that must not be used in a child, whether fork(), _Fork() or a raw
// clone() made the child: there, the threads of the parent are gone and its mutexes may be held for
// ever.
class ForkGuard {
 public:
  bool forked() const { return fork_epoch.value != epoch_; }

 private:
  std::uint64_t epoch_ = own_fork_epoch();
};

}  // namespace featherid::internal

#endif  // FEATHERID_INTERNAL_FORK_GUARD_H_
