// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "lib/store/soci_session_pool.h"
#include "test/integration/servers.h"
#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

using namespace featherid;
using namespace featherid::test;

namespace {

std::string url_with(const std::string& user_and_password, const std::string& database, int port) {
  return "mysql://" + user_and_password + "@127.0.0.1:" + std::to_string(port) + "/" + database;
}

}  // namespace

TEST_CASE("MariaDB: a refused login names the user, and never the password", "[mariadb]") {
  const auto store =
      *open_soci_store(url_with("featherid:hunter2", "ids", mariadb().port()), short_options());
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "login refused"));
  CHECK(says(status, "featherid"));
  CHECK(says(status, "127.0.0.1:" + std::to_string(mariadb().port())));
  CHECK_FALSE(says(status, "hunter2"));
}

TEST_CASE("MariaDB: a missing database and a missing table say what to do", "[mariadb]") {
  const auto nowhere = *open_soci_store(mariadb().url("nowhere"), short_options());
  const Status no_database = lease_one(*nowhere);
  CHECK(no_database.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_database, "no such database"));
  CHECK(says(no_database, "nowhere"));

  RawSql(mariadb().url()).run("CREATE DATABASE IF NOT EXISTS bare");
  const auto bare = *open_soci_store(mariadb().url("bare"), short_options());
  const Status no_table = lease_one(*bare);
  CHECK(no_table.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_table, "--init-schema"));
  // Once it is there the same store serves.
  REQUIRE(init_soci_schema(mariadb().url("bare")).ok());
  CHECK(bare->lease("order", 1000)->first == 1);
  RawSql(mariadb().url()).run("DROP DATABASE bare");
}

TEST_CASE("MariaDB: the schema holds the three tags, and comes but once", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 10).ok());
  REQUIRE(init_soci_schema(mariadb().url()).ok());
  const std::vector<SegmentRow> rows = *store->list();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].biz_tag == "health");
  CHECK(rows[1].biz_tag == "order");
  CHECK(rows[1].max_id == 10);
  CHECK(rows[1].step == 1000);
  CHECK(rows[2].biz_tag == "user");
}

TEST_CASE("MariaDB: a tag that the collation takes for another is not made, and says so",
          "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  RawSql(mariadb().url())
      .run(
          "ALTER TABLE id_segments MODIFY biz_tag varchar(64) COLLATE utf8mb4_general_ci NOT NULL");
  const Status status = store->create("Order", 10);
  INFO(status);
  CHECK(status.code() == StatusCode::kAlreadyExists);
  const Status twin = store->lease("Order", 1).status();
  CHECK(twin.code() == StatusCode::kNotFound);
  CHECK(says(twin, "tag 'Order' does not exist; 'order' does"));
}

TEST_CASE("MariaDB: a new table tells tags apart by their bytes", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  for (const char* tag : {"Order", "ordér", "ORDER"}) {
    REQUIRE(store->create(tag, 10).ok());
    CHECK(store->lease(tag, 10)->first == 1);
  }
  CHECK(store->lease("order", 10)->first == 1);
}

TEST_CASE("MariaDB: a user that may not make the tables is told what to grant", "[mariadb]") {
  RawSql sql(mariadb().url());
  sql.run("DROP TABLE IF EXISTS id_segments, id_leader");
  sql.run("CREATE OR REPLACE USER plain@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT SELECT, INSERT, UPDATE ON ids.* TO plain@'%'");
  const std::string plain =
      "mysql://plain:p@127.0.0.1:" + std::to_string(mariadb().port()) + "/ids";
  const Status status = init_soci_schema(plain);
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "for --init-schema CREATE"));
  sql.run("GRANT CREATE ON ids.* TO plain@'%'");
  REQUIRE(init_soci_schema(plain).ok());
  CHECK(lease_one(**open_soci_store(plain, short_options())).ok());
}

