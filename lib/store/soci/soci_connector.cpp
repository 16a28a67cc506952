// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_connector.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lib/base/exception_text.h"
#include "lib/base/mutex.h"
#include "lib/base/stay_loaded.h"

namespace featherid {

namespace {

[[gnu::constructor]] void at_load() { stay_loaded(); }

// The attempt of one caller, which waits for it or has left. Guarded by the state's mutex.
struct Attempt {
  bool ended = false;
  std::exception_ptr error;  // no exception may be shared by two threads at a time
};

struct AttemptThread {
  std::shared_ptr<Attempt> attempt;
  std::thread thread;
};

std::atomic<bool> threads_left_behind{false};

}  // namespace

struct SociConnector::State : std::enable_shared_from_this<State> {
  std::unique_ptr<SociSession> take() REQUIRES(mutex);
  // Throws soci_error if there is no thread.
  std::shared_ptr<Attempt> begin_attempt(const Open& open) REQUIRES(mutex);
  // Joins the threads whose attempt has ended: then their driver has finished its clean-up.
  void join_ended() REQUIRES(mutex);

  Mutex mutex;
  CondVar changed;
  // Never more than attempts_max, because no attempt begins while there is one.
  std::vector<std::unique_ptr<SociSession>> arrived GUARDED_BY(mutex);
  int attempts GUARDED_BY(mutex) = 0;  // running
  std::vector<AttemptThread> threads GUARDED_BY(mutex);
};

std::unique_ptr<SociSession> SociConnector::State::take() {
  if (arrived.empty()) return nullptr;
  std::unique_ptr<SociSession> session = std::move(arrived.back());
  arrived.pop_back();
  return session;
}

std::shared_ptr<Attempt> SociConnector::State::begin_attempt(const Open& open) {
  auto attempt = std::make_shared<Attempt>();
  const auto run = [state = shared_from_this(), open, attempt] {
    std::unique_ptr<SociSession> session;
    std::exception_ptr failure;
    try {
      session = open();
      // Not to be tried again at once: the caller would log in as fast as the server hangs up.
      if (session->lost()) throw soci::soci_error("the connection was lost as soon as it was made");
    } catch (...) {
      failure = std::current_exception();
    }
    const MutexLock end(state->mutex);
    --state->attempts;
    attempt->ended = true;
    attempt->error = std::move(failure);
    if (session != nullptr) state->arrived.push_back(std::move(session));
    state->changed.notify_all();
  };
  threads.reserve(threads.size() + 1);
  try {
    threads.push_back({attempt, std::thread(run)});
  } catch (const std::system_error& e) {
    throw soci::soci_error(std::string("cannot start a thread to connect on: ") + text_of(e));
  }
  ++attempts;
  return attempt;
}

void SociConnector::State::join_ended() {
  const auto running =
      std::partition(threads.begin(), threads.end(),
                     [](const AttemptThread& entry) { return entry.attempt->ended; });
  for (auto entry = threads.begin(); entry != running; ++entry) entry->thread.join();
  threads.erase(threads.begin(), running);
}

SociConnector::SociConnector(int attempts_max)
    : attempts_max_(attempts_max), state_(std::make_shared<State>()) {
  const MutexLock lock(state_->mutex);
  state_->arrived.reserve(static_cast<std::size_t>(attempts_max));  // push_back never throws
}

SociConnector::~SociConnector() {
  const MutexLock lock(state_->mutex);
  state_->join_ended();
  for (AttemptThread& running : state_->threads) {
    running.thread.detach();
    threads_left_behind = true;
  }
  state_->threads.clear();
}

bool SociConnector::left_threads_behind() { return threads_left_behind; }

std::unique_ptr<SociSession> SociConnector::connect(const Open& open, TimePoint deadline) {
  State& state = *state_;
  const MutexLock lock(state.mutex);
  state.join_ended();
  std::shared_ptr<Attempt> own;
  for (bool in_time = true;; in_time = state.changed.wait_until(state.mutex, deadline)) {
    while (std::unique_ptr<SociSession> session = state.take()) {
      if (!session->lost()) return session;
    }
    if (own != nullptr && own->error != nullptr) {
      std::rethrow_exception(std::exchange(own->error, nullptr));
    }
    if (!in_time) return nullptr;
    // Again if another caller took the session of the first attempt.
    if ((own == nullptr || own->ended) && state.attempts < attempts_max_) {
      own = state.begin_attempt(open);
    }
  }
}

void SociConnector::drop() {
  const MutexLock lock(state_->mutex);
  state_->arrived.clear();
}

}  // namespace featherid
