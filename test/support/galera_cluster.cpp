// SPDX-License-Identifier: MIT
#include "test/support/galera_cluster.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr char kNoPeers[] = "gcomm://";  // begins a cluster
constexpr std::chrono::seconds kJoinMax(60);

ChildProcess::Options as_server(const std::string& output_file) {
  ChildProcess::Options options;
  options.user = "mysql";
  options.output_file = output_file;
  return options;
}

std::string loopback(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

GaleraCluster::GaleraCluster() : nodes_(kNodes) {
  std::filesystem::create_directory(scratch_.path() / "run");
  std::filesystem::permissions(scratch_.path() / "run", std::filesystem::perms::all);
  for (Node& node : nodes_) {
    node.port = free_port();
    node.cluster_port = free_port();
    node.increment_port = free_port();
    node.transfer_port = free_port();
  }
  prepare();
  // The others begin as copies, or each would take a whole state transfer first, after the other.
  for (std::size_t node = 1; node < kNodes; ++node) {
    run({"cp", "-a", file(0, "data"), file(node, "data")}, as_server(""));
  }
  launch(0, kNoPeers);
  await_synced(0);
  for (std::size_t node = 1; node < kNodes; ++node) launch(node, peers());
  for (std::size_t node = 1; node < kNodes; ++node) await_synced(node);
}

void GaleraCluster::prepare() {
  run({"mariadb-install-db", "--no-defaults", "--skip-test-db",
       "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M",
       "--datadir=" + file(0, "data")},
      as_server(file(0, "log")));
  launch(0, kNoPeers);
  await_synced(0);
  for (const char* sql : {"CREATE DATABASE ids", "CREATE USER featherid@'%' IDENTIFIED BY 'secret'",
                          "GRANT ALL ON *.* TO featherid@'%'"}) {
    client(0).tell(sql);
  }
  stop(0);
}

SqlClient GaleraCluster::client(std::size_t node) const { return SqlClient(file(node, "socket")); }

std::string GaleraCluster::file(std::size_t node, const std::string& name) const {
  return scratch_.file("run/" + name + "-" + std::to_string(node));
}

std::string GaleraCluster::peers() const {
  std::string peers = kNoPeers;
  for (const Node& node : nodes_) peers += loopback(node.cluster_port) + ",";
  peers.pop_back();
  return peers;
}

void GaleraCluster::launch(std::size_t node, const std::string& peers) {
  const Node& ports = nodes_[node];
  const std::string provider_options =
      "base_host=127.0.0.1;base_port=" + std::to_string(ports.cluster_port) +
      ";gmcast.listen_addr=tcp://" + loopback(ports.cluster_port) +
      ";ist.recv_addr=" + loopback(ports.increment_port) + ";gcache.size=16M";
  nodes_[node].process.emplace(
      std::vector<std::string>{"/usr/sbin/mariadbd",
                               "--no-defaults",
                               "--datadir=" + file(node, "data"),
                               "--socket=" + file(node, "socket"),
                               "--pid-file=" + file(node, "pid"),
                               "--port=" + std::to_string(ports.port),
                               "--bind-address=127.0.0.1",
                               "--skip-name-resolve",
                               "--server-id=" + std::to_string(node + 1),
                               "--character-set-server=utf8mb4",
                               "--innodb-buffer-pool-size=32M",
                               "--innodb-log-file-size=16M",
                               "--binlog-format=ROW",
                               "--innodb-autoinc-lock-mode=2",
                               "--wsrep-on=ON",
                               "--wsrep-provider=/usr/lib/galera/libgalera_smm.so",
                               "--wsrep-provider-options=" + provider_options,
                               "--wsrep-cluster-name=featherid-test",
                               "--wsrep-cluster-address=" + peers,
                               "--wsrep-node-name=node-" + std::to_string(node),
                               "--wsrep-node-address=127.0.0.1",
                               "--wsrep-sst-method=rsync",
                               "--wsrep-sst-receive-address=" + loopback(ports.transfer_port)},
      as_server(file(node, "log")));
}

void GaleraCluster::start(std::size_t node) {
  launch(node, peers());
  await_synced(node);
}

void GaleraCluster::stop(std::size_t node, int signal_number) {
  if (nodes_[node].process) nodes_[node].process->stop(signal_number);
}

void GaleraCluster::isolate(std::size_t node) {
  client(node).tell("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
}

void GaleraCluster::rejoin(std::size_t node) {
  client(node).tell("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'");
}

std::string GaleraCluster::status(std::size_t node, const std::string& variable) const {
  return client(node)
      .ask(
          "SELECT variable_value FROM information_schema.global_status "
          "WHERE variable_name = '" +
          variable + "'")
      .value_or("");
}

bool GaleraCluster::synced(std::size_t node) const {
  return status(node, "wsrep_local_state_comment") == "Synced" &&
         status(node, "wsrep_cluster_status") == "Primary";
}

void GaleraCluster::await_synced(std::size_t node) const {
  if (wait_until([&] { return synced(node); }, kJoinMax)) return;
  throw std::runtime_error("node " + std::to_string(node) +
                           " is not in the cluster: " + read_file(file(node, "log")));
}

void GaleraCluster::await_applied() const {
  for (std::size_t node = 0; node != kNodes; ++node)
    client(node).tell("SET wsrep_sync_wait = 1; SELECT 1");
}

std::string GaleraCluster::url(std::size_t node) const {
  return "mysql://featherid:secret@" + loopback(nodes_[node].port) + "/ids";
}

std::vector<std::string> GaleraCluster::urls() const {
  std::vector<std::string> urls;
  for (std::size_t node = 0; node < kNodes; ++node) urls.push_back(url(node));
  return urls;
}

}  // namespace featherid::test
