// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_PLATFORM_H_
#define FEATHERID_LIB_PLATFORM_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

// All that the core takes from the machine: locks, threads and the time. The simulator compiles the
// core with a file of its own in place of this one.
namespace featherid::platform {

using Mutex = std::mutex;
using ConditionVariable = std::condition_variable;
using Thread = std::thread;
using SteadyClock = std::chrono::steady_clock;

// A T of each thread's own, at first null.
template <typename T>
T& own_of_thread() {
  thread_local T own = nullptr;
  return own;
}

}  // namespace featherid::platform

#endif  // FEATHERID_LIB_PLATFORM_H_