TEST_CASE("MariaDB: a connection killed between calls is replaced unseen", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 1).ok());
  RawSql sql(mariadb().url());
  const std::string others =
      " FROM information_schema.processlist WHERE user = 'featherid' "
      "AND id <> CONNECTION_ID()";
  const long long id = sql.number("SELECT id" + others);
  sql.run("KILL " + std::to_string(id));
  REQUIRE(wait_until([&] { return sql.number("SELECT count(*)" + others) == 0; }));
  CHECK(lease_one(*store).ok());
  CHECK(store->find("order")->max_id == 2);
}

TEST_CASE("MariaDB: the store serves again once a stopped server is back", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 5).ok());
  mariadb().stop();
  for (int i = 0; i < 3; ++i) {
    const Status down = lease_one(*store);
    CHECK(down.code() == StatusCode::kUnavailable);
    CHECK(says(down, "no connection"));
  }
  mariadb().start();
  CHECK(store->lease("order", 5)->first == 6);
}

TEST_CASE("MariaDB: a lease outlives a killed server", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 5).ok());
  mariadb().stop(SIGKILL);
  CHECK(lease_one(*store).code() == StatusCode::kUnavailable);
  mariadb().start();
  CHECK(store->lease("order", 5)->first == 6);
}

TEST_CASE("MariaDB: an answer that is cut short anywhere is an error, and no empty answer",
          "[mariadb]") {
  fresh_store(mariadb().url());
  Forwarder forwarder(mariadb().port());
  const std::string url = with_port(mariadb().url(), forwarder.port());
  forwarder.begin_cutting(Forwarder::Direction::kToClient, 1);
  int cut = 0;
  int whole = 0;
  while (whole < 5 && cut < 6000) {
    const auto store = *open_soci_store(url, short_options());  // a connection, cut a byte later
    const Result<std::vector<SegmentRow>> rows = store->list();
    const Result<SegmentRow> row = store->find("order");
    INFO("cut after " << forwarder.end_cutting() - 1 << " bytes: " << rows.status());
    forwarder.begin_cutting(Forwarder::Direction::kToClient, ++cut);
    if (rows.ok()) {
      CHECK(rows->size() == 3);
      if (row.ok()) ++whole;
    } else {
      CHECK(rows.status().code() == StatusCode::kUnavailable);
    }
    CHECK((row.ok() || row.status().code() == StatusCode::kUnavailable));
  }
  CHECK(whole == 5);
}

TEST_CASE("MariaDB: a row locked by another transaction ends the call in time", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  RawSql other(mariadb().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "another program holds the row"));
  CHECK(store->lease("user", 1).ok());
  other.run("COMMIT");
  CHECK(store->lease("order", 1)->first == 1);
}

TEST_CASE("MariaDB: what lost against another transaction is tried again, a give-back never",
          "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 100).ok());
  RawSql sql(mariadb().url());
  sql.run("CREATE OR REPLACE TABLE tries (was_lease INT) ENGINE=MyISAM");  // keeps what is lost
  sql.run(
      "CREATE TRIGGER loses BEFORE UPDATE ON id_segments FOR EACH ROW BEGIN "
      "INSERT INTO tries VALUES (NEW.max_id > OLD.max_id); "
      "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END");
  const auto tries = [&sql](int was_lease) {
    return sql.number("SELECT count(*) FROM tries WHERE was_lease = " + std::to_string(was_lease));
  };
  const Status lost = lease_one(*store);
  CHECK(lost.code() == StatusCode::kUnavailable);
  CHECK(says(lost, "1213"));
  CHECK(tries(1) == 4);
  // A cluster may have committed what one of its servers reports as rolled back.
  CHECK(says(timed([&] { return store->give_back("order", {51, 101}).status(); }), "1213"));
  CHECK(tries(0) == 1);
  sql.run("DROP TABLE tries");
}

TEST_CASE("MariaDB: what lost, and gets no session to try again, says what it lost against",
          "[mariadb]") {
  fresh_store(mariadb().url());
  Forwarder network(mariadb().port());
  DatabaseUrl address = *parse_database_url(mariadb().url());
  address.port = network.port();
  SociSessionPool pool({address}, short_options(), [](SociSession&) {});
  const Status status = timed([&] {
    return pool.call([&](SociSession& session) -> Status {
      try {
        session.run("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
      } catch (...) {
        network.set_trouble(Forwarder::Trouble::kHalfOpen);
        throw;
      }
      return {};
    });
  });
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "1213"));
}

