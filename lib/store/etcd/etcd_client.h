// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_CLIENT_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_CLIENT_H_

#include <memory>
#include <string>

#include "featherid/etcd_store.h"
#include "lib/base/clock.h"
#include "lib/store/etcd/cluster_guard.h"
#include "lib/store/etcd/etcd_txn.h"
#include "lib/store/etcd/etcd_url.h"
#include "lib/store/http_client/http_servers.h"

namespace featherid {

// How the members of a cluster are called.
HttpServers::Options etcd_servers_options(const EtcdUrl& url, const EtcdStoreOptions& options);

// Transactions of a cluster: with a login if there is one, and each answer judged by the
// ClusterGuard. Thread-safe.
class EtcdClient {
 public:
  EtcdClient(EtcdUrl url, const EtcdStoreOptions& options);
  ~EtcdClient();
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  // When a call that begins now must end.
  TimePoint deadline() const;

  // One that only reads is sent again elsewhere if no answer comes. One that writes is sent once,
  // except after an answer that proves that it changed nothing. kUnavailable: for one that writes,
  // it is open whether it did. kDataLoss: see ClusterGuard.
  Result<EtcdTxn::Answer> run(const EtcdTxn& txn, TimePoint deadline);

  // The cluster that has answered; empty: none has yet.
  std::string cluster() const;
  // The member that answered last; empty: none has yet.
  std::string member() const;

  // The time by the clocks of the members. kFailedPrecondition: their answers do not give it.
  Result<WallTime> time() const;
  // The process's own clock.
  WallTime own_time() const;

  // As ClusterGuard says it of the cluster that answers, if the keys are of `recorded`.
  Status another_cluster(const std::string& recorded) const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_CLIENT_H_
