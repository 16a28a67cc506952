// SPDX-License-Identifier: MIT
#include "lib/base/mutex.h"

#include <chrono>
#include <thread>

#include "lib/base/clock.h"
#include "test/support/catch.h"

namespace featherid {

namespace {

struct Counter {
  Mutex mutex;
  CondVar changed;
  int value GUARDED_BY(mutex) = 0;
};

}  // namespace

TEST_CASE("a mutex admits one thread at a time", "[mutex][threads]") {
  constexpr int kTimes = 1000000;  // enough for both threads to overlap
  Counter counter;
  const auto add = [&] {
    for (int i = 0; i < kTimes; ++i) {
      const MutexLock lock(counter.mutex);
      ++counter.value;
    }
  };
  std::thread other(add);
  add();
  other.join();
  const MutexLock lock(counter.mutex);
  CHECK(counter.value == 2 * kTimes);
}

TEST_CASE("a wait that nobody ends returns at its deadline and reports that", "[mutex]") {
  Counter counter;
  const MutexLock lock(counter.mutex);
  const TimePoint deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  while (counter.changed.wait_until(counter.mutex, deadline)) continue;  // spurious wakeups
  CHECK(std::chrono::steady_clock::now() >= deadline);
}

TEST_CASE("a wait releases the mutex and holds it again when it wakes", "[mutex][threads]") {
  Counter counter;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      const MutexLock lock(counter.mutex);
      while (counter.value % 2 == 0) counter.changed.wait(counter.mutex);
      ++counter.value;
      counter.changed.notify_all();
    }
  });
  const TimePoint never = std::chrono::steady_clock::now() + std::chrono::hours(1);
  bool woken = true;
  for (int i = 0; i < 1000; ++i) {
    const MutexLock lock(counter.mutex);
    ++counter.value;
    counter.changed.notify_one();
    while (counter.value % 2 == 1) {
      woken = counter.changed.wait_until(counter.mutex, never) && woken;
    }
  }
  other.join();
  CHECK(woken);
  const MutexLock lock(counter.mutex);
  CHECK(counter.value == 2000);
}

}  // namespace featherid
