// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SCHEDULER_H_
#define FEATHERID_TEST_PROOF_SIM_SCHEDULER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/proof/sim/random.h"

namespace featherid::sim {

using Instant = std::chrono::steady_clock::time_point;
using Span = std::chrono::steady_clock::duration;
constexpr Instant kNever = Instant::max();

// Thrown in a killed fiber, so that its stack is unwound.
struct Killed {};

// The simulation's threads and time: fibers that take turns on one thread. The run's seed decides
// which one is next, and a fiber runs until it waits. Time stands still while any fiber can run and
// then jumps to the next deadline, so every event happens exactly on time.
//
// Fibers belong to groups (a simulated process is one), which can be killed as a whole.
class Scheduler {
 public:
  // `preempt_percent`: how often a fiber lets others run where a real thread could be preempted.
  Scheduler(Random& random, int preempt_percent);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The fiber that runs. There is one at a time.
  static Scheduler& current();

  void spawn(int group, std::function<void()> body);

  // Runs one fiber until it waits. False if every fiber waits for another.
  bool step();

  // Called whenever time is about to pass: no fiber can run at this moment.
  std::function<void()> before_time_passes;

  Instant now() const { return now_; }
  // Fibers that can run at this moment, besides the running one.
  bool busy() const { return !runnable_.empty(); }

  // --- for the fiber that runs ---

  // Zero outside all fibers.
  int group() const;
  // Identifies the fiber, or the scheduler outside all fibers.
  const void* self() const;
  // Waits for a wake of `channel` (true) or for the deadline (false). Outside all fibers and in a
  // killed one it returns false at once.
  bool wait(const void* channel, Instant deadline = kNever);
  // Waits for a wake of `channel`, killed or not, for a lock that others must still release.
  void wait_for_lock(const void* channel);
  void sleep(Span span);  // may throw Killed
  void yield();
  // yield(), sometimes.
  void preempt();
  void wake_one(const void* channel);
  void wake_all(const void* channel);
  // A killed fiber runs on until it calls this, because the core has functions that nothing may be
  // thrown through.
  void throw_if_killed();

  // In a child made by fork() the threads are gone and locks may be held for ever. Taking a lock or
  // waiting ends it with kTouchedALock.
  static constexpr int kTouchedALock = 3;
  void become_child() { is_child_ = true; }

  // Ends all fibers of a group and returns when they are gone. For a fiber of another group.
  void kill(int group);
  // Ends all fibers. Not for a fiber.
  void kill_all();

 private:
  struct Fiber;

  static void enter();
  void suspend(const void* channel, Instant deadline);
  void resume(Fiber& fiber);
  void make_runnable(std::size_t waiting_index, bool woken);

  Random& random_;
  const int preempt_percent_;
  Instant now_{std::chrono::hours(1)};
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> runnable_;
  std::vector<Fiber*> waiting_;
  Fiber* running_ = nullptr;
  bool is_child_ = false;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_SCHEDULER_H_
