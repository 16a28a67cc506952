// SPDX-License-Identifier: MIT
#include "featherid/fork_guard.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/in_fork.h"

namespace featherid {

using internal::ForkGuard;

TEST_CASE("a guard knows the child from the parent", "[fork_guard][fork]") {
  const ForkGuard guard;
  CHECK(test::failures_in_fork([&] { return guard.forked() ? 0 : 1; }) == 0);
  CHECK_FALSE(guard.forked());
}

TEST_CASE("a guard made in a child is the child's own, and strange to a grandchild",
          "[fork_guard][fork]") {
  const int failed = test::failures_in_fork([] {
    const ForkGuard guard;
    if (guard.forked()) return 1;
    return test::failures_in_fork([&] { return guard.forked() ? 0 : 1; });
  });
  CHECK(failed == 0);
}

namespace {

// What another library's handler might do: fork() waits for a lock that is held while ids are used.
std::mutex foreign_mutex;
std::atomic<bool> foreign_handler_waits{false};

void wait_in_prepare_handler() {
  if (!foreign_handler_waits) return;
  const std::lock_guard<std::mutex> lock(foreign_mutex);
}

}  // namespace

TEST_CASE("fork() meets no lock of ours, whatever other handlers wait for", "[fork_guard][fork]") {
  static const int registered = pthread_atfork(wait_in_prepare_handler, nullptr, nullptr);
  REQUIRE(registered == 0);
  auto store = std::make_shared<MemoryStore>();
  SegmentAllocator ids(store);
  std::atomic<bool> done{false};
  foreign_handler_waits = true;
  std::thread user([&] {
    for (int i = 0; !done; ++i) {
      const std::lock_guard<std::mutex> lock(foreign_mutex);
      const Result<Sequence> made = ids.sequence("tag" + std::to_string(i % 1000));
      if (!made.ok()) break;
    }
  });
  for (int i = 0; i < 50; ++i) CHECK(test::failures_in_fork([] { return 0; }) == 0);
  done = true;
  user.join();
  foreign_handler_waits = false;
}

}  // namespace featherid
