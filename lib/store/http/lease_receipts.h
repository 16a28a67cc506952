// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_
#define FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/id_range.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// The receipts that came with the leases of a process: of each row, the newest. Each period of a
// tag is a row of its own, so rows whose receipts no server accepts any more are dropped.
// Thread-safe.
class LeaseReceipts {
 public:
  static constexpr std::size_t kPerTagMax = 8;
  static constexpr std::chrono::hours kValidFor{24};  // as servers keep them
  static constexpr std::size_t kSweepRows = 64;       // so many rows are kept in any case

  struct Receipt {
    IdRange range;
    std::string text;
    std::size_t server = 0;  // who accepts it
    TimePoint got_at = {};
  };
  struct Taken {
    std::string texts;  // with commas between them, the newest first
    std::size_t server = 0;
  };

  void keep(std::string_view tag, Receipt receipt) EXCLUDES(mutex_);

  // Takes out the receipts of the leases that this tail is the end of: one, or several that follow
  // one another. Nothing, and none is taken: one is missing, or they are of several servers.
  std::optional<Taken> take(std::string_view tag, IdRange tail) EXCLUDES(mutex_);

 private:
  void drop_old(TimePoint now) REQUIRES(mutex_);

  Mutex mutex_;
  std::size_t sweep_at_ GUARDED_BY(mutex_) = kSweepRows;
  std::map<std::string, std::deque<Receipt>, std::less<>> by_tag_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_
