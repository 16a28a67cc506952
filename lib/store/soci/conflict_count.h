// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_CONFLICT_COUNT_H_
#define FEATHERID_LIB_STORE_SOCI_CONFLICT_COUNT_H_

#include <chrono>
#include <cstdint>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// Counts the transactions that lost against another one, and says when to report them: if several
// servers are written to, there may be hundreds in a second. Thread-safe.
class ConflictCount {
 public:
  static constexpr std::chrono::minutes kTellAfter{1};

  // Counts one more. Returns how many there were since the last report if it is time to report,
  // else 0.
  std::int64_t add(TimePoint now) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::int64_t untold_ GUARDED_BY(mutex_) = 0;
  TimePoint tell_at_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_CONFLICT_COUNT_H_
