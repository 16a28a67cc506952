// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_CLUSTER_MARK_H_
#define FEATHERID_LIB_STORE_SOCI_CLUSTER_MARK_H_

#include <functional>
#include <string>

#include "lib/store/soci_dialect.h"
#include "lib/store/soci_session.h"

namespace featherid {

// Tells whether a Galera cluster has lived on since its last leases. All its nodes count as one
// server, so LeaderGuard alone does not see that all of them have crashed, which may lose what they
// committed last. Each node therefore has marks in its memory, which end with its process: the
// terms of id_leader that it has lived in. A lease requires the mark of the term on record.
// Thread-safe.
class ClusterMark {
 public:
  // Calls a function with a session of one address of the database after the other, until it gives
  // true; passes over addresses that fail. Gives whether it gave true.
  using AskNodes =
      std::function<bool(SociSession& asking, const std::function<bool(SociSession& node)>& ask)>;

  ClusterMark(const MarkSql& sql, AskNodes ask_nodes)
      : sql_(sql), ask_nodes_(std::move(ask_nodes)) {}

  // What the conditions of a statement that hands out or takes back ids end in on a node.
  std::string condition(long long term) const;

  struct Node {
    bool has_record = false;  // of a leader
    long long term = 0;       // on record
    bool leads = false;       // the record names its cluster
    bool lives = false;       // it has lived in that term, and has the mark
    Status refused;           // its marks would outlive it
  };
  // What a node is. A node that has joined since the term began has no mark. If another node of the
  // cluster has lived in that term, the cluster has lived on, and this one is given the mark.
  // Throws as SociSession does. Outside a transaction: with one the mark would reach other nodes.
  Node look(SociSession& session) const;

  // Marks the node with a term that is about to begin, in a transaction of its own on this session.
  void add(SociSession& session, long long term) const;

 private:
  struct Answer {
    Node node;
    std::string cluster;  // what tells it from any other
  };
  Answer ask(SociSession& session) const;

  const MarkSql& sql_;
  const AskNodes ask_nodes_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_CLUSTER_MARK_H_
