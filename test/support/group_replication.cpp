// SPDX-License-Identifier: MIT
#include "test/support/group_replication.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "test/support/mysql_server.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr char kGroupName[] = "--group-replication-group-name=F1D00000-0000-4000-8000-00000000000A";
constexpr int kGroupPort = 33061;
constexpr std::chrono::seconds kJoinMax(60);

std::string in_group(std::size_t member) {
  return PrivateNetwork::inner_address(member) + ":" + std::to_string(kGroupPort);
}

}  // namespace

GroupReplication::GroupReplication() : processes_(kMembers) {
  for (std::size_t member = 0; member < kMembers; ++member) {
    MysqlServer::make_data(file(member, "data"));
    launch(member, {});
  }
  for (std::size_t member = 0; member < kMembers; ++member) {
    await_answers(member);
    client(member).tell(
        "SET SQL_LOG_BIN = 0; CREATE USER recovery@'%'; GRANT REPLICATION SLAVE, "
        "CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO recovery@'%'; "
        "CREATE USER featherid@'%'; GRANT ALL ON *.* TO featherid@'%'; "
        "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'recovery' "
        "FOR CHANNEL 'group_replication_recovery'");
  }
  bootstrap();
  for (std::size_t member = 1; member < kMembers; ++member) {
    client(member).tell("START GROUP_REPLICATION");
  }
  for (std::size_t member = 0; member < kMembers; ++member) await_online(member);
}

void GroupReplication::bootstrap() {
  client(0).tell(
      "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION; "
      "SET GLOBAL group_replication_bootstrap_group = OFF; CREATE DATABASE ids");
}

SqlClient GroupReplication::client(std::size_t member) const {
  return SqlClient(file(member, "socket"));
}

std::string GroupReplication::file(std::size_t member, const std::string& name) const {
  return scratch_.file(name + "-" + std::to_string(member));
}

void GroupReplication::launch(std::size_t member, const std::vector<std::string>& more) {
  std::string seeds;
  for (std::size_t each = 0; each < kMembers; ++each) {
    seeds += (seeds.empty() ? "" : ",") + in_group(each);
  }
  std::vector<std::string> argv = {MysqlServer::program(),
                                   "--datadir=" + file(member, "data"),
                                   "--socket=" + file(member, "socket"),
                                   "--pid-file=" + file(member, "pid"),
                                   "--port=" + std::to_string(kPort),
                                   "--skip-name-resolve",
                                   "--server-id=" + std::to_string(member + 1),
                                   "--report-host=" + PrivateNetwork::inner_address(member),
                                   "--innodb-buffer-pool-size=32M",
                                   "--innodb-redo-log-capacity=16M",
                                   "--log-bin=" + binary_log(member),
                                   "--gtid-mode=ON",
                                   "--enforce-gtid-consistency=ON",
                                   "--plugin-load-add=group_replication.so",
                                   kGroupName,
                                   "--group-replication-start-on-boot=OFF",
                                   "--group-replication-local-address=" + in_group(member),
                                   "--group-replication-group-seeds=" + seeds,
                                   "--group-replication-member-expel-timeout=0"};
  if (::geteuid() == 0) argv.emplace_back("--user=root");
  argv.insert(argv.end(), more.begin(), more.end());
  ChildProcess::Options options;
  options.output_file = file(member, "log");
  options.environment = {"TMPDIR=" + scratch_.path().string()};
  processes_[member].emplace(network_.on(member, argv), options);
}

void GroupReplication::start(std::size_t member) {
  launch(member, {"--super-read-only=ON", "--group-replication-start-on-boot=ON"});
  await_online(member);
}

void GroupReplication::start_alone(std::size_t member) {
  launch(member, {});
  await_answers(member);
}

void GroupReplication::stop(std::size_t member, int signal_number) {
  processes_[member]->stop(signal_number);
}

void GroupReplication::isolate(std::size_t member) { network_.set_connected(member, false); }

void GroupReplication::reconnect(std::size_t member) { network_.set_connected(member, true); }

void GroupReplication::set_multi_primary(bool multi_primary) {
  client(0).tell(multi_primary ? "SELECT group_replication_switch_to_multi_primary_mode()"
                               : "SELECT group_replication_switch_to_single_primary_mode()");
}

std::optional<std::size_t> GroupReplication::primary() const {
  for (std::size_t member = 0; member < kMembers; ++member) {
    const auto host = client(member).ask(
        "SELECT p.member_host FROM performance_schema.replication_group_members p "
        "JOIN performance_schema.replication_group_members own "
        "WHERE p.member_role = 'PRIMARY' AND p.member_state = 'ONLINE' "
        "AND own.member_id = @@server_uuid AND own.member_state = 'ONLINE' "
        "AND (SELECT count(*) FROM performance_schema.replication_group_members "
        "WHERE member_state = 'ONLINE') >= 2");
    for (std::size_t each = 0; host && each < kMembers; ++each) {
      if (*host == PrivateNetwork::inner_address(each)) return each;
    }
  }
  return std::nullopt;
}

void GroupReplication::make_primary(std::size_t member) {
  if (primary() == member) return;
  client(member).tell("DO group_replication_set_as_primary(@@server_uuid)");
}

std::string GroupReplication::state(std::size_t member, std::size_t seen_by) const {
  return client(seen_by)
      .ask(
          "SELECT member_state FROM performance_schema.replication_group_members "
          "WHERE member_host = '" +
          PrivateNetwork::inner_address(member) + "'")
      .value_or("");
}

void GroupReplication::await_answers(std::size_t member) const {
  if (wait_until([&] { return client(member).ask("SELECT 1").has_value(); }, kJoinMax)) return;
  throw std::runtime_error("member " + std::to_string(member) +
                           " does not start: " + read_file(file(member, "log")));
}

void GroupReplication::await_online(std::size_t member) const {
  const bool online = wait_until(
      [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // each query is a process
        const std::string own = state(member, member);
        if (own == "ERROR") {
          static_cast<void>(client(member).ask("STOP GROUP_REPLICATION; START GROUP_REPLICATION"));
        }
        // A member that was stopped or cut off may not know yet that it was expelled.
        const std::size_t other = (member + 1) % kMembers;
        return own == "ONLINE" && state(member, other) == "ONLINE" &&
               state(other, other) == "ONLINE";
      },
      kJoinMax);
  if (online) return;
  throw std::runtime_error("member " + std::to_string(member) +
                           " is not in the group: " + read_file(file(member, "log")));
}

void GroupReplication::await_applied() const {
  for (std::size_t member = 0; member < kMembers; ++member) {
    client(member).tell("SET group_replication_consistency = 'BEFORE'; SELECT 1 FROM dual");
  }
}

std::string GroupReplication::url(std::size_t member, const std::string& user) {
  return "mysql://" + user + "@" + address(member) + "/ids";
}

std::vector<std::string> GroupReplication::urls() {
  std::vector<std::string> urls;
  for (std::size_t member = 0; member < kMembers; ++member) urls.push_back(url(member));
  return urls;
}

}  // namespace featherid::test
