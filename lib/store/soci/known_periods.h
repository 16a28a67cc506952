// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_KNOWN_PERIODS_H_
#define FEATHERID_LIB_STORE_SOCI_KNOWN_PERIODS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "featherid/period.h"
#include "featherid/segment_store.h"
#include "lib/base/mutex.h"

namespace featherid {

// Which periods the tags have that this process has seen. A lease states the rule that it assumes,
// and moves no row if the tag has another by now. Thread-safe.
class KnownPeriods {
 public:
  // Takes in a row as it is.
  void learn(const SegmentRow& row) {
    const MutexLock lock(mutex_);
    if (row.period.is_set()) {
      rules_.insert_or_assign(row.tag, row.period);
    } else {
      rules_.erase(row.tag);
    }
  }
  // Not set: the tag has none, as far as this process knows.
  PeriodRule find(std::string_view tag) const {
    const MutexLock lock(mutex_);
    const auto found = rules_.find(tag);
    return found != rules_.end() ? found->second : PeriodRule();
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, PeriodRule, std::less<>> rules_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_KNOWN_PERIODS_H_
