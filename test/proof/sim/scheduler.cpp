// SPDX-License-Identifier: MIT
#include "test/proof/sim/scheduler.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace featherid::sim {

namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;
constexpr std::size_t kGuardBytes = 4096;  // below the stack: an overflow stops the program

Scheduler* current_scheduler = nullptr;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "featherid_sim: %s\n", what);
  std::abort();
}

// AddressSanitizer must know when the stack is about to change and when it has changed.
#if defined(__SANITIZE_ADDRESS__)
void leave_stack(void** state, const void* next_stack, std::size_t next_bytes) {
  __sanitizer_start_switch_fiber(state, next_stack, next_bytes);
}
void enter_stack(void* state, const void** last_stack, std::size_t* last_bytes) {
  __sanitizer_finish_switch_fiber(state, last_stack, last_bytes);
}
#else
void leave_stack(void** /*state*/, const void* /*next_stack*/, std::size_t /*next_bytes*/) {}
void enter_stack(void* /*state*/, const void** /*last_stack*/, std::size_t* /*last_bytes*/) {}
#endif

// Stacks of fibers that have ended, for new ones.
class StackPool {
 public:
  ~StackPool() {
    for (char* stack : free_) ::munmap(stack - kGuardBytes, kStackBytes + kGuardBytes);
  }
  char* take() {
    if (free_.empty()) {
      void* memory = ::mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
      if (memory == MAP_FAILED || ::mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
        give_up("no memory for a stack");
      }
      return static_cast<char*>(memory) + kGuardBytes;
    }
    char* stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void put(char* stack) { free_.push_back(stack); }

 private:
  std::vector<char*> free_;
};

StackPool& stack_pool() {
  static StackPool pool;
  return pool;
}

// The scheduler's own context, and its stack as the sanitizer knows it.
struct Home {
  ucontext_t context{};
  void* sanitizer_state = nullptr;
  const void* stack_bottom = nullptr;
  std::size_t stack_size = 0;
};
Home home;

// The exceptions that a fiber is handling: the C++ runtime keeps them by thread.
class Exceptions {
 public:
  void swap() {
    void* const of_thread = __cxxabiv1::__cxa_get_globals();
    State current;
    std::memcpy(&current, of_thread, sizeof current);
    std::memcpy(of_thread, &state_, sizeof state_);
    state_ = current;
  }

