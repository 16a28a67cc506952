// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_GROUP_REPLICATION_H_
#define FEATHERID_TEST_SUPPORT_GROUP_REPLICATION_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/private_network.h"
#include "test/support/scratch_dir.h"
#include "test/support/sql_client.h"

namespace featherid::test {

// Three MySQLs of one Group Replication in single-primary mode, with an empty database `ids` and a
// user `featherid` who needs no password. They are in a PrivateNetwork, because a member listens
// for the others on all interfaces. See there for when this may be made. The constructor starts
// them in about ten seconds, or throws.
class GroupReplication {
 public:
  static constexpr std::size_t kMembers = 3;
  static constexpr int kPort = 3306;

  GroupReplication();

  static std::string address(std::size_t member) { return PrivateNetwork::address(member); }
  static std::string url(std::size_t member, const std::string& user = "featherid");
  static std::vector<std::string> urls();  // of all members, the first one first
  pid_t pid(std::size_t member) const { return processes_[member]->pid(); }
  SqlClient client(std::size_t member) const;  // as root
  // The path of its log without the numbers of its files. It has everything that the group has
  // committed.
  std::string binary_log(std::size_t member) const { return file(member, "binlog"); }

  // After stop(), while there is a group: the member joins and is online when this returns.
  void start(std::size_t member);
  // The same with a common server configuration: it is writable and does not join a group by
  // itself.
  void start_alone(std::size_t member);
  void stop(std::size_t member, int signal_number = SIGTERM);

  // Cuts a member off from the others, or lets it see them again; its clients stay connected.
  void isolate(std::size_t member);
  void reconnect(std::size_t member);

  void set_multi_primary(bool multi_primary);
  // The member that is writable in single-primary mode according to the majority, if there is one.
  std::optional<std::size_t> primary() const;
  void make_primary(std::size_t member);

  // Waits until it is a member that has caught up. Throws with its log if that takes longer than a
  // minute. An expelled member joins again.
  void await_online(std::size_t member) const;
  // Waits until every member has applied what the group has committed so far.
  void await_applied() const;

 private:
  std::string file(std::size_t member, const std::string& name) const;
  void launch(std::size_t member, const std::vector<std::string>& more);
  void await_answers(std::size_t member) const;
  void bootstrap();
  std::string state(std::size_t member, std::size_t seen_by) const;

  PrivateNetwork network_{kMembers};
  ScratchDir scratch_;
  std::deque<std::optional<ChildProcess>> processes_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_GROUP_REPLICATION_H_
