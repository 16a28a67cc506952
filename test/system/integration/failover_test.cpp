// SPDX-License-Identifier: MIT
// Tests the guard against a database that went backwards: the primary dies with leases that its
// replica never saw, and the replica is promoted behind the same address.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <vector>

#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

#define DATABASES MYSQL_SERVERS, PostgresqlServer

namespace {

constexpr std::int64_t kGuardIds = 100000;
constexpr char kMaxOfOrder[] = "SELECT max_id FROM id_segments WHERE biz_tag = 'order'";
constexpr char kRecorded[] = "SELECT server FROM id_leader";
constexpr char kCountLeaderTables[] =
    "SELECT count(*) FROM information_schema.tables "
    "WHERE table_schema = 'ids' AND table_name = 'id_leader'";
constexpr char kOtherLeads[] = "UPDATE id_leader SET server = 'another server'";

// What a process of FeatherID knows of the database: its store and its warnings.
struct Process {
  explicit Process(const std::string& url, Failover failover = Failover::kSkip) {
    SociStoreOptions options = patient_options();
    options.failover = failover;
    options.failover_guard_ids = kGuardIds;
    options.log = [this](LogLevel, std::string_view line) {
      if (line.find("FAILOVER") == std::string_view::npos) return;
      ++failovers;
      told = line;
    };
    store = *open_soci_store(url, options);
  }

  void lease(int times, std::int64_t count_ids) {
    for (int i = 0; i < times; ++i) {
      const Result<IdRange> range = store->lease("order", count_ids);
      if (range.ok()) leased.push_back(*range);
    }
  }

  std::atomic<int> failovers{0};
  std::string told;
  std::vector<IdRange> leased;
  std::unique_ptr<Store> store;
};

// Leases that the replica sees, then leases that it does not, then `fail_over()`.
template <typename CutOff, typename FailOver>
void lose_leases(const std::string& url, RawSql& primary, const std::string& replica_url,
                 CutOff cut_off, FailOver fail_over) {
  Process a(url);
  Process b(url);
  Process cautious(url, Failover::kStop);
  a.lease(3, 10);
  b.lease(3, 10);
  REQUIRE(cautious.store->lease("user", 1).ok());
  const long long seen = primary.number(kMaxOfOrder);
  CHECK(seen == 60);
  // The lease does the same on the replica as on the primary.
  REQUIRE(wait_until([&] {
    RawSql replica(replica_url);
    return replica.number("SELECT max_id FROM id_segments WHERE biz_tag = 'user'") == 1 &&
           replica.number(kMaxOfOrder) == seen;
  }));
  cut_off();
  a.lease(5, 10);
  b.lease(5, 10);
  REQUIRE(primary.number(kMaxOfOrder) == 160);
  const std::string old_leader = primary.text(kRecorded);
  fail_over();

  const Status refused = cautious.store->lease("order", 10).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kDataLoss);
  CHECK(says(refused, old_leader));
  CHECK(RawSql(replica_url).number(kMaxOfOrder) == 60);
  CHECK(*a.store->give_back("order", a.leased[2]) == false);

  auto other = std::async(std::launch::async, [&] { b.lease(20, 10); });
  a.lease(20, 10);
  other.get();
  CHECK(a.leased.size() == 28);
  CHECK(b.leased.size() == 28);
  std::vector<IdRange> all = a.leased;
  all.insert(all.end(), b.leased.begin(), b.leased.end());
  check_disjoint(all);
  // One of them skipped, once, and every tag with it.
  CHECK(a.failovers + b.failovers == 1);
  RawSql replica(replica_url);
  CHECK(replica.number(kMaxOfOrder) == 60 + kGuardIds + 400);
  CHECK(replica.number("SELECT max_id FROM id_segments WHERE biz_tag = 'user'") == 1 + kGuardIds);
  const std::string told = a.failovers > 0 ? a.told : b.told;
  INFO(told);
  CHECK(told.find(old_leader) != std::string::npos);
  CHECK(told.find(replica.text(kRecorded)) != std::string::npos);
  CHECK(old_leader != replica.text(kRecorded));
}

