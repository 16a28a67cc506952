// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_MEMBER_CLOCK_H_
#define FEATHERID_LIB_STORE_ETCD_MEMBER_CLOCK_H_

#include <optional>
#include <string>

#include "featherid/time_floor.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// The time of an HTTP header `Date`, in whole seconds; nothing if it is malformed.
std::optional<WallTime> parse_http_date(const std::string& text);

// The clock of the cluster's members, as their answers give it. All processes follow it, so it
// matters little whose own clock is wrong. A member says only the second. Within that, the
// process's own clock decides, if it agrees. Thread-safe. `sent`, `received` and `now` are of a
// clock that also counts while the machine sleeps (boot_now()).
class MemberClock {
 public:
  // Takes in an answer. `own`: the process's clock when it came. Malformed dates are ignored.
  void learn(const std::string& date, TimePoint sent, TimePoint received, WallTime own)
      EXCLUDES(mutex_);

  // The time now; nothing before the first answer.
  std::optional<WallTime> time(TimePoint now) const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::optional<WallTime> read_ GUARDED_BY(mutex_);
  TimePoint read_at_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_MEMBER_CLOCK_H_
