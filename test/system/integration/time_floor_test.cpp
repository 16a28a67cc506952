// SPDX-License-Identifier: MIT
// Time floors on real servers: hostile clocks, and leases that a failover has lost.
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "lib/store/time_floor_rules.h"
#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;
using std::chrono::seconds;

#define DATABASES MYSQL_SERVERS, PostgresqlServer

namespace {

constexpr std::int64_t kGuardIds = 100000000;
constexpr char kMaxOfOrder[] = "SELECT max_id FROM id_segments WHERE biz_tag = 'order'";

// The tag `order` follows the clock.
void set_floor(Store& store, std::int64_t rate, std::int64_t lead_max_s) {
  TagChange change;
  change.floor.rate = rate;
  change.floor.lead_max_s = lead_max_s;
  const Status set = store.update("order", change);
  INFO(set);
  REQUIRE(set.ok());
}

SociStoreOptions options_with(Failover failover, std::vector<std::string>* log = nullptr) {
  SociStoreOptions options = patient_options();
  options.failover = failover;
  options.failover_guard_ids = kGuardIds;
  if (log != nullptr) {
    options.log = [log](LogLevel, std::string_view line) { log->emplace_back(line); };
  }
  return options;
}

// All that the lead leaves. Returns the last id.
std::int64_t use_up_lead(Store& store) {
  std::int64_t last = 0;
  for (int leases = 0; leases < 3; ++leases) {
    const Result<IdRange> range = store.lease("order", {1, kLeaseIdsMax});
    if (range.ok()) last = range->last();
  }
  REQUIRE(last > 0);
  return last;
}

// How far an id is from where the floor is by this machine's clock, in seconds.
double seconds_off(std::int64_t id, std::int64_t rate) {
  return lead_seconds({rate, 0, 10, false}, id, system_time());
}

// The user of the tests may do everything, so the server does not run init_connect for it.
std::string ordinary_user(InnodbServer& server) {
  RawSql sql(server.url());
  sql.run("CREATE USER IF NOT EXISTS 'leaser'@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ids.* TO 'leaser'@'%'");
  return "mysql://leaser:p@127.0.0.1:" + std::to_string(server.port()) + "/ids";
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: no setting of a session moves the floor", "[mysql][floor]",
                   MYSQL_SERVERS) {
  TestType& server = shared<TestType>();
  const auto admin = fresh_store(server.url());
  set_floor(*admin, 1000, 10);
  const std::string url = ordinary_user(server);
  RawSql sql(server.url());
  for (const char* const setting :
       {"SET timestamp = 1000000000", "SET timestamp = 2000000000", "SET time_zone = '+13:00'",
        "SET timestamp = 2000000000, time_zone = '-11:00'"}) {
    INFO(setting);
    sql.run("SET GLOBAL init_connect = \"" + std::string(setting) + "\"");
    const auto store = *open_soci_store(url, patient_options());
    const Result<IdRange> range = store->lease("order", 5);
    INFO(range.status());
    REQUIRE(range.ok());
    CHECK(std::abs(seconds_off(range->last(), 1000)) < 5);
    const SegmentRow row = *store->find("order");
    CHECK(std::abs(seconds_off(floor_at(row.floor, row.read_at), 1000)) < 5);
  }
  sql.run("SET GLOBAL init_connect = ''");
}

// There SET timestamp would move it.
TEST_CASE("MariaDB: a server that takes SYSDATE for NOW is refused", "[mysql][floor]") {
  MariadbServer server({"--sysdate-is-now"});
  const auto store = fresh_store(server.url());
  TagChange change;
  change.floor.rate = 1000;
  Status refused = store->update("order", change);
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(says(refused, "--sysdate-is-now"));
  RawSql sql(server.url());
  sql.run("INSERT INTO id_tags (biz_tag, version, floor_rate) VALUES ('order', 1, 1000)");
  refused = store->lease("order", 5).status();
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(says(refused, "--sysdate-is-now"));
  CHECK(sql.number(kMaxOfOrder) == 0);
  CHECK(store->lease("user", 5).ok());
}

TEMPLATE_TEST_CASE("a failover moves a tag to the end of its lead, and others by the guard's ids",
                   "[failover][floor]", DATABASES) {
  TestType& server = shared<TestType>();
  std::vector<std::string> log;
  const auto store = fresh_store(server.url(), options_with(Failover::kSkip, &log));
  constexpr std::int64_t kRate = 1000;
  set_floor(*store, kRate, 20);
  REQUIRE(store->lease("order", 5).ok());
  REQUIRE(store->lease("user", 5).ok());
  RawSql sql(server.url());
  sql.run("UPDATE id_segments SET max_id = 7 WHERE biz_tag = 'order'");  // the replica lags far
  sql.run("UPDATE id_leader SET server = 'another server'");
  const Result<IdRange> range = store->lease("user", 5);
  INFO(range.status());
  REQUIRE(range.ok());
  CHECK(range->first == 6 + kGuardIds);
  const double lead = seconds_off(sql.number(kMaxOfOrder), kRate);
  CHECK(lead > 15);
  CHECK(lead < 21);
  REQUIRE_FALSE(log.empty());
  CHECK(log.back().find("Tags with a time floor (1) skipped to the end of their lead") !=
        std::string::npos);
  // Only what has become due since is leased, until the clock has caught up.
  const std::int64_t skipped_to = sql.number(kMaxOfOrder);
  CHECK(store->lease("order", {19 * kRate, 20 * kRate}).status().code() ==
        StatusCode::kUnavailable);
  IdRange due;
  CHECK(wait_until([&] {
    const Result<IdRange> leased = store->lease("order", {1, 20 * kRate});
    if (leased.ok()) due = *leased;
    return leased.ok();
  }));
  CHECK(due.first == skipped_to + 1);
  CHECK(due.size() < 15 * kRate);

  // The guard's ids count too, but no more of them than the lead has.
  sql.run("UPDATE id_tags SET floor_lead_max = 1 WHERE biz_tag = 'order'");
  sql.run("UPDATE id_segments SET max_id = " + std::to_string(due.last() + 100000) +
          " WHERE biz_tag = 'order'");
  sql.run("UPDATE id_leader SET server = 'another server'");
  REQUIRE(store->lease("user", 5).ok());
  CHECK(sql.number(kMaxOfOrder) == due.last() + 100000 + kRate);
  // A tag whose lead only warns makes no promise of its own.
  sql.run("UPDATE id_tags SET floor_only_warns = 1 WHERE biz_tag = 'order'");
  sql.run("UPDATE id_leader SET server = 'another server'");
  REQUIRE(store->lease("user", 5).ok());
  CHECK(sql.number(kMaxOfOrder) == due.last() + 100000 + kRate + kGuardIds);
}

TEST_CASE("MariaDB: a failover without the guard repeats no id of a tag with a time floor",
          "[failover][floor]") {
  MariadbServer primary({"--server-id=1", "--log-bin"});
  MariadbServer replica({"--server-id=2", "--log-bin", "--log-slave-updates"});
  const SociStoreOptions unguarded = options_with(Failover::kSynchronous);
  constexpr std::int64_t kLeadMax = 2;
  const auto before = fresh_store(primary.url(), unguarded);
  set_floor(*before, 10000, kLeadMax);
  RawSql sql(replica.url());
  sql.run(MariadbServer::change_source(primary.port()));
  sql.run("START REPLICA");
  REQUIRE(before->lease("order", 5).ok());
  REQUIRE(before->lease("user", 5).ok());
  const long long seen = RawSql(primary.url()).number(kMaxOfOrder);
  REQUIRE(wait_until([&] {
    try {
      return RawSql(replica.url()).number(kMaxOfOrder) == seen;
    } catch (const std::exception&) {
      return false;  // the table is not there yet
    }
  }));
  sql.run("STOP REPLICA");
  const std::int64_t last = use_up_lead(*before);
  const std::int64_t last_plain = before->lease("user", 1000)->last();
  primary.stop(SIGKILL);

  // What the operator of such a database waits for.
  const auto after = *open_soci_store(replica.url(), unguarded);
  std::this_thread::sleep_for(seconds(kLeadMax));
  const Result<IdRange> range = after->lease("order", 5);
  INFO(range.status());
  REQUIRE(range.ok());
  CHECK(range->first > last);
  CHECK(after->lease("user", 5)->first <= last_plain);  // without a floor, ids come twice
}
