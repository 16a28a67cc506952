// SPDX-License-Identifier: MIT
#include "lib/base/watchdog.h"

#include <sys/socket.h>

#include <algorithm>

namespace featherid {

Watchdog::Guard::Guard(Watchdog& watchdog, int socket, TimePoint deadline)
    : watchdog_(watchdog), socket_(socket), deadline_(deadline) {
  if (socket_ < 0) return;
  const MutexLock lock(watchdog_.mutex_);
  if (!watchdog_.thread_.joinable()) {
    watchdog_.thread_ = std::thread([&dog = watchdog_] { dog.run(); });
  }
  watchdog_.sockets_.emplace(deadline_, socket_);
  // Deadlines mostly rise, so the thread is woken only for an earlier one.
  if (deadline_ < watchdog_.wakes_at_) watchdog_.changed_.notify_one();
}

Watchdog::Guard::~Guard() {
  if (socket_ < 0) return;
  const MutexLock lock(watchdog_.mutex_);
  const auto [begin, end] = watchdog_.sockets_.equal_range(deadline_);
  const auto own =
      std::find_if(begin, end, [&](const auto& entry) { return entry.second == socket_; });
  if (own != end) watchdog_.sockets_.erase(own);
}

Watchdog::~Watchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Watchdog::run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = std::chrono::steady_clock::now();
    while (!sockets_.empty() && sockets_.begin()->first <= now) {
      // Under the mutex, so that the socket cannot be closed meanwhile.
      ::shutdown(sockets_.begin()->second, SHUT_RDWR);
      sockets_.erase(sockets_.begin());
    }
    if (sockets_.empty()) {
      wakes_at_ = TimePoint::max();
      changed_.wait(mutex_);
    } else {
      wakes_at_ = sockets_.begin()->first;
      changed_.wait_until(mutex_, wakes_at_);
    }
  }
}

}  // namespace featherid
