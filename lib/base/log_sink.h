// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_LOG_SINK_H_
#define FEATHERID_LIB_BASE_LOG_SINK_H_

#include <atomic>
#include <utility>

#include "featherid/log.h"
#include "lib/base/inside.h"
#include "lib/base/mutex.h"

namespace featherid {

// Passes lines to the application's log callback. Once close() has returned, the callback is not
// running and never runs again, even if threads left behind still write. The one exception: a
// callback that closes the sink itself runs to its end. An exception, from the callback or for lack
// of memory, costs only that line. Thread-safe.
class LogSink {
 public:
  explicit LogSink(LogCallback callback) : callback_(std::move(callback)) {}

  // `line()` is the message; it is made only if there is a callback.
  template <typename Line>
  void write(LogLevel level, Line line) noexcept EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (closed_ || !callback_) return;
    const Inside inside(this);
    try {
      callback_(level, line());
    } catch (...) {
    }
  }

  void close() EXCLUDES(mutex_) {
    closed_ = true;
    if (Inside::of(this)) return;  // this thread has the mutex, and the callback is still needed
    const MutexLock lock(mutex_);
    callback_ = nullptr;
  }

 private:
  std::atomic<bool> closed_{false};
  Mutex mutex_;
  LogCallback callback_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_LOG_SINK_H_
