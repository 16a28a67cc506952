// SPDX-License-Identifier: MIT
#include "test/support/galera_cluster.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

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

GaleraCluster::GaleraCluster(std::vector<std::string> server_options)
    : server_options_(std::move(server_options)), nodes_(kNodes) {
  std::filesystem::create_directory(scratch_.path() / "run");
  std::filesystem::permissions(scratch_.path() / "run", std::filesystem::perms::all);
  for (Node& node : nodes_) {
    node.port = free_port();
    node.cluster_port = free_port();
    node.increment_port = free_port();
    node.transfer_port = free_port();
  }
  prepare();
  // The others start as copies. Otherwise each would need a whole state transfer, one after the
  // other.
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

void GaleraCluster::end_transfer(std::size_t node) const {
  for (const char* name : {"/wsrep_sst.pid", "/rsync_sst.pid"}) {
    const std::string pid_file = file(node, "data") + name;
    const pid_t pid = std::atoi(read_file(pid_file).c_str());
    std::filesystem::remove(pid_file);
    // Another program may have the number now.
    const std::string command = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (pid > 0 && command.find(file(node, "data")) != std::string::npos) ::kill(pid, SIGKILL);
  }
}

void GaleraCluster::launch(std::size_t node, const std::string& peers,
                           const std::vector<std::string>& more_options) {
  end_transfer(node);
  const Node& ports = nodes_[node];
  const std::string provider_options =
      "base_host=127.0.0.1;base_port=" + std::to_string(ports.cluster_port) +
      ";gmcast.listen_addr=tcp://" + loopback(ports.cluster_port) +
      ";ist.recv_addr=" + loopback(ports.increment_port) + ";gcache.size=16M";
  // Without the plugin wsrep_provider of MariaDB 11.8, which lets nobody change provider options.
  std::vector<std::string> argv = {"/usr/sbin/mariadbd",
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
                                   "--loose-plugin-wsrep-provider=OFF",
                                   "--wsrep-on=ON",
                                   "--wsrep-provider=/usr/lib/galera/libgalera_smm.so",
                                   "--wsrep-provider-options=" + provider_options,
                                   "--wsrep-cluster-name=featherid-test",
                                   "--wsrep-cluster-address=" + peers,
                                   "--wsrep-node-name=node-" + std::to_string(node),
                                   "--wsrep-node-address=127.0.0.1",
                                   "--wsrep-sst-method=rsync",
                                   "--wsrep-sst-receive-address=" + loopback(ports.transfer_port)};
  argv.insert(argv.end(), server_options_.begin(), server_options_.end());
  argv.insert(argv.end(), more_options.begin(), more_options.end());
  nodes_[node].process.emplace(argv, as_server(file(node, "log")));
}

void GaleraCluster::start(std::size_t node) {
  launch(node);
  await_synced(node);
}

void GaleraCluster::stop(std::size_t node, int signal_number) {
  if (nodes_[node].process) nodes_[node].process->stop(signal_number);
}

void GaleraCluster::kill_all() {
  for (std::size_t node = 0; node < kNodes; ++node) {
    if (nodes_[node].process) nodes_[node].process->signal(SIGKILL);
  }
  for (std::size_t node = 0; node < kNodes; ++node) stop(node, SIGKILL);
}

std::string GaleraCluster::recover(std::size_t node) {
  const std::string before = read_file(file(node, "log"));
  launch(node, kNoPeers, {"--wsrep-recover"});
  if (!nodes_[node].process->wait(kJoinMax)) throw std::runtime_error("--wsrep-recover hangs");
  const std::string log = read_file(file(node, "log")).substr(before.size());
  constexpr std::string_view kPosition = "Recovered position: ";
  const std::size_t found = log.rfind(kPosition);
  if (found == std::string::npos) throw std::runtime_error("no position is recovered: " + log);
  const std::size_t begin = found + kPosition.size();
  return log.substr(begin, log.find_first_of(", \n", begin) - begin);
}

void GaleraCluster::launch_recovered(std::size_t node, const std::string& peers,
                                     const std::string& position) {
  launch(node, peers, {"--wsrep-start-position=" + position});
}

std::size_t GaleraCluster::begin_again() {
  std::vector<std::string> positions;
  std::vector<long long> numbers;
  for (std::size_t node = 0; node < kNodes; ++node) {
    positions.push_back(recover(node));
    numbers.push_back(std::stoll(positions[node].substr(positions[node].find(':') + 1)));
  }
  const auto first =
      static_cast<std::size_t>(std::max_element(numbers.begin(), numbers.end()) - numbers.begin());
  // As an operator does: this node may start the cluster without those it saw last.
  std::filesystem::remove(file(first, "data") + "/gvwstate.dat");
  run({"sed", "-i", "s/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/",
       file(first, "data") + "/grastate.dat"});
  launch_recovered(first, kNoPeers, positions[first]);
  await_synced(first);
  for (std::size_t node = 0; node < kNodes; ++node) {
    if (node != first) launch_recovered(node, peers(), positions[node]);
  }
  for (std::size_t node = 0; node < kNodes; ++node) await_synced(node);
  return first;
}

void GaleraCluster::find_again() {
  std::vector<std::string> positions;
  for (std::size_t node = 0; node < kNodes; ++node) positions.push_back(recover(node));
  for (std::size_t node = 0; node < kNodes; ++node) {
    launch_recovered(node, peers(), positions[node]);
  }
  for (std::size_t node = 0; node < kNodes; ++node) await_synced(node);
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

void GaleraCluster::await_synced(std::size_t node) {
  bool joined = false;
  wait_until(
      [&] {
        joined = synced(node);
        return joined || nodes_[node].process->wait(std::chrono::milliseconds(0));
      },
      kJoinMax);
  if (joined) return;
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
