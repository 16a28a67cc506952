// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_PLATFORM_H_
#define FEATHERID_LIB_BASE_PLATFORM_H_

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

// A T for each thread, initially null.
template <typename T>
T& own_of_thread() {
  thread_local T own = nullptr;
  return own;
}

}  // namespace featherid::platform

#endif  // FEATHERID_LIB_BASE_PLATFORM_H_
