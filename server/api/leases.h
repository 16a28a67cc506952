// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_LEASES_H_
#define FEATHERID_SERVER_API_LEASES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "featherid/tag_admin.h"
#include "lib/base/mutex.h"
#include "server/api/receipts.h"

namespace featherid {

// Leases from the store to other processes. A lease comes from the store itself and not from what
// this process holds, so that the ids of a process only increase, whichever servers it asks.
//
// `known` is what the caller knows of its store from its last lease; an empty name: nothing. If the
// store of this server is another one, or older, the answer is kDataLoss. The store is read after
// each lease, so a lease that met another database is answered with an error, and costs a gap.
// Thread-safe. Calls block as those of the store do.
class Leases {
 public:
  // `lease_max_ids`: the largest lease.
  Leases(std::shared_ptr<Store> store, std::int64_t lease_max_ids);

  struct Leased {
    IdRange range;
    StoreIdentity store;
    std::string receipt;  // for give_back()
  };
  // As SegmentStore::lease(), or lease_in_period() if `period` is one. kInvalidArgument: also if
  // size.least_ids is above lease_max_ids.
  Result<Leased> lease(const std::string& tag, LeaseSize size, const StoreIdentity& known,
                       const Period& period = {});

  Result<SegmentRow> find(const std::string& tag, const StoreIdentity& known);

  struct Changes {
    TagChanges changes;
    StoreIdentity store;
  };
  // As SegmentStore::changes().
  Result<Changes> changes(std::int64_t version, const StoreIdentity& known) EXCLUDES(mutex_);

  // What goes back: from `first` to the last id of a lease. Perhaps with leases before that one,
  // which it follows directly.
  struct Tail {
    std::string tag;
    std::int64_t first = 0;
    std::vector<std::string> receipts;  // of these leases, the newest first
    std::int64_t applied = 0;           // the last change that the caller has applied
  };
  // A caller that has applied a change has dropped what it held, so no change after the lease
  // counts as applied, whatever the caller says.
  // Empty if the tail was given back; else why it was not. Whatever comes of it, the receipts have
  // been used.
  Result<std::string> give_back(const Tail& tail);

  // Whether the store would grant leases now, and which one it is.
  Result<StoreIdentity> probe(const StoreIdentity& known);

 private:
  // OK if the caller may go on with what this process saw of the store last, or with the store as
  // it is now.
  Status compare(const StoreIdentity& known) EXCLUDES(mutex_);
  std::int64_t told_version() EXCLUDES(mutex_);
  // The lease, or the whole of the leases, that the receipts of the tail stand for.
  Result<LeaseReceipt> take(const Tail& tail);
  // Reads the store, and compares it with the caller and with what this process saw before.
  Result<StoreIdentity> read(const StoreIdentity& known) EXCLUDES(mutex_);

  const std::shared_ptr<Store> store_;
  const std::int64_t lease_max_ids_;
  Receipts receipts_;

  Mutex mutex_;
  StoreIdentity seen_ GUARDED_BY(mutex_);        // last; without a name: never
  std::int64_t version_ GUARDED_BY(mutex_) = 0;  // of the last change that somebody was told of
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_LEASES_H_
