// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_CLUSTER_GUARD_H_
#define FEATHERID_LIB_STORE_ETCD_CLUSTER_GUARD_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "featherid/status.h"
#include "lib/base/mutex.h"

namespace featherid {

// Notices another cluster, and one that went back: each answer gives the cluster's id and the
// revision of all its keys, which only grows. Thread-safe.
class ClusterGuard {
 public:
  // `record`: the key that says which cluster the tags belong to.
  explicit ClusterGuard(std::string record) : record_(std::move(record)) {}

  struct Seen {
    std::string cluster;        // empty: none has answered yet
    std::int64_t revision = 0;  // the highest
  };

  // Take it before a call is sent: answers to calls at once may come in another order than their
  // revisions.
  Seen seen() const {
    const MutexLock lock(mutex_);
    return seen_;
  }

  // Judges an answer to a call that was sent after `before` was taken. `wrote`: the call made that
  // revision, so nobody may have seen it before. kDataLoss: its cluster is another one, or has lost
  // changes.
  Status judge(const Seen& before, const std::string& cluster, std::int64_t revision, bool wrote) {
    const MutexLock lock(mutex_);
    if (seen_.cluster.empty()) seen_.cluster = cluster;
    if (seen_.cluster != cluster) return another_cluster(seen_.cluster, cluster);
    const std::int64_t found = wrote ? revision - 1 : revision;
    if (found < before.revision) return went_back(before.revision, found);
    seen_.revision = std::max(seen_.revision, revision);
    return {};
  }

  Status another_cluster(const std::string& known, const std::string& answered) const {
    return {StatusCode::kDataLoss,
            "etcd cluster " + answered + " answers, but the tags belong to cluster " + known +
                "; if a snapshot was restored, advance every tag past the ids ever handed out "
                "(featherid advance TAG ID), delete the key " +
                record_ + ", and restart every process; otherwise correct the address"};
  }
  static Status went_back(std::int64_t seen, std::int64_t answered) {
    return {StatusCode::kDataLoss,
            "etcd went back from revision " + std::to_string(seen) + " to " +
                std::to_string(answered) +
                ", so leases are lost; advance every tag past the ids ever handed out (featherid "
                "advance TAG ID), and restart every process"};
  }

 private:
  const std::string record_;
  mutable Mutex mutex_;
  Seen seen_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_CLUSTER_GUARD_H_
