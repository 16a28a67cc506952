// SPDX-License-Identifier: MIT
#include "featherid/internal/fork_guard.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/in_fork.h"
#include "test/support/patient.h"

namespace featherid {

using internal::ForkGuard;

TEST_CASE("a guard knows the child from the parent", "[fork_guard][fork]") {
  const ForkGuard guard;
  CHECK(test::failures_in_fork([&] { return guard.forked() ? 0 : 1; }) == 0);
  CHECK_FALSE(guard.forked());
}

TEST_CASE("a guard made in a child belongs to the child, not to a grandchild",
          "[fork_guard][fork]") {
  const int failed = test::failures_in_fork([] {
    const ForkGuard guard;
    if (guard.forked()) return 1;
    return test::failures_in_fork([&] { return guard.forked() ? 0 : 1; });
  });
  CHECK(failed == 0);
}

TEST_CASE("a guard detects a child even if no fork handler ran",
          "[fork_guard][fork][not_emulated]") {
  const ForkGuard guard;
  const int failed = test::failures_in_fork(
      [&] {
        if (!guard.forked()) return 1;
        const ForkGuard own;
        if (own.forked()) return 2;
        const auto grandchild = [&] { return own.forked() && guard.forked() ? 0 : 4; };
        return test::failures_in_fork(grandchild) +
               test::failures_in_fork(grandchild, test::raw_clone);
      },
      test::raw_clone);
  CHECK(failed == 0);
  CHECK_FALSE(guard.forked());
}

TEST_CASE("values only ever get lower from parent to child", "[fork_guard][fork][not_emulated]") {
  const auto is_lower = [](std::uint64_t than) {
    const std::uint64_t own = internal::own_fork_epoch();
    return own != 0 && own + internal::kForkEpochUnit <= than &&
           own % internal::kForkEpochUnit == 0;
  };
  const std::uint64_t own = internal::own_fork_epoch();
  const int failed = test::failures_in_fork([&] {
    if (!is_lower(own)) return 1;
    const std::uint64_t childs = internal::own_fork_epoch();
    return test::failures_in_fork([&] { return is_lower(childs) ? 0 : 2; }, test::raw_clone);
  });
  CHECK(failed == 0);
  CHECK(internal::own_fork_epoch() == own);
}

// ThreadSanitizer does not follow threads that a forked child starts.
#if !defined(__SANITIZE_THREAD__)
namespace {

// A handler that runs before FeatherID's, whichever was linked first.
void (*early_handler)() = nullptr;
[[gnu::constructor(101)]] void register_early_handler() {
  pthread_atfork(nullptr, nullptr, [] {
    if (early_handler != nullptr) early_handler();
  });
}

Sequence* parents_sequence = nullptr;
LocalBlock* parents_block = nullptr;
SegmentAllocator* parents_allocator = nullptr;
SegmentAllocator* childs_allocator = nullptr;
int wrong_in_handler = 0;

void use_ids_in_handler() {
  const auto refuses = [](const Status& status) {
    return status.code() == StatusCode::kFailedPrecondition;
  };
  wrong_in_handler += !refuses(parents_sequence->try_next().status());
  wrong_in_handler += !refuses(parents_sequence->next().status());
  wrong_in_handler += !refuses(parents_sequence->next_range(5).status());
  wrong_in_handler += !refuses(parents_block->next().status());
  wrong_in_handler += !refuses(parents_allocator->next_id("order").status());
  auto store = std::make_shared<MemoryStore>();
  wrong_in_handler += !store->create("order", 100).ok();
  childs_allocator = new SegmentAllocator(store, test::patient());
}

}  // namespace

TEST_CASE("a child is detected even in a handler that runs before FeatherID's",
          "[fork_guard][fork][not_emulated]") {
  auto store = std::make_shared<MemoryStore>();
  REQUIRE(store->create("order", 100).ok());
  SegmentAllocator ids(store, test::patient());
  Sequence sequence = *ids.sequence("order");
  LocalBlock block = sequence.local(10);
  CHECK(*block.next() == 1);
  CHECK(*sequence.next() == 11);
  parents_sequence = &sequence;
  parents_block = &block;
  parents_allocator = &ids;
  early_handler = use_ids_in_handler;
  const int failed = test::failures_in_fork([] {
    const Result<std::int64_t> own = childs_allocator->next_id("order");
    return wrong_in_handler + (own.ok() && *own == 1 ? 0 : 1);
  });
  early_handler = nullptr;
  CHECK(failed == 0);
  CHECK(*block.next() == 2);
  CHECK(*sequence.next() == 12);
}
#endif

namespace {

// Acts like another library's handler: fork() waits for a lock that is held while ids are used.
std::mutex foreign_mutex;
std::atomic<bool> foreign_handler_waits{false};

void wait_in_prepare_handler() {
  if (!foreign_handler_waits) return;
  const std::lock_guard<std::mutex> lock(foreign_mutex);
}

}  // namespace

TEST_CASE("fork() never waits for a lock of FeatherID, whatever other handlers wait for",
          "[fork_guard][fork]") {
  static const int registered = pthread_atfork(wait_in_prepare_handler, nullptr, nullptr);
  REQUIRE(registered == 0);
  auto store = std::make_shared<MemoryStore>();
  SegmentAllocator ids(store, test::patient());
  std::atomic<bool> done{false};
  foreign_handler_waits = true;
  std::thread user([&] {
    for (int i = 0; !done; ++i) {
      {
        const std::lock_guard<std::mutex> lock(foreign_mutex);
        const Result<Sequence> made = ids.sequence("tag" + std::to_string(i % 1000));
        if (!made.ok()) break;
      }
      std::this_thread::yield();  // otherwise fork() may not get the lock for a long time
    }
  });
  for (int i = 0; i < 50; ++i) CHECK(test::failures_in_fork([] { return 0; }, ::fork) == 0);
  done = true;
  user.join();
  foreign_handler_waits = false;
}

}  // namespace featherid
