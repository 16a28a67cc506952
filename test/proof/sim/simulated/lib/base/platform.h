// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SIMULATED_LIB_BASE_PLATFORM_H_
#define FEATHERID_TEST_PROOF_SIM_SIMULATED_LIB_BASE_PLATFORM_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "test/proof/sim/scheduler.h"

// Replaces lib/base/platform.h: the same names over the simulation's fibers and time.
namespace featherid::platform {

class Mutex {
 public:
  void lock() {
    sim::Scheduler& scheduler = sim::Scheduler::current();
    scheduler.preempt();
    while (holder_ != nullptr) scheduler.wait_for_lock(this);
    holder_ = scheduler.self();
  }
  void unlock() {
    sim::Scheduler& scheduler = sim::Scheduler::current();
    // If a wait throws, its lock is released twice.
    if (holder_ != scheduler.self()) return;
    holder_ = nullptr;
    scheduler.wake_one(this);
  }

 private:
  const void* holder_ = nullptr;
};

class ConditionVariable {
 public:
  void wait(std::unique_lock<Mutex>& lock) { wait_until(lock, sim::kNever); }
  std::cv_status wait_until(std::unique_lock<Mutex>& lock, sim::Instant deadline) {
    sim::Scheduler& scheduler = sim::Scheduler::current();
    lock.unlock();
    const bool woken = scheduler.wait(this, deadline);
    lock.lock();
    scheduler.throw_if_killed();
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  void notify_one() { sim::Scheduler::current().wake_one(this); }
  void notify_all() { sim::Scheduler::current().wake_all(this); }
};

// A fiber in the group of the fiber that starts it.
class Thread {
 public:
  explicit Thread(std::function<void()> body) : ended_(std::make_shared<bool>(false)) {
    sim::Scheduler& scheduler = sim::Scheduler::current();
    scheduler.spawn(scheduler.group(), [body = std::move(body), ended = ended_]() mutable {
      body();
      body = nullptr;
      *ended = true;
      sim::Scheduler::current().wake_all(ended.get());
    });
  }
  void join() {
    sim::Scheduler& scheduler = sim::Scheduler::current();
    while (!*ended_ && scheduler.wait(ended_.get())) continue;
    scheduler.throw_if_killed();
  }
  void detach() {}

 private:
  std::shared_ptr<bool> ended_;
};

// Belongs to the running fiber. An ended fiber leaves none, so another may use its address.
template <typename T>
T& own_of_thread() {
  static std::map<const void*, T> owns;
  return owns[sim::Scheduler::current().self()];
}

struct SteadyClock {
  static sim::Instant now() { return sim::Scheduler::current().now(); }
};

inline sim::Instant boot_now() { return SteadyClock::now(); }

}  // namespace featherid::platform

#endif  // FEATHERID_TEST_PROOF_SIM_SIMULATED_LIB_BASE_PLATFORM_H_