// Both replicas have followed only the first leader, up to the first lease. `promote(i)` lets
// replica i replace the leader.
template <typename CutOff, typename Promote>
void promote_two_in_a_row(const std::string& url, RawSql& primary,
                          const std::vector<std::string>& replica_urls, CutOff cut_off,
                          Promote promote) {
  for (const std::string& replica_url : replica_urls) {
    REQUIRE(
        wait_until([&] { return RawSql(replica_url).text(kRecorded) == primary.text(kRecorded); }));
  }
  cut_off();
  Process first(url);
  first.lease(2, 10);
  REQUIRE(first.leased.size() == 2);
  promote(0);
  Process second(url);
  second.lease(2, 10);
  REQUIRE(second.leased.size() == 2);
  CHECK(second.failovers == 1);
  CHECK(second.leased[0].first == kGuardIds + 1);

  promote(1);
  Process newcomer(url);
  newcomer.lease(1, 10);
  CHECK(newcomer.leased == std::vector<IdRange>{second.leased[0]});  // the operator's fault, …
  for (int i = 0; i < 2; ++i) {  // … which processes that saw the leader between report
    const Status status = second.store->lease("order", 10).status();
    INFO(status);
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK(says(status, "featherid advance"));
  }
  REQUIRE(newcomer.store->advance("order", second.leased[1].last()).ok());
  Process restarted(url);
  restarted.lease(1, 10);
  CHECK(restarted.leased == std::vector<IdRange>{{kGuardIds + 21, kGuardIds + 31}});
}

void check_missing_table(const std::string& url) {
  const auto store = fresh_store(url);
  Process knows_a_leader(url);
  REQUIRE(knows_a_leader.store->lease("user", 1).ok());
  RawSql(url).run("DROP TABLE id_leader");
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "featherid init"));
  CHECK(says(status, "taken over from another, first stop every process and advance every tag"));
  CHECK(says(status, "failover = synchronous"));
  CHECK(Process(url, Failover::kSynchronous).store->lease("order", 5)->first == 1);
  REQUIRE(init_soci_schema(url).ok());
  CHECK(store->lease("order", 1)->first == 6);  // the first leader is nothing to skip for
  const Status another_leader = lease_one(*knows_a_leader.store);
  CHECK(another_leader.code() == StatusCode::kDataLoss);
  CHECK(says(another_leader, "created again"));
  CHECK(says(another_leader, "featherid advance"));
  RawSql(url).run("DELETE FROM id_leader");
  CHECK(says(lease_one(*open_soci_store(url, patient_options()).value()), "featherid init"));
}

void check_skip(const std::string& url) {
  const auto store = fresh_store(url);
  REQUIRE(store->lease("order", 10).ok());
  RawSql sql(url);
  const std::string here = sql.text(kRecorded);
  sql.run(kOtherLeads);
  sql.run("UPDATE id_segments SET step = 2147483647 WHERE biz_tag = 'user'");
  sql.run(
      "INSERT INTO id_segments (biz_tag, max_id, step) VALUES "
      "('full', 9223372036854775807, 1), ('nearly', 9223372036854775800, 1), ('bad', -5, 1)");
  Process process(url);
  CHECK(process.store->lease("order", 10)->first == kGuardIds + 11);
  CHECK(process.failovers == 1);
  CHECK(sql.text(kRecorded) == here);
  CHECK(process.store->find("user")->max_id == 21474836470);  // ten steps
  CHECK(process.store->find("full")->max_id == 9223372036854775807);
  CHECK(process.store->find("nearly")->max_id == kIdMax);
  CHECK(process.store->find("bad")->max_id == -5);
  CHECK(process.store->lease("nearly", 1).status().code() == StatusCode::kExhausted);
  // Another process sees that it is done.
  Process other(url);
  CHECK(other.store->lease("order", 10)->first == kGuardIds + 21);
  CHECK(other.failovers == 0);
}

