// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_ETCD_CLUSTER_H_
#define FEATHERID_TEST_SUPPORT_ETCD_CLUSTER_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/private_network.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// An etcd cluster on free ports of 127.0.0.1. The constructor starts it, or throws. It elects a new
// leader within about a second.
class EtcdCluster {
 public:
  struct Options {
    std::vector<std::string> more_flags = {};  // of each member
    bool tls = false;                          // to clients; the flags name the certificates
    std::vector<std::string> tool_flags = {};  // of etcdctl
    // One host for each member, at which clients and members reach it.
    const PrivateNetwork* network = nullptr;
  };
  explicit EtcdCluster(std::size_t members = 1) : EtcdCluster(members, Options()) {}
  EtcdCluster(std::size_t members, Options options);
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  std::size_t size() const { return members_.size(); }
  int port(std::size_t member) const { return members_[member].port; }
  pid_t pid(std::size_t member) const { return members_[member].process->pid(); }

  std::string address(std::size_t member) const;
  // "etcd://127.0.0.1:1,127.0.0.1:2/PREFIX"
  std::string url(const std::string& prefix = "featherid") const;

  void stop(std::size_t member, int signal_number = SIGKILL);
  // Starts it with its data, without waiting.
  void launch(std::size_t member);
  void start(std::size_t member) {
    launch(member);
    await_healthy(member);
  }
  void await_healthy(std::size_t member);
  bool healthy(std::size_t member) const;

  // The member that leads now. Throws if none does for long.
  std::size_t leader();

  // Runs etcdctl on the members that answer. Returns what it prints; throws if it fails.
  std::string ctl(const std::vector<std::string>& arguments);
  std::string get(const std::string& key);  // its value; empty if there is none
  void put(const std::string& key, const std::string& value) { ctl({"put", "--", key, value}); }

  std::int64_t revision();  // of the keys
  // A process that writes all events from that revision on into a file, as one JSON a line.
  std::unique_ptr<ChildProcess> watch(const std::string& prefix, std::int64_t from,
                                      const std::string& file);
  // A process that writes large values to a key of its own until it is ended.
  std::unique_ptr<ChildProcess> write_much();

  // While what it returns lives, each write of the member to its disk takes that much longer, or
  // fails. (strace does it from outside: etcd is linked statically, so nothing can be preloaded.)
  std::unique_ptr<ChildProcess> slow_disk(std::size_t member, std::chrono::milliseconds by);
  std::unique_ptr<ChildProcess> broken_disk(std::size_t member);
  // Whether its process does not run.
  bool ended(std::size_t member) {
    std::optional<ChildProcess>& process = members_[member].process;
    return !process || process->wait(std::chrono::milliseconds(0)).has_value();
  }
  // Starts those that do not run, and waits for all.
  void complete();

  // Replaces a member, which has lost its data, by a new one at the same place.
  void replace(std::size_t member);

  // Raises that alarm of the member, as it does by itself: "NOSPACE" or "CORRUPT".
  void raise_alarm(std::size_t member, const std::string& alarm);

  // A snapshot of all keys. restore() ends every member, and begins a cluster from it with that
  // token: another token gives another id.
  std::string snapshot(const std::string& name);
  void restore(const std::string& snapshot, const std::string& token);
  static constexpr const char* kToken = "featherid-test";

 private:
  struct Member {
    int port = 0;
    int peer_port = 0;
    std::string data;
    std::optional<ChildProcess> process;
  };
  std::string listed(const std::string& peer_url);  // its id as a member; empty: it is none
  void change_members(const std::string& peer_url, bool in, const std::vector<std::string>& change);
  std::unique_ptr<ChildProcess> inject(std::size_t member, const std::string& fault);
  std::string client_url(std::size_t member) const;
  std::string peer_url(std::size_t member) const;
  std::string initial_cluster() const;
  std::string endpoints();
  long long leads_in_term(std::size_t member);  // 0: it does not lead
  std::string tool(const std::vector<std::string>& arguments, const std::string& output) const;

  const ScratchDir scratch_;
  const Options options_;
  std::string token_ = kToken;
  bool is_new_ = true;  // a member that is added to a cluster is not
  int data_folders_ = 0;
  std::vector<Member> members_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_ETCD_CLUSTER_H_
