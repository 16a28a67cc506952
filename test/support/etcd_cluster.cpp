// SPDX-License-Identifier: MIT
#include "test/support/etcd_cluster.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr std::chrono::seconds kStartMax(60);

std::string name_of(std::size_t member) { return "member-" + std::to_string(member); }

}  // namespace

EtcdCluster::EtcdCluster(std::size_t members, Options options)
    : options_(std::move(options)), members_(members) {
  for (Member& member : members_) {
    member.port = free_port();
    member.peer_port = free_port();
    member.data = scratch_.file("data-" + std::to_string(data_folders_++));
  }
  for (std::size_t i = 0; i < members; ++i) launch(i);
  for (std::size_t i = 0; i < members; ++i) await_healthy(i);
}

EtcdCluster::~EtcdCluster() {
  for (std::size_t i = 0; i < size(); ++i) stop(i);
}

std::string EtcdCluster::address(std::size_t member) const {
  return (options_.network != nullptr ? PrivateNetwork::address(member) : "127.0.0.1") + ":" +
         std::to_string(port(member));
}

std::string EtcdCluster::client_url(std::size_t member) const {
  return (options_.tls ? "https://" : "http://") + address(member);
}

std::string EtcdCluster::peer_url(std::size_t member) const {
  const std::string host =
      options_.network != nullptr ? PrivateNetwork::inner_address(member) : "127.0.0.1";
  return "http://" + host + ":" + std::to_string(members_[member].peer_port);
}

std::string EtcdCluster::url(const std::string& prefix) const {
  std::string addresses;
  for (std::size_t i = 0; i < size(); ++i) addresses += (i == 0 ? "" : ",") + address(i);
  return (options_.tls ? "etcds://" : "etcd://") + addresses + "/" + prefix;
}

std::string EtcdCluster::initial_cluster() const {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) {
    text += (i == 0 ? "" : ",") + name_of(i) + "=" + peer_url(i);
  }
  return text;
}

void EtcdCluster::launch(std::size_t member) {
  const std::string state = is_new_ ? "new" : "existing";
  std::vector<std::string> argv = {"etcd",
                                   "--name=" + name_of(member),
                                   "--data-dir=" + members_[member].data,
                                   "--listen-client-urls=" + client_url(member),
                                   "--advertise-client-urls=" + client_url(member),
                                   "--listen-peer-urls=" + peer_url(member),
                                   "--initial-advertise-peer-urls=" + peer_url(member),
                                   "--initial-cluster=" + initial_cluster(),
                                   "--initial-cluster-token=" + token_,
                                   "--initial-cluster-state=" + state,
                                   "--heartbeat-interval=100",
                                   "--election-timeout=1000",
                                   "--logger=zap",
                                   "--log-level=warn"};
  argv.insert(argv.end(), options_.more_flags.begin(), options_.more_flags.end());
  if (options_.network != nullptr) argv = options_.network->on(member, argv);
  ChildProcess::Options options;
  options.output_file = scratch_.file("log-" + std::to_string(member));
  members_[member].process.emplace(argv, options);
}

std::string EtcdCluster::tool(const std::vector<std::string>& arguments,
                              const std::string& output) const {
  std::vector<std::string> argv = {"etcdctl", "--insecure-skip-tls-verify=true",
                                   "--dial-timeout=30s", "--command-timeout=30s"};
  argv.insert(argv.end(), options_.tool_flags.begin(), options_.tool_flags.end());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string file = scratch_.file(output);
  std::filesystem::remove(file);
  ChildProcess::Options options;
  options.environment = {"ETCDCTL_API=3"};
  options.output_file = file;
  run(argv, options);
  return read_file(file);
}

bool EtcdCluster::healthy(std::size_t member) const {
  try {
    tool({"--endpoints=" + client_url(member), "--command-timeout=2s", "endpoint", "health"},
         "health-" + std::to_string(member));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void EtcdCluster::await_healthy(std::size_t member) {
  const auto ended = [&] { return members_[member].process->wait(std::chrono::milliseconds(0)); };
  wait_until([&] { return ended() || healthy(member); }, kStartMax);
  if (!ended() && healthy(member)) return;
  throw std::runtime_error("etcd does not start: " +
                           read_file(scratch_.file("log-" + std::to_string(member))));
}

void EtcdCluster::stop(std::size_t member, int signal_number) {
  if (members_[member].process) members_[member].process->stop(signal_number);
}

std::string EtcdCluster::endpoints() {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) {
    if (members_[i].process->wait(std::chrono::milliseconds(0))) continue;
    text += (text.empty() ? "" : ",") + client_url(i);
  }
  return text;
}

std::string EtcdCluster::ctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> on_members = {"--endpoints=" + endpoints()};
  on_members.insert(on_members.end(), arguments.begin(), arguments.end());
  return tool(on_members, "output");
}

