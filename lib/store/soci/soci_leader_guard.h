// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_LEADER_GUARD_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_LEADER_GUARD_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "featherid/soci_store.h"
#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "lib/store/soci/soci_cluster_mark.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_session.h"

namespace featherid {

// Ensures that leases are made only on the server that leads the rows, as recorded in id_leader. If
// another server has taken over, or all nodes of a Galera cluster have crashed, every tag skips
// what may have been lost. Thread-safe.
class LeaderGuard {
 public:
  // Logs every failover that this process handles, once.
  LeaderGuard(const LeaderSql& sql, const SociStoreOptions& options,
              ClusterMark::AskNodes ask_nodes, const TableNames& names = {});

  // Always on a Galera cluster, because all of its nodes may crash.
  bool active(const SociSession& session) const {
    return sql_.condition != nullptr &&
           (failover_ != Failover::kSynchronous || session.settings().in_galera);
  }
  bool knows_term() const { return term_.load() >= 0; }

  // The end of the conditions of a statement that leases ids or takes them back; empty if there is
  // no guard.
  std::string condition(const SociSession& session) const;

  // Called after the condition did not hold. OK: this server leads now, so the statement may be
  // tried again. kDataLoss: it does not lead, or its rows do not descend from those that this
  // process saw last. kFailedPrecondition: somebody must fix the record, or stop the server's
  // replication. Throws as SociSession does; then nothing was changed. `stated`: an expression that
  // must also hold in the transaction (SettingsGuard::stated()).
  Status follow(SociSession& session, const std::string& stated);

  // Whether the record still has the term that this process knows; true if either is missing. If
  // not, follow() says what that means. Throws as SociSession does.
  bool has_known_term(SociSession& session) const;

  // The term on record; 0 if there is no guard or no record. Throws as SociSession does.
  std::int64_t recorded_term(SociSession& session) const;

  // The leader that this process saw last; empty if it has seen none.
  std::string leader() const EXCLUDES(mutex_);

  // How many leaders there were before the one that this process knows.
  std::int64_t failovers() const;

  // For what must stop every process that knows the term: another term of the same leader, from
  // which theirs does not descend. Marks the node of a Galera cluster with it. Call it before the
  // transaction, record it in the transaction, and learn it after that. All throw as SociSession
  // does. record_renewal() is false if this server does not lead, or not in the known term.
  long long renewed_term(SociSession& session) const;
  bool record_renewal(SociSession& session, long long term) const;
  void learn_renewal(long long term);

  // Gives the node of a Galera cluster the mark of its cluster, if it lacks it and another node has
  // it. Throws as SociSession does.
  void keep_mark(SociSession& session) const { mark_.look(session); }

 private:
  // The row of id_leader, and what this server is.
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
  // Moves every tag past what may have been lost. Says so.
  std::string skip(SociSession& session) const;
  // In the records of tags with periods.
  void note_failovers(SociSession& session, long long failovers) const;

  const LeaderSql& sql_;
  const Failover failover_;
  const long long skip_ids_;
  const ClusterMark mark_;
  const LogCallback log_;
  const WallClock own_clock_;
  const TableNames names_;

  // The number of leaders so far and, in the lower bits, random bits of the last one. 0: the record
  // names no leader. Negative: this process has seen no record yet.
  std::atomic<long long> term_{-1};

  mutable Mutex mutex_;
  std::string leader_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_LEADER_GUARD_H_
