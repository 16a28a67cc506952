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
// that the user `featherid` owns. The constructor starts them in about ten seconds, or throws. As
// root they run as the user `mysql`, because rsync would otherwise serve nothing.
class GaleraCluster {
 public:
  static constexpr std::size_t kNodes = 3;

  // `server_options`: for every node, besides its own.
  explicit GaleraCluster(std::vector<std::string> server_options = {});

  int port(std::size_t node) const { return nodes_[node].port; }
  std::string url(std::size_t node) const;
  std::vector<std::string> urls() const;  // of all nodes, the first one first
  pid_t pid(std::size_t node) const { return nodes_[node].process->pid(); }

  // After stop(), while another node runs: the node joins.
  void launch(std::size_t node) { launch(node, peers()); }
  // The same. The node has caught up when this returns.
  void start(std::size_t node);
  // After SIGKILL it does not know its position and later needs a whole state transfer from a
  // donor.
  void stop(std::size_t node, int signal_number = SIGTERM);

  // SIGKILL for all nodes at once. Only what is on the disks is left of the cluster.
  void kill_all();
  // After all nodes have ended: starts the cluster again with the furthest node according to
  // --wsrep-recover, lets the others join, and returns that node.
  std::size_t begin_again();
  // The same without an operator: the nodes that were killed find one another (pc.recovery).
  void find_again();

  // Cuts a node off from the others, or lets it see them again; its clients stay connected.
  void isolate(std::size_t node);
  void rejoin(std::size_t node);

  // The value of a wsrep_… status variable, or empty if the node does not answer.
  std::string status(std::size_t node, const std::string& variable) const;
  // It belongs to the majority and has caught up.
  bool synced(std::size_t node) const;
  // Waits until it is. Throws with its log if it ends or needs longer than a minute.
  void await_synced(std::size_t node);
  // Waits until every node has applied what the cluster has committed so far.
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
  // Starts node 0 alone, creates the user and the database, and stops it.
  void prepare();
  // What a killed node leaves of a state transfer. The next transfer would wait for it.
  void end_transfer(std::size_t node) const;
  void launch(std::size_t node, const std::string& peers,
              const std::vector<std::string>& more_options = {});
  // The last transaction on a node that has ended, as "history:number".
  std::string recover(std::size_t node);
  // Starts it at that position, as the server's systemd unit does.
  void launch_recovered(std::size_t node, const std::string& peers, const std::string& position);
  std::string peers() const;
  SqlClient client(std::size_t node) const;

  const std::vector<std::string> server_options_;
  ScratchDir scratch_;
  std::vector<Node> nodes_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_GALERA_CLUSTER_H_
