// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_RECEIPTS_H_
#define FEATHERID_SERVER_API_RECEIPTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "featherid/tag_admin.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// What a receipt stands for: a lease, and the rows that it came from.
struct LeaseReceipt {
  std::string tag;
  IdRange range;
  StoreIdentity store;
  std::int64_t applied = 0;  // a change of tags that was made before the lease
};

// The receipts that this server has given out with leases. A receipt is a random text. It is good
// for one try to give back the end of its lease, and only here: it is not written anywhere.
// Thread-safe.
class Receipts {
 public:
  static constexpr std::size_t kReceiptsMax = 50000;  // the oldest makes room for a new one
  static constexpr std::chrono::hours kValidFor{24};

  explicit Receipts(std::shared_ptr<const Clock> clock = std::make_shared<SteadyClock>())
      : clock_(std::move(clock)) {}

  std::string issue(LeaseReceipt receipt) EXCLUDES(mutex_);

  // Takes it out. Nothing: it is not of this server, was used before, or is too old.
  std::optional<LeaseReceipt> take(const std::string& text) EXCLUDES(mutex_);

 private:
  struct Entry {
    std::string text;
    LeaseReceipt receipt;
    TimePoint expires_at;
  };
  void drop_oldest() REQUIRES(mutex_);

  const std::shared_ptr<const Clock> clock_;
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);  // the oldest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_text_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_RECEIPTS_H_
