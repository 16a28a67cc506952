// SPDX-License-Identifier: MIT
#include "lib/fork_guard.h"

#include <pthread.h>

#include <mutex>

namespace featherid {

namespace internal {
std::atomic<std::uint32_t> fork_epoch{0};
}  // namespace internal

// All living guards of the process. fork() holds the mutex while it copies the process, so the
// child finds the list whole. The list is never destroyed: a guard may die after main() ends.
struct ForkGuardList {
  std::mutex mutex;
  ForkGuard* head = nullptr;

  static ForkGuardList& instance() {
    static auto* const list = new ForkGuardList;
    return *list;
  }

  void after_fork_in_child() {
    internal::fork_epoch.fetch_add(1, std::memory_order_relaxed);
    // The thread that was inside replace() at the moment of the fork, if any, is gone; what it had
    // written of a slot is written over or never published.
    for (ForkGuard* guard = head; guard != nullptr; guard = guard->next_)
      guard->cursor_.replace({});
    mutex.unlock();
  }

  void add(ForkGuard& guard) {
    const std::lock_guard<std::mutex> lock(mutex);
    guard.next_ = head;
    if (head != nullptr) head->previous_ = &guard;
    head = &guard;
  }

  void remove(ForkGuard& guard) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (guard.next_ != nullptr) guard.next_->previous_ = guard.previous_;
    (guard.previous_ != nullptr ? guard.previous_->next_ : head) = guard.next_;
  }
};

namespace {
// At load, not with the first guard: a store without an allocator relies on the epoch as well.
[[maybe_unused]] const int registered =
    pthread_atfork([] { ForkGuardList::instance().mutex.lock(); },
                   [] { ForkGuardList::instance().mutex.unlock(); },
                   [] { ForkGuardList::instance().after_fork_in_child(); });
}  // namespace

ForkGuard::ForkGuard(internal::IdCursor& cursor)
    : cursor_(cursor), epoch_(internal::fork_epoch.load(std::memory_order_relaxed)) {
  ForkGuardList::instance().add(*this);
}

ForkGuard::~ForkGuard() { ForkGuardList::instance().remove(*this); }

bool ForkGuard::forked() const { return forked_since(epoch_); }

}  // namespace featherid
