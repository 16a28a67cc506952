// SPDX-License-Identifier: MIT
#include "featherid/internal/fork_guard.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace featherid::internal {

ForkEpoch fork_epoch;

namespace {

bool kernel_wipes = false;

bool ask_kernel_to_wipe() {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (page > ForkEpoch::kPageBytesMax) return false;
  auto* const start = reinterpret_cast<char*>(&fork_epoch.value) -
                      reinterpret_cast<std::uintptr_t>(&fork_epoch.value) % page;
  constexpr int kNoAdvice = -1;  // an emulator that only pretends accepts this as well
  return ::madvise(start, page, kNoAdvice) != 0 && ::madvise(start, page, MADV_WIPEONFORK) == 0;
}

// It takes no lock and walks no list: a handler that waits could deadlock with other libraries'
// handlers. A handler that ran earlier may have made objects in this process already. If the kernel
// does not wipe, they cannot be told from the parent's objects, and are refused.
void begin_child() {
  if (!kernel_wipes) fork_epoch.value = 0;
  own_fork_epoch();
}

bool protect() {
  kernel_wipes = ask_kernel_to_wipe();
  return ::pthread_atfork(nullptr, nullptr, begin_child) == 0 || kernel_wipes;
}

// At load, before the application's static initialisers: if the kernel does not wipe, this handler
// must run first, and child handlers run in the order in which they were registered.
[[gnu::constructor(101)]] void begin_process() { own_fork_epoch(); }

}  // namespace

std::uint64_t own_fork_epoch() {
  static const bool is_protected = protect();
  // acquire, here and if the exchange fails: pairs with the release of the thread that gave the
  // value. This thread may then read `value` without atomics, and its children find `given` past
  // it.
  std::uint64_t value = __atomic_load_n(&fork_epoch.value, __ATOMIC_ACQUIRE);
  if (!is_protected || value != 0) return value;
  constexpr std::uint64_t kValues = kForkEpochMax / kForkEpochUnit;
  // relaxed: the release below follows it.
  const std::uint64_t given = fork_epoch.given.fetch_add(1, std::memory_order_relaxed);
  if (given >= kValues) return 0;
  const std::uint64_t own = (kValues - given) * kForkEpochUnit;
  return __atomic_compare_exchange_n(&fork_epoch.value, &value, own, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)
             ? own
             : value;
}

}  // namespace featherid::internal
