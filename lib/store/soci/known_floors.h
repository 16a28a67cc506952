// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_KNOWN_FLOORS_H_
#define FEATHERID_LIB_STORE_SOCI_KNOWN_FLOORS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/segment_store.h"
#include "lib/base/mutex.h"

namespace featherid {

// The time floors that this process has seen, by tag. A lease states the one that it assumes, and
// moves no row if the tag has another by now. Thread-safe.
class KnownFloors {
 public:
  struct Known {
    TimeFloor floor;
    std::int64_t cap;
    friend bool operator==(const Known& a, const Known& b) {
      return a.floor.rate == b.floor.rate && a.floor.epoch_s == b.floor.epoch_s &&
             a.floor.lead_max_s == b.floor.lead_max_s &&
             a.floor.lead_only_warns == b.floor.lead_only_warns && a.cap == b.cap;
    }
  };

  // Takes in a row as it is.
  void learn(const SegmentRow& row) {
    const MutexLock lock(mutex_);
    if (row.floor.is_set()) {
      floors_.insert_or_assign(row.tag, Known{row.floor, row.cap});
    } else {
      floors_.erase(row.tag);
    }
  }
  // Nothing: the tag has none, as far as this process knows.
  std::optional<Known> find(std::string_view tag) const {
    const MutexLock lock(mutex_);
    const auto found = floors_.find(tag);
    return found != floors_.end() ? std::optional<Known>(found->second) : std::nullopt;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, Known, std::less<>> floors_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_KNOWN_FLOORS_H_
