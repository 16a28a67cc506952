// SPDX-License-Identifier: MIT
#include "lib/store/soci_connector.h"

#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lib/mutex.h"

namespace featherid {

struct SociConnector::State {
  std::unique_ptr<SociSession> take() REQUIRES(mutex) {
    if (arrived.empty()) return nullptr;
    std::unique_ptr<SociSession> session = std::move(arrived.back());
    arrived.pop_back();
    return session;
  }

  Mutex mutex;
  CondVar changed;
  // Never more than attempts_max, for while there is one no attempt begins.
  std::vector<std::unique_ptr<SociSession>> arrived GUARDED_BY(mutex);
  int attempts GUARDED_BY(mutex) = 0;  // under way
};

SociConnector::SociConnector(int attempts_max)
    : attempts_max_(attempts_max), state_(std::make_shared<State>()) {
  const MutexLock lock(state_->mutex);
  state_->arrived.reserve(static_cast<std::size_t>(attempts_max));  // a session comes without fail
}

std::unique_ptr<SociSession> SociConnector::connect(const Open& open, TimePoint deadline) {
  // Written by the attempt, under the mutex: no exception may be shared by two threads at a time.
  const auto error = std::make_shared<std::exception_ptr>();
  State& state = *state_;
  const MutexLock lock(state.mutex);
  while (std::unique_ptr<SociSession> late = state.take()) {
    if (!late->lost()) return late;
  }
  if (state.attempts < attempts_max_) {
    const auto attempt = [shared = state_, open, error] {
      std::unique_ptr<SociSession> session;
      std::exception_ptr failure;
      try {
        session = open();
      } catch (...) {
        failure = std::current_exception();
      }
      const MutexLock end(shared->mutex);
      --shared->attempts;
      *error = std::move(failure);
      if (session != nullptr) shared->arrived.push_back(std::move(session));
      shared->changed.notify_all();
    };
    try {
      std::thread(attempt).detach();
    } catch (const std::system_error& e) {
      throw soci::soci_error(std::string("cannot start a thread to connect on: ") + e.what());
    }
    ++state.attempts;
  }
  while (state.arrived.empty() && *error == nullptr) {
    if (!state.changed.wait_until(state.mutex, deadline)) break;
  }
  if (std::unique_ptr<SociSession> session = state.take()) return session;
  if (*error != nullptr) std::rethrow_exception(std::exchange(*error, nullptr));
  return nullptr;
}

void SociConnector::drop() {
  const MutexLock lock(state_->mutex);
  state_->arrived.clear();
}

}  // namespace featherid