std::string EtcdCluster::get(const std::string& key) {
  std::string value = ctl({"get", "--print-value-only", "--", key});
  if (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

// "http://127.0.0.1:2379, 8211f1d0f64f3269, 3.4.23, 20 kB, true, …": the fifth says who leads.
std::size_t EtcdCluster::leader() {
  std::size_t found = size();
  wait_until([&] {
    for (std::size_t i = 0; i < size(); ++i) {
      if (members_[i].process->wait(std::chrono::milliseconds(0))) continue;
      try {
        const std::string status =
            tool({"--endpoints=" + client_url(i), "--command-timeout=2s", "endpoint", "status"},
                 "status");
        if (status.find(", true, ") < status.find(", false, ")) found = i;
      } catch (const std::exception&) {  // it does not answer
      }
    }
    return found != size();
  });
  if (found == size()) throw std::runtime_error("no member leads");
  return found;
}

std::int64_t EtcdCluster::revision() {
  const std::string words = "\"Revision\" : ";
  const std::string status = ctl({"get", "x", "--write-out=fields"});
  const std::size_t at = status.find(words);
  if (at == std::string::npos) throw std::runtime_error("no revision: " + status);
  return std::stoll(status.substr(at + words.size()));
}

std::unique_ptr<ChildProcess> EtcdCluster::watch(const std::string& prefix, std::int64_t from,
                                                 const std::string& file) {
  ChildProcess::Options options;
  options.environment = {"ETCDCTL_API=3"};
  options.output_file = file;
  return std::make_unique<ChildProcess>(
      std::vector<std::string>{"etcdctl", "--endpoints=" + endpoints(), "watch", prefix, "--prefix",
                               "--rev=" + std::to_string(from), "--write-out=json"},
      options);
}

std::unique_ptr<ChildProcess> EtcdCluster::write_much() {
  ChildProcess::Options options;
  options.environment = {"ETCDCTL_API=3"};
  options.output_file = scratch_.file("writes");
  const std::string loop = "while :; do head -c 300000 /dev/urandom | base64 -w0 | etcdctl " +
                           ("--endpoints=" + endpoints()) + " put busy; done";
  return std::make_unique<ChildProcess>(std::vector<std::string>{"bash", "-c", loop}, options);
}

// "8211f1d0f64f3269, started, member-0, …"
void EtcdCluster::replace(std::size_t member) {
  stop(member);
  const std::string list = ctl({"member", "list"});
  const std::size_t name = list.find(", " + name_of(member) + ",");
  if (name == std::string::npos) throw std::runtime_error("no such member: " + list);
  const std::size_t line = name == 0 ? 0 : list.rfind('\n', name) + 1;
  ctl({"member", "remove", list.substr(line, list.find(',', line) - line)});
  members_[member].data = scratch_.file("data-" + std::to_string(data_folders_++));
  const auto add = [&] {
    try {
      ctl({"member", "add", name_of(member), "--peer-urls=" + peer_url(member)});
      return true;
    } catch (const std::exception&) {
      return false;  // the others must know one another again first
    }
  };
  if (!wait_until(add)) throw std::runtime_error("no member can be added");
  is_new_ = false;
  start(member);
}

std::string EtcdCluster::snapshot(const std::string& name) {
  std::string file = scratch_.file(name);
  std::filesystem::remove(file);
  tool({"--endpoints=" + client_url(leader()), "snapshot", "save", file}, "output");
  return file;
}

void EtcdCluster::restore(const std::string& snapshot, const std::string& token) {
  for (std::size_t i = 0; i < size(); ++i) stop(i);
  token_ = token;
  is_new_ = true;
  for (std::size_t i = 0; i < size(); ++i) {
    members_[i].data = scratch_.file("data-" + std::to_string(data_folders_++));
    tool({"snapshot", "restore", snapshot, "--name=" + name_of(i), "--data-dir=" + members_[i].data,
          "--initial-cluster=" + initial_cluster(), "--initial-cluster-token=" + token,
          "--initial-advertise-peer-urls=" + peer_url(i)},
         "output");
  }
  for (std::size_t i = 0; i < size(); ++i) launch(i);
  for (std::size_t i = 0; i < size(); ++i) await_healthy(i);
}

}  // namespace featherid::test
