// SPDX-License-Identifier: MIT
#include <csignal>
#include <deque>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/forwarder.h"
#include "test/support/mysql_server.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"
#include "test/system/campaign/binary_log.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/network_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

// In SQL: the position of a primary, that of a replica, and the function that waits for it.
struct PositionSql {
  const char* primary;
  const char* replica;
  const char* wait;
};
template <typename Server>
constexpr PositionSql kPosition = {};
template <>
constexpr PositionSql kPosition<test::MariadbServer> = {"@@gtid_binlog_pos", "@@gtid_slave_pos",
                                                        "MASTER_GTID_WAIT"};
template <>
constexpr PositionSql kPosition<test::MysqlServer> = {
    "@@global.gtid_executed", "@@global.gtid_executed", "WAIT_FOR_EXECUTED_GTID_SET"};

// A primary and a replica that lags. In a failover the replica replaces the primary behind one
// address, without the last leases, and gets a new replica itself.
template <typename Server>
class MysqlReplicaEngine final : public Engine {
 public:
  MysqlReplicaEngine();

  std::vector<std::string> urls() const override {
    return {test::with_port(primary_->url(), address_.port())};
  }
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(primary_->url(),
                                          "SET SESSION innodb_lock_wait_timeout = 5");
  }
  void drop_guard() override { guarded_ = false; }
  std::vector<Fault> faults(Random& random) override;
  std::vector<Move> moves() override;
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {{"connections cut", address_.cuts()}};
  }

 private:
  std::unique_ptr<Server> make_server();
  void follow_primary();
  void await_replica();
  void lose_primary(milliseconds lag);
  void promote();

  test::ScratchDir scratch_;
  std::deque<BinaryLog> logs_;  // of all servers, also former ones
  std::unique_ptr<Server> primary_ = make_server();
  std::unique_ptr<Server> replica_ = make_server();
  test::Forwarder address_{primary_->port()};
  CutProgress cut_progress_;
  bool primary_lost_ = false;
  bool guarded_ = true;
  std::int64_t last_term_ = 0;  // of the leader before the primary, in id_leader
};

template <typename Server>
MysqlReplicaEngine<Server>::MysqlReplicaEngine() {
  make_schema(primary_->url());
  follow_primary();
}

template <typename Server>
std::unique_ptr<Server> MysqlReplicaEngine<Server>::make_server() {
  const std::string number = std::to_string(logs_.size() + 1);
  logs_.emplace_back(Server::binary_log_reader(), scratch_.file("binlog-" + number));
  return std::make_unique<Server>(
      // Its own domain, or its writes at the start would be out of order. MySQL has no domains, and
      // logs a primary's changes by default.
      logs_.back().flags({"--server-id=" + number, "--loose-gtid-domain-id=" + number,
                          "--loose-log-slave-updates"}));
}

// Also moves that were lost with their server: its log still exists, and its leases are in use. A
// replica writes what it receives into its own log.
template <typename Server>
std::vector<Move> MysqlReplicaEngine<Server>::moves() {
  std::set<std::tuple<std::string, std::int64_t, std::int64_t>> distinct;
  for (const BinaryLog& log : logs_) {
    for (Move& move : log.moves()) distinct.emplace(std::move(move.tag), move.from, move.to);
  }
  std::vector<Move> moves;
  for (const auto& [tag, from, to] : distinct) moves.push_back({tag, from, to});
  return moves;
}

// From its first transaction on.
template <typename Server>
void MysqlReplicaEngine<Server>::follow_primary() {
  test::RawSql sql(replica_->url());
  sql.run("STOP REPLICA");
  sql.run(Server::change_source(primary_->port()));
  sql.run("START REPLICA");
  await_replica();
}

template <typename Server>
void MysqlReplicaEngine<Server>::await_replica() {
  const PositionSql& sql = kPosition<Server>;
  const std::string position =
      test::RawSql(primary_->url()).text(std::string("SELECT ") + sql.primary);
  test::RawSql replica(replica_->url());
  const std::string wait = std::string("SELECT ") + sql.wait + "('" + position + "', 60)";
  if (replica.number(wait) == 0) return;
  throw std::runtime_error("the replica does not catch up; its position is " +
                           replica.text(std::string("SELECT ") + sql.replica) + " of " + position);
}

// As an operator must: only a replica of the last leader may replace it.
template <typename Server>
void MysqlReplicaEngine<Server>::lose_primary(milliseconds lag) {
  test::RawSql replica(replica_->url());
  const auto followed = [&] {
    return !guarded_ || replica.number("SELECT term FROM id_leader") > last_term_;
  };
  if (!test::wait_until(followed, std::chrono::seconds(30))) {
    throw std::runtime_error("nobody leases at the primary, or the replica does not follow it");
  }
  replica.run("STOP REPLICA");
  std::this_thread::sleep_for(lag);  // leases that the replica never sees
  primary_->stop(SIGKILL);
  primary_lost_ = true;
}

// May be retried after a failure: it continues from there and promotes nobody twice.
template <typename Server>
void MysqlReplicaEngine<Server>::promote() {
  if (primary_lost_) {
    test::RawSql sql(replica_->url());
    sql.run("RESET REPLICA ALL");
    last_term_ = sql.number("SELECT term FROM id_leader");
    address_.switch_to(replica_->port());
    primary_ = std::move(replica_);
    primary_lost_ = false;
  }
  if (replica_ == nullptr) replica_ = make_server();
  follow_primary();
}

template <typename Server>
std::vector<Fault> MysqlReplicaEngine<Server>::faults(Random& random) {
  const milliseconds lag(random.pick(50, 1500));
  std::vector<Fault> faults = network_faults(address_, cut_progress_);
  faults.push_back({"failover to a replica without the last leases",
                    {"database"},
                    milliseconds(0),
                    milliseconds(3000),
                    [=] { lose_primary(lag); },
                    [=] { promote(); }});
  faults.push_back({"kill -9 of the primary, which comes back",
                    {"database"},
                    milliseconds(0),
                    milliseconds(2000),
                    [=] { primary_->stop(SIGKILL); },
                    [=] {
                      primary_->start();
                      await_replica();
                    }});
  return faults;
}

}  // namespace

std::unique_ptr<Engine> make_mariadb_replica_engine() {
  return std::make_unique<MysqlReplicaEngine<test::MariadbServer>>();
}

std::unique_ptr<Engine> make_mysql_replica_engine() {
  return std::make_unique<MysqlReplicaEngine<test::MysqlServer>>();
}

}  // namespace featherid::campaign