TEST_CASE("MariaDB: waiting for a session ends in time", "[mariadb]") {
  SociStoreOptions options = short_options();
  options.sessions_max = 1;
  const auto store = fresh_store(mariadb().url(), options);
  RawSql other(mariadb().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  std::vector<std::thread> threads;
  std::vector<Status> statuses(6);
  std::vector<double> seconds(6);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    threads.emplace_back([&, i] {
      const Stopwatch stopwatch;
      statuses[i] = store->lease("order", 1).status();
      seconds[i] = stopwatch.elapsed().count();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    INFO(statuses[i] << " after " << seconds[i] << " s");
    CHECK(statuses[i].code() == StatusCode::kUnavailable);
    CHECK(seconds[i] < 2.4);
  }
  other.run("COMMIT");
  CHECK(store->lease("order", 1).ok());
}

TEST_CASE("MariaDB: a server that stands still ends the call in time", "[mariadb]") {
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 1).ok());
  {
    const Frozen frozen(mariadb().pid());
    CHECK(lease_one(*store).code() == StatusCode::kUnavailable);  // on the session that there is
    CHECK(lease_one(*store).code() == StatusCode::kUnavailable);  // on a new one
  }
  CHECK(wait_until([&] { return store->lease("order", 1).ok(); }));
}

TEST_CASE("MariaDB: a port that never answers ends the call in time", "[mariadb]") {
  const BlackHole hole;
  const auto store = *open_soci_store(url_with("u:secret1", "ids", hole.port()), short_options());
  for (int i = 0; i < 2; ++i) {
    const Status status = lease_one(*store);
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK_FALSE(says(status, "secret1"));
  }
}

TEST_CASE("MariaDB: settings that can take back a lease are warned of once, by name", "[mariadb]") {
  RawSql sql(mariadb().url());
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  std::vector<std::string> warnings;
  SociStoreOptions options = short_options();
  options.warn = [&](const std::string& warning) { warnings.push_back(warning); };
  {
    const auto store = fresh_store(mariadb().url(), options);
    for (int i = 0; i < 3; ++i) CHECK(store->lease("order", 1).ok());
  }
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("innodb_flush_log_at_trx_commit is 2") != std::string::npos);
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
}

TEST_CASE("MariaDB: what loses leases in a crash of the server is refused unless it is allowed",
          "[mariadb]") {
  RawSql sql(mariadb().url());
  const auto store = fresh_store(mariadb().url());
  REQUIRE(store->lease("order", 1).ok());
  std::vector<std::string> warnings;
  SociStoreOptions allowing = short_options();
  allowing.warn = [&](const std::string& warning) { warnings.push_back(warning); };
  allowing.lossy_commits = LossyCommits::kAllow;
  const auto check_refused = [&](SegmentStore& refusing, const std::string& name) {
    const Status status = lease_one(refusing);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, name));
    warnings.clear();
    CHECK((*open_soci_store(mariadb().url(), allowing))->lease("order", 1).ok());
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find(name) != std::string::npos);
  };
  // Set while the session is open: the statement finds it out.
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 0");
  check_refused(*store, "innodb_flush_log_at_trx_commit is 0");
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
  CHECK(lease_one(*store).ok());
  for (const char* engine : {"MyISAM", "MEMORY", "Aria"}) {
    sql.run(std::string("ALTER TABLE id_segments ENGINE = ") + engine);
    check_refused(**open_soci_store(mariadb().url(), short_options()), engine);
  }
  sql.run("ALTER TABLE id_segments ENGINE = InnoDB");
}

TEST_CASE("MariaDB: the server's defaults do not decide whether a lease is committed",
          "[mariadb]") {
  RawSql sql(mariadb().url());
  sql.run("SET GLOBAL autocommit = 0");
  {
    const auto store = fresh_store(mariadb().url());
    REQUIRE(store->lease("order", 10).ok());
  }
  sql.run("SET GLOBAL autocommit = 1");
  CHECK(RawSql(mariadb().url()).number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'") ==
        10);
}