 private:
  struct State {  // as the Itanium C++ ABI lays it out
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  State state_;
};

}  // namespace

struct Scheduler::Fiber {
  int group = 0;
  std::function<void()> body;
  ucontext_t context{};
  char* stack = nullptr;
  void* sanitizer_state = nullptr;
  Exceptions exceptions;
  const void* channel = nullptr;
  Instant deadline = kNever;
  bool woken = false;
  bool killed = false;
  bool ended = false;
};

Scheduler::Scheduler(Random& random, int preempt_percent)
    : random_(random), preempt_percent_(preempt_percent) {
  current_scheduler = this;
}

Scheduler::~Scheduler() {
  kill_all();
  current_scheduler = nullptr;
}

void Scheduler::kill_all() {
  before_time_passes = nullptr;
  for (const auto& fiber : fibers_) fiber->killed = true;
  while (!waiting_.empty()) make_runnable(0, false);
  for (int tries = 0; !fibers_.empty(); ++tries) {
    if (tries > 1000000) give_up("a killed fiber lives on");
    step();
  }
}

Scheduler& Scheduler::current() {
  if (current_scheduler == nullptr) give_up("no simulation is running");
  return *current_scheduler;
}

void Scheduler::spawn(int group, std::function<void()> body) {
  if (running_ != nullptr && running_->killed) return;
  fibers_.push_back(std::make_unique<Fiber>());
  Fiber& fiber = *fibers_.back();
  fiber.group = group;
  fiber.body = std::move(body);
  fiber.stack = stack_pool().take();
  ::getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = kStackBytes;
  ::makecontext(&fiber.context, &Scheduler::enter, 0);
  runnable_.push_back(&fiber);
}

void Scheduler::enter() {
  enter_stack(nullptr, &home.stack_bottom, &home.stack_size);
  Fiber& self = *current().running_;
  if (!self.killed) {
    try {
      self.body();
    } catch (const Killed&) {
      // Its stack is unwound by now.
    }
  }
  self.body = nullptr;
  self.ended = true;
  leave_stack(nullptr, home.stack_bottom, home.stack_size);
  ::setcontext(&home.context);
}

void Scheduler::suspend(const void* channel, Instant deadline) {
  Fiber& self = *running_;
  self.channel = channel;
  self.deadline = deadline;
  self.woken = false;
  (deadline <= now_ ? runnable_ : waiting_).push_back(&self);
  leave_stack(&self.sanitizer_state, home.stack_bottom, home.stack_size);
  ::swapcontext(&self.context, &home.context);
  enter_stack(self.sanitizer_state, nullptr, nullptr);
}

void Scheduler::resume(Fiber& fiber) {
  running_ = &fiber;
  fiber.exceptions.swap();
  leave_stack(&home.sanitizer_state, fiber.stack, kStackBytes);
  ::swapcontext(&home.context, &fiber.context);
  enter_stack(home.sanitizer_state, nullptr, nullptr);
  fiber.exceptions.swap();
  running_ = nullptr;
}

bool Scheduler::step() {
  if (runnable_.empty()) {
    Instant next = kNever;
    for (const Fiber* fiber : waiting_) next = std::min(next, fiber->deadline);
    if (next == kNever) return false;
    if (before_time_passes) before_time_passes();
    now_ = next;
    for (std::size_t i = waiting_.size(); i-- > 0;) {
      if (waiting_[i]->deadline <= now_) make_runnable(i, false);
    }
  }
  const auto last = static_cast<std::int64_t>(runnable_.size()) - 1;
  std::swap(runnable_[static_cast<std::size_t>(random_.pick(0, last))], runnable_.back());
  Fiber& fiber = *runnable_.back();
  runnable_.pop_back();
  resume(fiber);
  if (fiber.ended) {
    stack_pool().put(fiber.stack);
    fibers_.erase(std::find_if(fibers_.begin(), fibers_.end(),
                               [&](const auto& each) { return each.get() == &fiber; }));
  }
  return true;
}

void Scheduler::make_runnable(std::size_t waiting_index, bool woken) {
  Fiber* fiber = waiting_[waiting_index];
  fiber->woken = woken;
  fiber->channel = nullptr;
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_index));
  runnable_.push_back(fiber);
}

int Scheduler::group() const { return running_ != nullptr ? running_->group : 0; }

const void* Scheduler::self() const {
  return running_ != nullptr ? static_cast<const void*>(running_) : this;
}

void Scheduler::throw_if_killed() {
  if (running_ != nullptr && running_->killed && std::uncaught_exceptions() == 0) throw Killed();
}

bool Scheduler::wait(const void* channel, Instant deadline) {
  if (is_child_) ::_exit(kTouchedALock);
  if (running_ == nullptr || running_->killed) return false;
  suspend(channel, deadline);
  return running_->woken;
}

void Scheduler::wait_for_lock(const void* channel) {
  if (running_ == nullptr) give_up("a lock is held for ever");
  suspend(channel, kNever);
}

void Scheduler::sleep(Span span) {
  wait(nullptr, now_ + span);
  throw_if_killed();
}

void Scheduler::yield() { wait(nullptr, now_); }

void Scheduler::preempt() {
  if (is_child_) ::_exit(kTouchedALock);
  if (running_ != nullptr && random_.percent(preempt_percent_)) yield();
}

void Scheduler::wake_one(const void* channel) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i]->channel == channel) found.push_back(i);
  }
  if (found.empty()) return;
  const auto last = static_cast<std::int64_t>(found.size()) - 1;
  make_runnable(found[static_cast<std::size_t>(random_.pick(0, last))], true);
}

void Scheduler::wake_all(const void* channel) {
  for (std::size_t i = waiting_.size(); i-- > 0;) {
    if (waiting_[i]->channel == channel) make_runnable(i, true);
  }
}

void Scheduler::kill(int group) {
  for (const auto& fiber : fibers_) {
    if (fiber->group == group) fiber->killed = true;
  }
  for (std::size_t i = waiting_.size(); i-- > 0;) {
    if (waiting_[i]->killed) make_runnable(i, false);
  }
  const auto lives = [&] {
    return std::any_of(fibers_.begin(), fibers_.end(),
                       [&](const auto& fiber) { return fiber->group == group; });
  };
  for (int tries = 0; lives(); ++tries) {
    if (tries > 1000000) give_up("a killed fiber lives on");
    yield();
  }
}

}  // namespace featherid::sim
