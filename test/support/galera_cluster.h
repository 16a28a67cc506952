// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_GALERA_CLUSTER_H_
#define FEATHERID_TEST_SUPPORT_GALERA_CLUSTER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"
#include "test/support/sql_client.h"

namespace featherid::test {

// Three MariaDBs of one Galera cluster, on free ports of 127.0.0.1, with an empty database `ids`
// that the user `featherid` owns. Starts in the constructor, which takes some ten seconds; throws
// when it cannot. As root it runs as the user `mysql`, without whom rsync would serve nothing.
class GaleraCluster {
 public:
  static constexpr std::size_t kNodes = 3;

  // `server_options`: of every node, besides its own.
  explicit GaleraCluster(std::vector<std::string> server_options = {});

  int port(std::size_t node) const { return nodes_[node].port; }
  std::string url(std::size_t node) const;
  std::vector<std::string> urls() const;  // of all nodes, the first one first
  pid_t pid(std::size_t node) const { return nodes_[node].process->pid(); }

  // After stop(), while another node is there: it joins.
  void launch(std::size_t node) { launch(node, peers()); }
  // The same, and it has caught up when this returns.
  void start(std::size_t node);
  // With SIGKILL it forgets how far it was, and takes a whole state transfer from a donor later.
  void stop(std::size_t node, int signal_number = SIGTERM);

  // SIGKILL for all nodes at once: nothing is left of the cluster but what is on the disks.
  void kill_all();
  // After all nodes have ended: begins the cluster again with the node that got furthest, as
  // --wsrep-recover tells, and lets the others join. Gives that node.
  std::size_t begin_again();
  // The same without an operator: the nodes that were killed find one another (pc.recovery).
  void find_again();

  // Cuts a node off from the others, or lets it see them again; its clients stay connected.
  void isolate(std::size_t node);
  void rejoin(std::size_t node);

  // The value of a wsrep_… status variable; empty when the node does not answer.
  std::string status(std::size_t node, const std::string& variable) const;
  // It belongs to the majority and has caught up.
  bool synced(std::size_t node) const;
  // Waits until it is; throws, with its log, when it ends or that takes longer than a minute.
  void await_synced(std::size_t node);
  // Waits until every node has applied what the cluster has committed by now.
  void await_applied() const;

 private:
  struct Node {
    int port;          // for clients
    int cluster_port;  // for the other nodes
    int increment_port;
    int transfer_port;
    std::optional<ChildProcess> process;
  };

  std::string file(std::size_t node, const std::string& name) const;
  // Node 0 as a cluster of its own: makes the user and the database, stops again.
  void prepare();
  // What a killed node leaves behind of a state transfer; the next one would wait for it.
  void end_transfer(std::size_t node) const;
  void launch(std::size_t node, const std::string& peers,
              const std::vector<std::string>& more_options = {});
  // The last transaction that a node which has ended still has, as "history:number".
  std::string recover(std::size_t node);
  // After that, as a systemd unit of the server does.
  void launch_recovered(std::size_t node, const std::string& peers, const std::string& position);
  std::string peers() const;
  SqlClient client(std::size_t node) const;

  const std::vector<std::string> server_options_;
  ScratchDir scratch_;
  std::vector<Node> nodes_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_GALERA_CLUSTER_H_
