// SPDX-License-Identifier: MIT
// Periods on real servers: rows that a failover has lost, and processes that ask for them.
#include <chrono>
#include <string>
#include <vector>

#include "lib/store/period_rules.h"
#include "test/support/raw_sql.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;
using std::chrono::seconds;

#define DATABASES MYSQL_SERVERS, PostgresqlServer

namespace {

constexpr std::int64_t kGuardIds = 1000000;

SociStoreOptions options_with(Failover failover) {
  SociStoreOptions options = short_options();
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

  // A day that begins long after that is not held back by it.
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  const WallTime yesterday = begin_of(tag.options.period, day) - std::chrono::hours(5);
  sql.run("UPDATE id_tags SET period_lost_at = " +
          std::to_string(yesterday.time_since_epoch().count()) + " WHERE biz_tag = 'daily'");
  CHECK(first_of(*store, "daily", day) == 1);

  // An operator has advanced the tags and named the leader, or has restored a backup. Nobody noted
  // when.
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + period_row("daily", day) + "'");
  sql.run("UPDATE id_leader SET term = term + 4294967296 WHERE id = 1");
  CHECK(first_of(*store, "daily", day) == 1 + 2 * kGuardIds);
  CHECK(noted("period_failovers") == 2);
}
