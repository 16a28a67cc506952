// SPDX-License-Identifier: MIT
// unwiped KERNEL   If the kernel does not wipe the fork epoch, a handler protects children. If the
// C library registers no handlers either (NO_HANDLERS), nobody gets ids. KERNEL: refuses, or
// pretends (some emulators accept any advice).
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"

namespace {

// The program's argument, before main() is called.
std::string kernel() {
  std::ifstream arguments("/proc/self/cmdline");
  std::string argument;
  std::getline(arguments, argument, '\0');
  std::getline(arguments, argument, '\0');
  return argument;
}

int advised = 0;

}  // namespace

extern "C" int madvise(void*, size_t, int) noexcept {
  ++advised;
  if (kernel() == "pretends") return 0;
  errno = EINVAL;
  return -1;
}

#if defined(NO_HANDLERS)
extern "C" int pthread_atfork(void (*)(), void (*)(), void (*)()) noexcept { return ENOMEM; }
constexpr bool kHandlers = false;
#else
constexpr bool kHandlers = true;
#endif

namespace {

using namespace featherid;

Sequence* parents = nullptr;
bool got_id_in_handler = false;

// What a static initialiser registers comes after FeatherID's own handler.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] {
  if (parents != nullptr) got_id_in_handler = parents->try_next().ok();
});

AllocatorOptions patient() {  // the machine may stall
  AllocatorOptions options;
  options.wait_timeout = std::chrono::seconds(30);
  return options;
}

bool is_refused(const Status& status) { return status.code() == StatusCode::kFailedPrecondition; }

int in_child(Sequence sequence) {
  if (got_id_in_handler || !is_refused(sequence.try_next().status())) return 1;
  auto store = std::make_shared<MemoryStore>();
  if (!store->create("order", 1000).ok()) return 2;
  SegmentAllocator own(store, patient());
  auto id = own.next_id("order");
  return id.ok() && *id == 1 ? 0 : 3;
}

}  // namespace

int main() {
  auto store = std::make_shared<MemoryStore>();
  if (!store->create("order", 1000).ok() || advised == 0) return 10;
  SegmentAllocator ids(store, patient());
  auto id = ids.next_id("order");
  if (!kHandlers) {
    std::puts(id.status().to_string().c_str());
    return is_refused(id.status()) ? 0 : 11;
  }
  if (!id.ok()) return 12;
  Sequence sequence = *ids.sequence("order");
  parents = &sequence;
  const pid_t child = fork();
  if (child == 0) _exit(in_child(sequence));
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 13;
  return WEXITSTATUS(status) + (*sequence.next() == 2 ? 0 : 14);
}
