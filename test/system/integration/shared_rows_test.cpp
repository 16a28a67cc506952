// SPDX-License-Identifier: MIT
// FeatherID beside a program that leases by SELECT … FOR UPDATE; UPDATE; COMMIT on the same rows,
// and beside itself.
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "lib/store/soci/soci_settings_guard.h"
#include "test/support/raw_sql.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// One lease as the other program makes it, on its own connection.
IdRange foreign_lease(RawSql& sql) {
  sql.run("BEGIN");
  const std::int64_t max_id =
      sql.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  const std::int64_t step = sql.number("SELECT step FROM id_segments WHERE biz_tag = 'order'");
  sql.run("UPDATE id_segments SET max_id = max_id + step WHERE biz_tag = 'order'");
  sql.run("COMMIT");
  return {max_id + 1, max_id + step + 1};
}

void share(const std::string& url) {
  constexpr int kThreadsEach = 3;
  constexpr int kLeases = 200;
  SociStoreOptions options = patient_options();
  options.sessions_max = kThreadsEach;
  const auto store = fresh_store(url, options);
  std::vector<std::vector<IdRange>> leased(2 * kThreadsEach);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2 * kThreadsEach; ++i) {
    threads.emplace_back([&, i] {
      std::vector<IdRange>& own = leased[static_cast<std::size_t>(i)];
      const bool foreign = i >= kThreadsEach;
      std::unique_ptr<RawSql> sql;
      if (foreign) sql = std::make_unique<RawSql>(url);
      for (int n = 0; n < kLeases; ++n) {
        own.push_back(foreign ? foreign_lease(*sql) : store->lease("order", 1 + n % 50).value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<IdRange> all;
  std::int64_t ids[2] = {0, 0};
  for (std::size_t i = 0; i < leased.size(); ++i) {
    for (const IdRange range : leased[i]) {
      all.push_back(range);
      ids[i >= kThreadsEach ? 1 : 0] += range.size();
    }
  }
  std::cout << "one row shared: FeatherID " << kThreadsEach * kLeases << " leases, " << ids[0]
            << " ids; the other program " << kThreadsEach * kLeases << " leases, " << ids[1]
            << " ids" << std::endl;
  check_no_id_twice(all, store->find("order")->max_id);
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: no id twice beside a program that leases by SELECT FOR UPDATE",
                   "[mysql][shared]", MYSQL_SERVERS) {
  share(shared<TestType>().url());
}

TEST_CASE("PostgreSQL: no id twice beside a program that leases by SELECT FOR UPDATE",
          "[postgresql][shared]") {
  share(postgresql().url());
}

namespace {

// ON by default from MariaDB 11.6.2 on. 10.6, 10.11 and 11.4 have the setting, too. It applies to
// new sessions.
class SnapshotIsolation {
 public:
  SnapshotIsolation() {
    std::string name;
    sql_.for_each_row(
        "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'", [] {}, soci::into(name),
        soci::into(before_));
    if (is_known()) sql_.run("SET GLOBAL innodb_snapshot_isolation = ON");
  }
  ~SnapshotIsolation() {
    if (is_known()) sql_.run("SET GLOBAL innodb_snapshot_isolation = " + before_);
  }
  SnapshotIsolation(const SnapshotIsolation&) = delete;
  SnapshotIsolation& operator=(const SnapshotIsolation&) = delete;

  bool is_known() const { return !before_.empty(); }

 private:
  RawSql sql_{mariadb().url()};
  std::string before_;
};

}  // namespace

TEST_CASE("MariaDB: leases of one tag do not conflict under snapshot isolation",
          "[mariadb][shared]") {
  constexpr int kStores = 4;
  constexpr int kLeases = 300;
  fresh_store(mariadb().url());
  const SnapshotIsolation isolation;
  RawSql sql(mariadb().url());
  const auto connections = [&sql] {
    std::string name;
    long long count = 0;
    sql.for_each_row(
        "SHOW GLOBAL STATUS LIKE 'Connections'", [] {}, soci::into(name), soci::into(count));
    return count;
  };
  const long long before = connections();
  std::vector<std::vector<IdRange>> leased(kStores);
  std::vector<std::thread> threads;
  for (std::vector<IdRange>& own : leased) {
    threads.emplace_back([&own] {
      const auto store = *open_soci_store(mariadb().url(), patient_options());
      for (int n = 0; n < kLeases; ++n) own.push_back(store->lease("order", 1).value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  // A call that lost is retried on a new connection.
  CHECK(connections() - before == kStores);
  std::vector<IdRange> all;
  for (const std::vector<IdRange>& own : leased) all.insert(all.end(), own.begin(), own.end());
  check_no_id_twice(all, kStores * kLeases);
}

TEST_CASE("MariaDB: a session under snapshot isolation moves no row until it is off again",
          "[mariadb][shared]") {
  fresh_store(mariadb().url());
  const SnapshotIsolation isolation;
  if (!isolation.is_known()) {
    WARN("this server has no innodb_snapshot_isolation");
    return;
  }
  SociSession session(*parse_database_url(mariadb().url()), std::chrono::seconds(10),
                      std::chrono::seconds(10));
  SettingsGuard guard(dialect_of(Engine::kMysql).settings, Engine::kMysql, "ids", short_options());
  const auto number = [&session](const std::string& expression) {
    int value = -1;
    session.run("SELECT " + expression, soci::into(value));
    return value;
  };
  guard.set_up(session);
  CHECK(number("@@innodb_snapshot_isolation") == 0);
  CHECK(number(guard.stated(session)) == 1);
  session.run("SET innodb_snapshot_isolation = ON");
  // An older server does not need this, because there it is off by default.
  if (number("0 /*M!110602 + 1 */") == 1) {
    CHECK(number(guard.stated(session)) == 0);
    CHECK(guard.changed(session).value() == false);
  }
  guard.set_up(session);
  CHECK(number("@@innodb_snapshot_isolation") == 0);
  CHECK(number(guard.stated(session)) == 1);
}
