// SPDX-License-Identifier: MIT
// A child never gets its parent's ids, whatever the library was linked with. If code that is
// compiled into the application sees another copy of the fork protection, the application is
// refused with the reason.
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>

int main() {
  auto store = std::make_shared<featherid::MemoryStore>();
  if (!store->create("order", 1000).ok()) return 1;
  featherid::AllocatorOptions options;
  options.wait_timeout = std::chrono::seconds(30);  // the machine may stall
  featherid::SegmentAllocator ids(store, options);
  auto id = ids.next_id("order");
  if (!id.ok()) {
    std::cout << id.status().to_string() << '\n';
    const bool told = id.status().code() == featherid::StatusCode::kFailedPrecondition &&
                      id.status().message().find("-Bsymbolic") != std::string::npos;
    return told ? 0 : 2;
  }
  std::cout << "serves\n";
  auto sequence = *ids.sequence("order");
  const pid_t child = fork();
  if (child == 0) _exit(sequence.try_next().ok() || ids.try_next_id("order").ok() ? 3 : 0);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 4;
  return WEXITSTATUS(status);
}
