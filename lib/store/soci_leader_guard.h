// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_LEADER_GUARD_H_
#define FEATHERID_LIB_STORE_SOCI_LEADER_GUARD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "featherid/soci_store.h"
#include "featherid/status.h"
#include "lib/store/soci_cluster_mark.h"
#include "lib/store/soci_dialect.h"
#include "lib/store/soci_session.h"

namespace featherid {

// Sees that leases are made only on the server that leads the rows, as id_leader records it, and
// moves the rows past what a failover may have lost when that is another server, or the same
// Galera cluster after all its nodes have crashed. Thread-safe.
class LeaderGuard {
 public:
  // `warn` is called once for every failover that this process deals with.
  LeaderGuard(const LeaderSql& sql, const SociStoreOptions& options,
              ClusterMark::AskNodes ask_nodes, std::function<void(const std::string&)> warn,
              const TableNames& names = {});

  // On a Galera cluster always: all of its nodes may crash.
  bool active(const SociSession& session) const {
    return sql_.condition != nullptr &&
           (failover_ != Failover::kSynchronous || session.settings().in_galera);
  }
  bool knows_term() const { return term_.load() >= 0; }

  // What the conditions of a statement that hands out or takes back ids must end in; empty when
  // there is no guard.
  std::string condition(const SociSession& session) const;

  // After the condition did not hold. OK: this server leads by now, so the statement may be tried
  // again. kDataLoss: it does not lead, or the rows did not come from those that this process has
  // seen last. kFailedPrecondition: somebody has to fix the record, or to stop its replication.
  // Throws as SociSession does, and then nothing was changed. `stated` is an expression that must
  // hold in the transaction as well (SettingsGuard::stated()).
  Status follow(SociSession& session, const std::string& stated);

  // Gives the node of a Galera cluster the mark of its cluster, if it lacks it and another node has
  // it. Throws as SociSession does.
  void keep_mark(SociSession& session) const { mark_.look(session); }

 private:
  // What the row of id_leader and the server say.
  struct Lead {
    std::string recorded;
    std::string here;
    long long term = 0;
    bool lives = true;  // false: a cluster that has died as a whole
  };
  Status begin(SociSession& session) const;
  Status take_lead(SociSession& session, const Lead& lead, long long next,
                   std::string* warning) const;
  std::string what_happened(const Lead& lead) const;
  Status still_a_replica(const std::string& here) const;
  Status refuse(const Lead& lead) const;
  Status went_another_way(const std::string& here, long long term, long long seen) const;
  std::string furthest(SociSession& session) const;

  const LeaderSql& sql_;
  const Failover failover_;
  const long long skip_ids_;
  const ClusterMark mark_;
  const std::function<void(const std::string&)> warn_;
  const TableNames names_;

  // The number of leaders so far and, below it, random bits of the last one; 0 in a record of none,
  // negative as long as this process has seen no record.
  std::atomic<long long> term_{-1};
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_LEADER_GUARD_H_
