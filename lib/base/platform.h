// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_PLATFORM_H_
#define FEATHERID_LIB_BASE_PLATFORM_H_

#include <time.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

// Everything that the core uses from the machine: locks, threads and the time. The simulator
// compiles the core with its own file instead of this one.
namespace featherid::platform {

using Mutex = std::mutex;
using ConditionVariable = std::condition_variable;
using Thread = std::thread;
using SteadyClock = std::chrono::steady_clock;

// As SteadyClock::now(), but it also counts while the machine sleeps.
inline SteadyClock::time_point boot_now() {
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return SteadyClock::now();
  return SteadyClock::time_point(std::chrono::seconds(now.tv_sec) +
                                 std::chrono::nanoseconds(now.tv_nsec));
}

// A T for each thread, initially null.
template <typename T>
T& own_of_thread() {
  thread_local T own = nullptr;
  return own;
}

}  // namespace featherid::platform

#endif  // FEATHERID_LIB_BASE_PLATFORM_H_