// Runs the operator's commands from the message.
void obey(const Status& status, RawSql& sql) {
  const std::string& message = status.message();
  const std::size_t begin = message.find("UPDATE id_leader");
  REQUIRE(begin != std::string::npos);
  sql.run(message.substr(begin, message.find(';', begin) - begin));
}

void check_stop(const std::string& url) {
  const auto store = fresh_store(url);
  REQUIRE(store->lease("order", 10).ok());
  RawSql sql(url);
  sql.run(kOtherLeads);
  CHECK(*store->give_back("order", {6, 11}) == false);
  Process process(url, Failover::kStop);
  for (int i = 0; i < 2; ++i) {
    const Status status = process.store->lease("order", 10).status();
    INFO(status);
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK(says(status, "another server"));
    CHECK(says(status, "featherid advance"));
  }
  CHECK(sql.number(kMaxOfOrder) == 10);
  REQUIRE(process.store->advance("order", 500).ok());
  obey(lease_one(*process.store), sql);
  CHECK(process.store->lease("order", 10)->first == 501);
  // A process that has leased nothing, such as an operator's, is not refused either.
  CHECK(*Process(url).store->give_back("order", {501, 511}));
}

void check_older_rows(const std::string& url) {
  const auto store = fresh_store(url);
  REQUIRE(store->lease("order", 10).ok());
  RawSql(url).run("UPDATE id_leader SET term = term - 1");
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kDataLoss);
  CHECK(says(status, "older"));
  CHECK(store->find("order")->max_id == 10);
}

// A lease that is logged as a statement would find another server and other settings on the replica
// and do nothing there.
void check_statement_log_is_refused(const std::string& url, RawSql& sql) {
  sql.run("SET GLOBAL binlog_format = STATEMENT");
  for (const Failover failover : {Failover::kSkip, Failover::kSynchronous}) {
    const Status status = lease_one(*Process(url, failover).store);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "binlog_format"));
  }
  sql.run("SET GLOBAL binlog_format = MIXED");
}

// A failover in progress holds a lock on the leader, but it does not delay leases.
void check_no_lock(const std::string& url) {
  const auto store = fresh_store(url);
  REQUIRE(store->lease("order", 10).ok());
  RawSql other(url);
  other.run("BEGIN");
  other.text("SELECT server FROM id_leader FOR UPDATE");
  CHECK(lease_one(*store).ok());
  other.run("COMMIT");
}

// Leases on one row with and without the guard, in turn. Prints the medians.
void print_cost(const char* engine, const std::string& url) {
  constexpr int kLeases = 2000;
  fresh_store(url);
  const Process with(url);
  const Process without(url, Failover::kSynchronous);
  std::vector<double> took[2];
  for (int i = 0; i < 2 * kLeases; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE((i % 2 == 0 ? with : without).store->lease("order", 10).ok());
    const auto end = std::chrono::steady_clock::now();
    took[i % 2].push_back(std::chrono::duration<double, std::micro>(end - begin).count());
  }
  for (std::vector<double>& all : took) std::sort(all.begin(), all.end());
  const double guarded = took[0][kLeases / 2];
  const double plain = took[1][kLeases / 2];
  std::cout << engine << ": a lease takes " << guarded << " us with the failover guard, " << plain
            << " us without: " << guarded / plain << " x" << std::endl;
}

