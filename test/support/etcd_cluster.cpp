// SPDX-License-Identifier: MIT
#include "test/support/etcd_cluster.h"

#include <unistd.h>

#include <algorithm>
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
  complete();
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
  bool serves = false;
  wait_until([&] { return ended(member) || (serves = healthy(member)); }, kStartMax);
  if (serves) return;
  throw std::runtime_error("etcd does not start: " +
                           read_file(scratch_.file("log-" + std::to_string(member))));
}

void EtcdCluster::stop(std::size_t member, int signal_number) {
  if (members_[member].process) members_[member].process->stop(signal_number);
}

std::string EtcdCluster::endpoints() {
  std::string text;
  for (std::size_t i = 0; i < size(); ++i) {
    if (ended(i)) continue;
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

// "http://127.0.0.1:2379, 8211f1d0f64f3269, 3.4.23, 20 kB, true, false, 7, …": the fifth says
// whether it leads, the seventh in which term. One that was cut off may still believe that it
// leads.
std::size_t EtcdCluster::leader() {
  std::size_t found = size();
  const auto look = [&] {
    long long newest = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const long long term = ended(i) ? 0 : leads_in_term(i);
      if (term > newest) found = i;
      newest = std::max(newest, term);
    }
    return found != size();
  };
  if (!wait_until(look, kStartMax)) throw std::runtime_error("no member leads");
  return found;
}

long long EtcdCluster::leads_in_term(std::size_t member) {
  try {
    const std::string status =
        tool({"--endpoints=" + client_url(member), "--command-timeout=2s", "endpoint", "status"},
             "status");
    const std::string words = ", true, false, ";
    const std::size_t at = status.find(words);
    return at == std::string::npos ? 0 : std::stoll(status.substr(at + words.size()));
  } catch (const std::exception&) {  // it does not answer
    return 0;
  }
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

std::unique_ptr<ChildProcess> EtcdCluster::inject(std::size_t member, const std::string& fault) {
  const std::string calls = "fsync,fdatasync";
  ChildProcess::Options options;
  options.output_file = scratch_.file("strace");
  std::filesystem::remove(options.output_file);
  auto tracer = std::make_unique<ChildProcess>(
      std::vector<std::string>{"strace", "-f", "-p", std::to_string(pid(member)), "-e",
                               "trace=" + calls, "-e", "inject=" + calls + ":" + fault, "-o",
                               "/dev/null"},
      options);
  const auto attached = [&] {
    return read_file(options.output_file).find(" attached") != std::string::npos;
  };
  if (wait_until([&] { return attached() || ended(member); })) return tracer;
  throw std::runtime_error("strace: " + read_file(options.output_file));
}

std::unique_ptr<ChildProcess> EtcdCluster::slow_disk(std::size_t member,
                                                     std::chrono::milliseconds by) {
  return inject(member, "delay_exit=" + std::to_string(by.count() * 1000));
}

std::unique_ptr<ChildProcess> EtcdCluster::broken_disk(std::size_t member) {
  return inject(member, "error=EIO");
}

// "8211f1d0f64f3269, started, member-0, http://10.78.0.1:2380, …", without name and number until
// the member has started.
std::string EtcdCluster::listed(const std::string& peer_url) {
  const std::string list = ctl({"member", "list"});
  const std::size_t at = list.find(", " + peer_url + ",");
  if (at == std::string::npos) return "";
  const std::size_t line = list.rfind('\n', at);
  const std::size_t begin = line == std::string::npos ? 0 : line + 1;
  return list.substr(begin, list.find(',', begin) - begin);
}

// A change of the members that meets an election is lost, and etcd says nothing. So it is asked for
// until the list shows it.
void EtcdCluster::change_members(const std::string& peer_url, bool in,
                                 const std::vector<std::string>& change) {
  const bool changed = wait_until(
      [&] {
        try {
          std::string id = listed(peer_url);
          if (id.empty() != in) return true;
          std::vector<std::string> arguments = {"--command-timeout=5s", "member"};
          arguments.insert(arguments.end(), change.begin(), change.end());
          if (!in) arguments.push_back(id);
          ctl(arguments);
        } catch (const std::exception&) {  // the others must know one another again first
        }
        return false;
      },
      kStartMax);
  if (!changed) throw std::runtime_error("the members cannot be changed");
}

void EtcdCluster::replace(std::size_t member) {
  stop(member);
  change_members(peer_url(member), false, {"remove"});
  members_[member].data = scratch_.file("data-" + std::to_string(data_folders_++));
  change_members(peer_url(member), true,
                 {"add", name_of(member), "--peer-urls=" + peer_url(member)});
  is_new_ = false;
  start(member);
}

void EtcdCluster::complete() {
  for (std::size_t i = 0; i < size(); ++i) {
    if (ended(i)) launch(i);
  }
  for (std::size_t i = 0; i < size(); ++i) await_healthy(i);
}

// etcdctl cannot.
void EtcdCluster::raise_alarm(std::size_t member, const std::string& alarm) {
  const auto call = [&](const std::string& path, const std::string& body) {
    const std::string file = scratch_.file("alarm");
    std::filesystem::remove(file);
    ChildProcess::Options options;
    options.output_file = file;
    run({"curl", "-sS", "-f", "-m", "30", "-d", body, client_url(member) + path}, options);
    return read_file(file);
  };
  const std::string words = "\"member_id\":\"";
  const std::string status = call("/v3/maintenance/status", "{}");
  const std::size_t at = status.find(words);
  if (at == std::string::npos) throw std::runtime_error("no status: " + status);
  const std::size_t id = at + words.size();
  call("/v3/maintenance/alarm", R"({"action":"ACTIVATE","memberID":")" +
                                    status.substr(id, status.find('"', id) - id) +
                                    R"(","alarm":")" + alarm + R"("})");
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
  complete();
}

}  // namespace featherid::test
