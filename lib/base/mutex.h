// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_MUTEX_H_
#define FEATHERID_LIB_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "lib/base/platform.h"

// Clang's thread-safety annotations (-Wthread-safety); empty for other compilers.
#if defined(__clang__)
#define FEATHERID_ANNOTATE(x) __attribute__((x))
#else
#define FEATHERID_ANNOTATE(x)
#endif
#define GUARDED_BY(x) FEATHERID_ANNOTATE(guarded_by(x))
#define REQUIRES(...) FEATHERID_ANNOTATE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) FEATHERID_ANNOTATE(locks_excluded(__VA_ARGS__))

namespace featherid {

// A mutex that the analysis knows.
class FEATHERID_ANNOTATE(capability("mutex")) Mutex {
 public:
  void lock() FEATHERID_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void unlock() FEATHERID_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  platform::Mutex mutex_;
};

class FEATHERID_ANNOTATE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FEATHERID_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() FEATHERID_ANNOTATE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition of the state that `mutex` guards. Callers wait in a loop that checks that state.
class CondVar {
 public:
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<platform::Mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False if the time is up.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline) REQUIRES(mutex) {
    std::unique_lock<platform::Mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, deadline);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  platform::ConditionVariable condition_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_MUTEX_H_
