// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_LEASES_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_LEASES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/etcd/etcd_rows.h"
#include "lib/store/etcd/key_change.h"

namespace featherid {

// Leases by transactions on the keys of tags, as Store says. The arguments were checked before.
// Thread-safe.
class EtcdLeases {
 public:
  explicit EtcdLeases(EtcdRows& rows) : rows_(rows) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size);
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period, LeaseSize size);
  Result<bool> give_back(std::string_view tag, IdRange tail, std::int64_t applied);

 private:
  Result<PlannedChange<IdRange>> plan_lease(KeyView& view, LeaseSize size) const;
  Result<PlannedChange<IdRange>> plan_in_period(KeyView& view, const Period& period, LeaseSize size,
                                                const std::vector<std::string>& purged) const;
  // The rows of old periods that go when this one is made.
  Result<std::vector<std::string>> rows_to_purge(std::string_view tag, const Period& period);

  std::string table(std::string_view tag) const { return "the key " + rows_.key_of(tag); }

  EtcdRows& rows_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_LEASES_H_
