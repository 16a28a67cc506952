// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_ROWS_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/etcd_store.h"
#include "lib/store/etcd/etcd_client.h"
#include "lib/store/etcd/known_tags.h"

namespace featherid {

// The value of the key PREFIX/store: what the store is called, and the number of the last change of
// a tag.
struct StoreHead {
  std::string name;
  std::int64_t changes = 0;
  std::int64_t revision = 0;  // 0: there is no such key yet
};

// Some keys at one moment.
struct KeyView {
  std::vector<KnownTag> tags;
  std::optional<StoreHead> head;  // if it was asked for
};

// The keys of the store, in transactions that change nothing unless the keys are as they were read.
// Thread-safe.
class EtcdRows {
 public:
  EtcdRows(EtcdUrl url, const EtcdStoreOptions& options);

  // What a view must contain, and what a transaction states.
  enum class Needs {
    kTags,     // the tags
    kHead,     // also the head, because it changes a tag
    kCluster,  // also that the tags are of this cluster, because it leases ids
  };

  // The tags of these names as they are now. kDataLoss: see ClusterGuard; also if one of the tags
  // went back or, with kCluster, if the tags are of another cluster.
  Result<KeyView> read(const std::vector<std::string>& names, Needs needs, TimePoint deadline);
  // As this process knows them; nothing if it does not know the first.
  std::optional<KeyView> recall(const std::vector<std::string>& names) const;

  // What to write.
  struct Writes {
    std::vector<std::size_t> tags;     // of the view, as it is now
    std::vector<std::string> removed;  // names
  };
  // Writes it if no key of the view has changed since it was read. False: one has. In both cases
  // the view then has the keys as they are now. With kHead, the number of changes grows by one.
  Result<bool> write(KeyView* view, const Writes& writes, Needs needs, TimePoint deadline);

  // Tags in order. A key whose value is not one of a tag is logged and left out.
  Result<std::vector<StoredTag>> list(const TagQuery& query, TimePoint deadline);

  // The periods of the tag that have a key, the oldest first; kNone: of every kind.
  Result<std::vector<Period>> periods_of(std::string_view tag, PeriodKind kind, TimePoint deadline);
  // Refuses the name of a row of a tag's period.
  Status refuse_period_row(std::string_view name);

  // The row as a lease or a reader sees it now. kFailedPrecondition: see EtcdClient::time().
  Result<SegmentRow> as_of_now(const SegmentRow& row) const;
  // For records of changes: seconds since 1970, by this process's clock if the members' is unknown.
  std::int64_t now_s() const;

  // The head; it is made if it is missing.
  Result<StoreHead> head(TimePoint deadline);
  // All tags and the head at one moment.
  struct All {
    std::vector<StoredTag> tags;
    StoreHead head;
  };
  Result<All> read_all(TimePoint deadline);

  // A transaction like that of a lease, which finds another revision than it states.
  Status probe(TimePoint deadline);

  std::string key_of(std::string_view tag) const { return tags_key_ + std::string(tag); }
  const EtcdClient& client() const { return client_; }
  TimePoint deadline() const { return client_.deadline(); }

 private:
  Result<KeyView> view_of(const std::vector<std::string>& names,
                          const std::vector<std::int64_t>& before,
                          const std::vector<std::vector<EtcdKey>>& reads, Needs needs,
                          TimePoint deadline);
  void add_reads(const std::vector<std::string>& names, Needs needs, EtcdTxn* txn) const;
  std::vector<std::int64_t> revisions(const std::vector<std::string>& names) const;
  Status check_cluster(const std::vector<EtcdKey>& read, TimePoint deadline);
  // A value that is not one of a tag is logged and left out.
  std::vector<StoredTag> tags_of(const std::vector<EtcdKey>& keys);
  Result<StoreHead> head_of(const std::vector<EtcdKey>& read) const;

  const std::string cluster_key_;
  const std::string store_key_;
  const std::string tags_key_;
  const LogCallback log_;
  EtcdClient client_;
  KnownTags known_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_ROWS_H_
