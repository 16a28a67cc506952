// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_
#define FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/id_range.h"
#include "lib/base/mutex.h"

namespace featherid {

// The receipts that came with the leases of a process: of each tag, the newest. Thread-safe.
class LeaseReceipts {
 public:
  static constexpr std::size_t kPerTagMax = 8;

  struct Receipt {
    IdRange range;
    std::string text;
    std::size_t server = 0;  // who accepts it
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
  Mutex mutex_;
  std::map<std::string, std::deque<Receipt>, std::less<>> by_tag_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_LEASE_RECEIPTS_H_
