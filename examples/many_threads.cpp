// SPDX-License-Identifier: MIT
// The two ways to take ids in a hot loop: a Sequence shared by all threads, whose ids come out in
// order, and a LocalBlock for each thread, which is faster and keeps order only inside the block.
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 4;
constexpr int kIdsPerThread = 1000000;

// Runs `take` kIdsPerThread times in each thread; returns false if a call failed.
template <typename MakeTake>
bool run(const char* name, MakeTake make_take) {
  std::atomic<bool> ok{true};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      auto take = make_take();
      for (int n = 0; n < kIdsPerThread; ++n) {
        if (!take().ok()) ok = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  std::cout << name << ": " << took.count() / (kThreads * kIdsPerThread) << " ns an id\n";
  return ok;
}

}  // namespace

int main() {
  auto store = std::make_shared<featherid::MemoryStore>();
  if (!store->create("click", 100000).ok()) return 1;
  featherid::SegmentAllocator ids(store);
  auto click = ids.sequence("click");
  if (!click.ok()) return 1;

  const bool shared = run(
      "shared Sequence", [&] { return [sequence = *click]() mutable { return sequence.next(); }; });
  const bool local = run("LocalBlock per thread", [&] {
    return [block = click->local(10000)]() mutable { return block.next(); };
  });
  return shared && local ? 0 : 1;
}