template <typename Server>
void follow(RawSql& replica, const Server& primary) {
  replica.run(Server::change_source(primary.port()));
  replica.run("START REPLICA");
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: leases that a promoted replica never saw are not made again",
                   "[failover]", MYSQL_SERVERS) {
  TestType primary({"--server-id=1", "--log-bin", "--sync-binlog=1"});
  TestType replica({"--server-id=2"});
  RawSql at_primary(primary.url());
  RawSql at_replica(replica.url());
  REQUIRE(init_soci_schema(primary.url()).ok());
  check_statement_log_is_refused(primary.url(), at_primary);
  follow(at_replica, primary);
  Forwarder address(primary.port());
  const std::string url = with_port(primary.url(), address.port());
  REQUIRE(wait_until([&] { return at_replica.number(kCountLeaderTables) == 1; }));
  Process survivor(url);
  lose_leases(
      url, at_primary, replica.url(), [&] { at_replica.run("STOP REPLICA"); },
      [&] {
        primary.stop(SIGKILL);
        at_replica.run("RESET REPLICA ALL");
        address.switch_to(replica.port());
      });

  // The old primary returns by mistake. Its rows lack the leases of the new one.
  REQUIRE(survivor.store->lease("order", 1).ok());
  primary.start();
  address.switch_to(primary.port());
  const Status status = survivor.store->lease("order", 1).status();
  INFO(status);
  CHECK(status.code() == StatusCode::kDataLoss);
}

TEST_CASE("MariaDB: a server does not take the lead while its replication runs", "[failover]") {
  MariadbServer primary({"--server-id=1", "--log-bin", "--sync-binlog=1"});
  MariadbServer replica({"--server-id=2"});
  RawSql at_replica(replica.url());
  at_replica.run("CREATE USER plain@'%' IDENTIFIED BY 'p'");
  at_replica.run("GRANT SELECT, UPDATE ON ids.* TO plain@'%'");
  const std::string plain = "mysql://plain:p@127.0.0.1:" + std::to_string(replica.port()) + "/ids";
  REQUIRE(init_soci_schema(primary.url()).ok());
  follow(at_replica, primary);
  REQUIRE(Process(primary.url()).store->lease("order", 10).ok());
  REQUIRE(wait_until([&] {
    return at_replica.number(kCountLeaderTables) == 1 && at_replica.number(kMaxOfOrder) == 10;
  }));
  primary.stop(SIGKILL);

  Process process(plain);
  const auto check_refused = [&](const Status& status) {
    INFO(status);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "STOP REPLICA; RESET REPLICA ALL"));
    CHECK(at_replica.number(kMaxOfOrder) == 10);
  };
  check_refused(lease_one(*process.store));
  check_refused(lease_one(*Process(plain, Failover::kStop).store));
  at_replica.run("STOP REPLICA IO_THREAD");
  check_refused(lease_one(*process.store));
  CHECK(process.failovers == 0);
  at_replica.run("STOP REPLICA");
  at_replica.run("RESET REPLICA ALL");
  CHECK(process.store->lease("order", 10)->first == kGuardIds + 11);
  CHECK(process.failovers == 1);
}

TEST_CASE("PostgreSQL: leases that a promoted replica never saw are not made again", "[failover]") {
  PostgresqlServer primary;
  REQUIRE(init_soci_schema(primary.url()).ok());
  PostgresqlServer replica(primary);
  RawSql at_primary(primary.url());
  // A process does not stay at a server that cannot be written.
  REQUIRE(open_soci_store({replica.url(), primary.url()}).value()->lease("health", 1).ok());
  Forwarder address(primary.port());
  lose_leases(
      with_port(primary.url(), address.port()), at_primary, replica.url(), [&] { replica.stop(); },
      [&] {
        primary.stop(SIGKILL);
        replica.start();
        CHECK(RawSql(replica.url()).text("SELECT pg_promote()") == "t");
        address.switch_to(replica.port());
      });
}

