// SPDX-License-Identifier: MIT
// Periods on real servers: rows that a failover has lost, and processes that ask for them.
#include <chrono>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/store/period_rules.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;
using std::chrono::seconds;

#define DATABASES MYSQL_SERVERS, PostgresqlServer

namespace {

constexpr std::int64_t kGuardIds = 1000000;

SociStoreOptions options_with(Failover failover) {
  SociStoreOptions options = patient_options();
  options.failover = failover;
  options.failover_guard_ids = kGuardIds;
  return options;
}

// Days whose midnight is about twelve hours away.
PeriodRule noon() {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(system_time().time_since_epoch());
  const int of_day = static_cast<int>(minutes.count() % 1440);
  return {PeriodKind::kDay, 720 - of_day};
}

Period today(Store& store, const std::string& tag) {
  const Result<SegmentRow> row = store.find(tag);
  REQUIRE(row.ok());
  return period_at(row->period, row->read_at);
}

std::int64_t first_of(Store& store, const std::string& tag, const Period& period) {
  const Result<IdRange> range = store.lease_in_period(tag, period, 5);
  INFO(range.status());
  REQUIRE(range.ok());
  return range->first;
}

// The statements under the line "-- DATABASE" of the page, as an operator copies them.
std::vector<std::string> statements_after_restore(const std::string& database) {
  std::istringstream page(read_file(FEATHERID_SOURCE_DIR "/docs/operating/periods.md"));
  std::vector<std::string> statements;
  std::string text;
  bool wanted = false;
  for (std::string line; std::getline(page, line);) {
    const bool heads = line.compare(0, 3, "-- ") == 0;
    if (heads || line == "```") wanted = heads && line.find(database) != std::string::npos;
    if (!wanted || heads) continue;
    text += line + " ";
    if (line.back() == ';') statements.push_back(std::exchange(text, ""));
  }
  return statements;
}

// A day has issued ids, and a backup without its row is restored. Where does a new process begin?
std::int64_t first_after_restore(const std::string& url, const SociStoreOptions& options,
                                 const std::vector<std::string>& told) {
  const auto store = *open_soci_store(url, options);
  RawSql sql(url);
  NewTag tag(10);
  tag.options.period = noon();
  REQUIRE(store->create("daily", tag).ok());
  const Period day = today(*store, "daily");
  CHECK(first_of(*store, "daily", day) == 1);
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  for (const std::string& statement : told) sql.run(statement);
  const auto fresh = open_soci_store(url, options);
  REQUIRE(fresh.ok());
  return first_of(**fresh, "daily", day);
}

}  // namespace

TEMPLATE_TEST_CASE("a period whose row a failover lost does not begin at 1 again", "[period]",
                   DATABASES) {
  TestType& server = shared<TestType>();
  RawSql(server.url()).run("DROP TABLE IF EXISTS id_leader");  // other tests have had failovers
  const auto store = fresh_store(server.url(), options_with(Failover::kSkip));
  RawSql sql(server.url());
  NewTag tag(10);
  tag.options.period = noon();
  REQUIRE(store->create("daily", tag).ok());
  const Period day = today(*store, "daily");
  CHECK(first_of(*store, "daily", day) == 1);
  const auto noted = [&](const std::string& column) {
    return sql.number("SELECT " + column + " FROM id_tags WHERE biz_tag = 'daily'");
  };
  CHECK(noted("period_failovers") == 0);

  // The new leader lacks the row.
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  sql.run("UPDATE id_leader SET server = 'another' WHERE id = 1");
  CHECK(first_of(*store, "daily", day) == 1 + kGuardIds);
  CHECK(noted("period_failovers") == 1);
  const WallTime lost_at(std::chrono::milliseconds(noted("period_lost_at")));
  CHECK(std::chrono::abs(lost_at - system_time()) < std::chrono::minutes(1));

  // A day that begins more than a day after that is not held back by it.
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  const WallTime before = begin_of(tag.options.period, day) - std::chrono::hours(25);
  sql.run("UPDATE id_tags SET period_lost_at = " +
          std::to_string(before.time_since_epoch().count()) + " WHERE biz_tag = 'daily'");
  CHECK(first_of(*store, "daily", day) == 1);

  // An operator has advanced the tags and named the leader, or has restored a backup. Nobody noted
  // when.
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  sql.run("UPDATE id_leader SET term = term + 4294967296 WHERE id = 1");
  CHECK(first_of(*store, "daily", day) == 1 + 2 * kGuardIds);
  CHECK(noted("period_failovers") == 2);
}

TEMPLATE_TEST_CASE("what the page about periods says after a restore keeps a lost day from 1",
                   "[period]", DATABASES) {
  TestType& server = shared<TestType>();
  const bool is_postgresql = std::is_same_v<TestType, PostgresqlServer>;
  const std::vector<std::string> told =
      statements_after_restore(is_postgresql ? "PostgreSQL" : "MySQL");
  REQUIRE(told.size() == 2);
  for (const Failover failover : {Failover::kSkip, Failover::kStop, Failover::kSynchronous}) {
    CAPTURE(static_cast<int>(failover));
    const SociStoreOptions options = options_with(failover);
    const auto fresh_tables = [&] {
      RawSql(server.url()).run("DROP TABLE IF EXISTS id_leader");
      fresh_store(server.url(), options);
    };
    fresh_tables();
    CHECK(first_after_restore(server.url(), options, {}) == 1);  // why it must be told
    fresh_tables();
    CHECK(first_after_restore(server.url(), options, told) == 1 + kGuardIds);
  }
}

TEST_CASE("what the page about periods says after a restore of SQLite keeps a lost day from 1",
          "[period]") {
  const std::vector<std::string> told = statements_after_restore("SQLite");
  REQUIRE(told.size() == 1);
  const ScratchDir scratch;
  const SociStoreOptions options = options_with(Failover::kSkip);
  const std::string silent = "sqlite3:" + scratch.file("silent.db");
  const std::string spoken = "sqlite3:" + scratch.file("told.db");
  for (const std::string& url : {silent, spoken}) REQUIRE(init_soci_schema(url).ok());
  CHECK(first_after_restore(silent, options, {}) == 1);
  CHECK(first_after_restore(spoken, options, told) == 1 + kGuardIds);
}
