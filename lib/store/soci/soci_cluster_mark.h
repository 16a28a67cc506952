// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_CLUSTER_MARK_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_CLUSTER_MARK_H_

#include <functional>
#include <string>

#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_session.h"
#include "lib/store/soci/table_names.h"

namespace featherid {

// Tells whether a Galera cluster has stayed up since its last leases. All its nodes count as one
// server, so LeaderGuard alone does not notice when all of them crash, which may lose their last
// commits. Therefore each node keeps marks in its memory, which disappear with its process: the
// terms of id_leader during which it was up. A lease requires the mark of the term on record.
// Thread-safe.
class ClusterMark {
 public:
  // Calls a function with a session of each address of the database in turn, until it returns true.
  // Skips addresses that fail. Returns whether the function returned true.
  using AskNodes =
      std::function<bool(SociSession& asking, const std::function<bool(SociSession& node)>& ask)>;

  // `names`: of the tables, for messages.
  ClusterMark(const MarkSql& sql, AskNodes ask_nodes, const TableNames& names = {})
      : sql_(sql), ask_nodes_(std::move(ask_nodes)), names_(names) {}

  // On a node, the end of the conditions of a statement that leases ids or takes them back.
  std::string condition(long long term) const;

  struct Node {
    bool has_record = false;  // of a leader
    long long term = 0;       // on record
    bool leads = false;       // the record names its cluster
    bool lives = false;       // it was up in that term, and has the mark
    Status refused;           // its marks would outlive it
  };
  // The state of a node. A node that has joined since the term began has no mark. If another node
  // of the cluster was up in that term, the cluster has stayed up, and this node is given the mark.
  // Throws as SociSession does. Not inside a transaction: that would send the mark to other nodes.
  Node look(SociSession& session) const;

  // Marks the node with a term that is about to begin, in a transaction of its own on this session.
  void add(SociSession& session, long long term) const;

 private:
  struct Answer {
    Node node;
    std::string cluster;  // its unique name
  };
  Answer ask(SociSession& session) const;

  const MarkSql& sql_;
  const AskNodes ask_nodes_;
  const TableNames names_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_CLUSTER_MARK_H_