TEMPLATE_TEST_CASE("MySQL: two replicas of the first leader, promoted in a row, are distinguished",
                   "[failover]", MYSQL_SERVERS) {
  TestType primary({"--server-id=1", "--log-bin", "--sync-binlog=1"});
  TestType replicas[] = {TestType({"--server-id=2"}), TestType({"--server-id=3"})};
  RawSql at_replicas[] = {RawSql(replicas[0].url()), RawSql(replicas[1].url())};
  RawSql at_primary(primary.url());
  REQUIRE(init_soci_schema(primary.url()).ok());
  for (RawSql& at_replica : at_replicas) {
    follow(at_replica, primary);
    REQUIRE(wait_until([&] { return at_replica.number(kCountLeaderTables) == 1; }));
  }
  Forwarder address(primary.port());
  promote_two_in_a_row(
      with_port(primary.url(), address.port()), at_primary, {replicas[0].url(), replicas[1].url()},
      [&] {
        for (RawSql& at_replica : at_replicas) at_replica.run("STOP REPLICA");
      },
      [&](int i) {
        primary.stop(SIGKILL);
        at_replicas[i].run("RESET REPLICA ALL");
        address.switch_to(replicas[i].port());
      });
}

TEST_CASE("PostgreSQL: two replicas of the first leader, promoted in a row, are distinguished",
          "[failover]") {
  PostgresqlServer primary;
  REQUIRE(init_soci_schema(primary.url()).ok());
  PostgresqlServer first(primary);
  PostgresqlServer second(primary);
  PostgresqlServer* const replicas[] = {&first, &second};
  RawSql at_primary(primary.url());
  Forwarder address(primary.port());
  promote_two_in_a_row(
      with_port(primary.url(), address.port()), at_primary, {first.url(), second.url()},
      [&] {
        for (PostgresqlServer* const replica : replicas) replica->stop();
      },
      [&](int i) {
        primary.stop(SIGKILL);
        replicas[i]->start();
        CHECK(RawSql(replicas[i]->url()).text("SELECT pg_promote()") == "t");
        address.switch_to(replicas[i]->port());
      });
}

TEMPLATE_TEST_CASE("a failover moves each table of the database, whoever notices it first",
                   "[failover]", DATABASES) {
  const std::string url = shared<TestType>().url();
  const std::string other_url = url + "?table=other";
  const auto store = fresh_store(url);
  RawSql sql(url);
  sql.run("DROP TABLE IF EXISTS other");
  sql.run("DROP TABLE IF EXISTS other_leader");
  REQUIRE(init_soci_schema(other_url, patient_options()).ok());
  const auto other = *open_soci_store(other_url, patient_options());
  REQUIRE(store->lease("order", 10).ok());
  REQUIRE(other->lease("order", 10).ok());
  // As if another server had led both until now.
  sql.run("UPDATE id_leader SET server = 'another'");
  sql.run("UPDATE other_leader SET server = 'another'");
  SociStoreOptions options = patient_options();
  options.failover_guard_ids = kGuardIds;
  for (const std::string& each : {url, other_url}) {
    const auto noticing = *open_soci_store(each, options);
    CHECK(noticing->lease("order", 1)->first > kGuardIds);
  }
  sql.run("DROP TABLE other, other_leader");
}

TEMPLATE_TEST_CASE("without id_leader the error names both solutions", "[failover]", DATABASES) {
  check_missing_table(shared<TestType>().url());
}

TEMPLATE_TEST_CASE("a failover skips on every tag, once, up to its end", "[failover]", DATABASES) {
  check_skip(shared<TestType>().url());
}

TEMPLATE_TEST_CASE("in the mode stop, a failover is kDataLoss until an operator has acted",
                   "[failover]", DATABASES) {
  check_stop(shared<TestType>().url());
}

TEMPLATE_TEST_CASE("rows from before a failover that was seen are kDataLoss", "[failover]",
                   DATABASES) {
  check_older_rows(shared<TestType>().url());
}

TEMPLATE_TEST_CASE("a lease does not wait for a lock on the leader", "[failover]", DATABASES) {
  check_no_lock(shared<TestType>().url());
}

TEST_CASE("the cost of the failover guard", "[.][cost]") {
  print_cost("MariaDB", mariadb().url());
  print_cost("MySQL", shared<MysqlServer>().url());
  print_cost("PostgreSQL", postgresql().url());
}
