// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_WATCHDOG_H_
#define FEATHERID_LIB_BASE_WATCHDOG_H_

#include <map>
#include <thread>

#include "featherid/internal/export.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// Ends network calls that a driver cannot limit itself (libpq waits for an answer without end):
// shuts a socket down at its deadline, so the driver sees a lost connection. Thread-safe.
class FEATHERID_EXPORT Watchdog {
 public:
  Watchdog() = default;
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // While a Guard exists, `socket` is watched and must stay open. -1: nothing is watched.
  class FEATHERID_EXPORT Guard {
   public:
    Guard(Watchdog& watchdog, int socket, TimePoint deadline);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog& watchdog_;
    const int socket_;
    const TimePoint deadline_;
  };

 private:
  void run();

  Mutex mutex_;
  CondVar changed_;
  std::multimap<TimePoint, int> sockets_ GUARDED_BY(mutex_);  // by deadline
  TimePoint wakes_at_ GUARDED_BY(mutex_) = TimePoint::max();
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started with the first guard, under mutex_
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_WATCHDOG_H_
