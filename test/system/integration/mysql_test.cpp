// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/store/soci/soci_session_pool.h"
#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

std::string url_with(const std::string& user_and_password, const std::string& database, int port) {
  return "mysql://" + user_and_password + "@127.0.0.1:" + std::to_string(port) + "/" + database;
}

bool has_engine(RawSql& sql, const std::string& engine) {
  return sql.number("SELECT count(*) FROM information_schema.engines WHERE engine = '" + engine +
                    "'") == 1;
}

// How many SIGNAL statements the server has run.
long long signals(RawSql& sql) {
  std::string name;
  long long count = -1;
  sql.for_each_row(
      "SHOW GLOBAL STATUS LIKE 'Com_signal'", [] {}, soci::into(name), soci::into(count));
  return count;
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: a refused login names the user, and never the password", "[mysql]",
                   MYSQL_SERVERS) {
  const auto store = *open_soci_store(
      url_with("featherid:hunter2", "ids", shared<TestType>().port()), patient_options());
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "login refused"));
  CHECK(says(status, "featherid"));
  CHECK(says(status, "127.0.0.1:" + std::to_string(shared<TestType>().port())));
  CHECK_FALSE(says(status, "hunter2"));
}

TEMPLATE_TEST_CASE("MySQL: a missing database and a missing table say what to do", "[mysql]",
                   MYSQL_SERVERS) {
  const auto nowhere = *open_soci_store(shared<TestType>().url("nowhere"), patient_options());
  const Status no_database = lease_one(*nowhere);
  CHECK(no_database.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_database, "no such database"));
  CHECK(says(no_database, "nowhere"));

  RawSql(shared<TestType>().url()).run("CREATE DATABASE IF NOT EXISTS bare");
  const auto bare = *open_soci_store(shared<TestType>().url("bare"), patient_options());
  const Status no_table = lease_one(*bare);
  CHECK(no_table.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_table, "featherid init"));
  // When the table exists, the same store serves.
  REQUIRE(init_soci_schema(shared<TestType>().url("bare"), patient_options()).ok());
  CHECK(bare->lease("order", 1000)->first == 1);
  RawSql(shared<TestType>().url()).run("DROP DATABASE bare");
}

TEMPLATE_TEST_CASE("MySQL: the schema has the three tags and is created once", "[mysql]",
                   MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  REQUIRE(store->lease("order", 10).ok());
  REQUIRE(init_soci_schema(shared<TestType>().url()).ok());
  const std::vector<TagInfo> rows = *store->list();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].tag == "health");
  CHECK(rows[1].tag == "order");
  CHECK(rows[1].max_id == 10);
  CHECK(rows[1].step == 1000);
  CHECK(rows[2].tag == "user");
}

TEMPLATE_TEST_CASE(
    "MySQL: a tag that the collation equates with another is not created, and the error says so",
    "[mysql]", MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  RawSql(shared<TestType>().url())
      .run(
          "ALTER TABLE id_segments MODIFY biz_tag varchar(64) COLLATE utf8mb4_general_ci NOT NULL");
  const Status status = store->create("Order", 10);
  INFO(status);
  CHECK(status.code() == StatusCode::kAlreadyExists);
  const Status twin = store->lease("Order", 1).status();
  CHECK(twin.code() == StatusCode::kNotFound);
  CHECK(says(twin, "tag 'Order' does not exist; 'order' does"));
}

TEMPLATE_TEST_CASE("MySQL: a new table distinguishes tags by their bytes", "[mysql]",
                   MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  for (const char* tag : {"Order", "ordér", "ORDER"}) {
    REQUIRE(store->create(tag, 10).ok());
    CHECK(store->lease(tag, 10)->first == 1);
  }
  CHECK(store->lease("order", 10)->first == 1);
}

TEMPLATE_TEST_CASE("MySQL: the error for a user that may not create the tables says what to grant",
                   "[mysql]", MYSQL_SERVERS) {
  RawSql sql(shared<TestType>().url());
  sql.run("DROP TABLE IF EXISTS id_segments, id_leader, id_tags");
  sql.run("DROP USER IF EXISTS plain@'%'");
  sql.run("CREATE USER plain@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT SELECT, INSERT, UPDATE ON ids.* TO plain@'%'");
  const std::string plain =
      "mysql://plain:p@127.0.0.1:" + std::to_string(shared<TestType>().port()) + "/ids";
  const Status status = init_soci_schema(plain);
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "for featherid init CREATE"));
  sql.run("GRANT CREATE ON ids.* TO plain@'%'");
  REQUIRE(init_soci_schema(plain, patient_options()).ok());
  CHECK((*open_soci_store(plain, patient_options()))->lease("order", 1).ok());
}

TEMPLATE_TEST_CASE("MySQL: a connection killed between calls is replaced silently", "[mysql]",
                   MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  REQUIRE(store->lease("order", 1).ok());
  RawSql sql(shared<TestType>().url());
  const std::string others =
      " FROM information_schema.processlist WHERE user = 'featherid' "
      "AND id <> CONNECTION_ID()";
  // A session that was closed before is there for a moment longer.
  REQUIRE(wait_until([&] { return sql.number("SELECT count(*)" + others) == 1; }));
  const long long id = sql.number("SELECT id" + others);
  sql.run("KILL " + std::to_string(id));
  REQUIRE(wait_until([&] { return sql.number("SELECT count(*)" + others) == 0; }));
  CHECK(store->lease("order", 1).ok());
  CHECK(store->find("order")->max_id == 2);
}

TEMPLATE_TEST_CASE("MySQL: the store serves again once a stopped server is back", "[mysql]",
                   MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  REQUIRE(store->lease("order", 5).ok());
  shared<TestType>().stop();
  for (int i = 0; i < 3; ++i) {
    const Status down = lease_one(*store);
    CHECK(down.code() == StatusCode::kUnavailable);
    CHECK(says(down, "no connection"));
  }
  shared<TestType>().start();
  CHECK(store->lease("order", 5)->first == 6);
}

TEMPLATE_TEST_CASE("MySQL: a lease outlives a killed server", "[mysql]", MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url());
  REQUIRE(store->lease("order", 5).ok());
  shared<TestType>().stop(SIGKILL);
  CHECK(lease_one(*store).code() == StatusCode::kUnavailable);
  shared<TestType>().start();
  CHECK(store->lease("order", 5)->first == 6);
}

TEMPLATE_TEST_CASE("MySQL: an answer that is cut anywhere is an error, not an empty answer",
                   "[mysql]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  Forwarder forwarder(shared<TestType>().port());
  const std::string url = with_port(shared<TestType>().url(), forwarder.port());
  // The driver reads both servers' answers with the same code, and MySQL takes longer to connect.
  const int stride = std::is_same_v<TestType, MariadbServer> ? 1 : 5;
  forwarder.begin_cutting(Forwarder::Direction::kToClient, 1);
  int cut = 1;
  int whole = 0;
  while (whole < 5 && cut < 9000) {
    const auto store = *open_soci_store(url, short_options());  // a connection, cut a byte later
    const Result<std::vector<TagInfo>> rows = store->list();
    const Result<SegmentRow> row = store->find("order");
    INFO("cut after " << forwarder.end_cutting() - 1 << " bytes: " << rows.status());
    cut += stride;
    forwarder.begin_cutting(Forwarder::Direction::kToClient, cut);
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

TEMPLATE_TEST_CASE("MySQL: a row locked by another transaction ends the call in time", "[mysql]",
                   MYSQL_SERVERS) {
  const SociStoreOptions options = spare_options();
  const auto store = fresh_store(shared<TestType>().url(), options);
  RawSql other(shared<TestType>().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  const Status status = lease_one(*store, options.call_timeout);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "another program holds the row"));
  CHECK(store->lease("user", 1).ok());
  other.run("COMMIT");
  CHECK(store->lease("order", 1)->first == 1);
}

TEMPLATE_TEST_CASE(
    "MySQL: a call that lost against another transaction is retried, but never a give-back",
    "[mysql]", MYSQL_SERVERS) {
  const SociStoreOptions options = spare_options();
  const auto store = fresh_store(shared<TestType>().url(), options);
  REQUIRE((*open_soci_store(shared<TestType>().url()))->lease("order", 100).ok());
  RawSql sql(shared<TestType>().url());
  sql.run(
      "CREATE TRIGGER loses BEFORE UPDATE ON id_segments FOR EACH ROW "
      "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
  const auto tries = [&sql, before = signals(sql)] { return signals(sql) - before; };
  const Status lost = lease_one(*store, options.call_timeout);
  CHECK(lost.code() == StatusCode::kUnavailable);
  CHECK(says(lost, "1213"));
  const long long lease_tries = tries();  // within half of its call's time
  CHECK(lease_tries > 4);
  CHECK(lease_tries < 100);
  // A cluster may have committed a transaction that one of its servers reports as rolled back.
  CHECK(says(timed(
                 [&] {
                   return store->give_back("order", {51, 101}).status();
                 },
                 options.call_timeout),
             "1213"));
  CHECK(tries() == lease_tries + 1);
}

TEMPLATE_TEST_CASE("MySQL: a call that lost and gets no session to retry says what it lost against",
                   "[mysql]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  Forwarder network(shared<TestType>().port());
  DatabaseUrl address = *parse_database_url(shared<TestType>().url());
  address.port = network.port();
  const SociStoreOptions options = spare_options();
  SociSessionPool pool({address}, options, [](SociSession&) {});
  // No answer to the next attempt to connect, or an error at once.
  const auto trouble = GENERATE(Forwarder::Trouble::kHalfOpen, Forwarder::Trouble::kRefuses);
  const Status status = timed(
      [&] {
        return pool.call([&](SociSession& session) -> Status {
          try {
            session.run("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
          } catch (...) {
            network.set_trouble(trouble);
            throw;
          }
          return {};
        });
      },
      options.call_timeout);
  INFO(status);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "1213"));
}

namespace {

// A call's result. While it returns to the caller the session is already free, and `on_return` uses
// it.
struct Returned {
  Returned(const Status& what) : status(what) {}  // NOLINT(google-explicit-constructor)
  Returned(Returned&& other) noexcept : status(other.status), on_return(other.on_return) {
    if (on_return != nullptr) (*std::exchange(other.on_return, nullptr))();
    on_return = nullptr;
  }
  bool ok() const { return status.ok(); }

  Status status;
  const std::function<void()>* on_return = nullptr;
};

}  // namespace

TEMPLATE_TEST_CASE("MySQL: the deadline of a call does not cut the session's next call", "[mysql]",
                   MYSQL_SERVERS) {
  // The first call ends after 3 of its 6 s. The next one takes 4 of its own.
  SociSessionPool pool({*parse_database_url(shared<TestType>().url())}, spare_options(),
                       [](SociSession&) {});
  long long first_session = 0;
  long long next_session = 0;
  Status next;
  const std::function<void()> use_session = [&] {
    next = pool.call([&](SociSession& session) -> Status {
      session.run("SELECT CONNECTION_ID(), SLEEP(4)", soci::into(next_session));
      return {};
    });
  };
  const auto first_call = [&](SociSession& session) -> Returned {
    session.run("SELECT CONNECTION_ID(), SLEEP(3)", soci::into(first_session));
    Returned returned{Status()};
    returned.on_return = &use_session;
    return returned;
  };
  CHECK(pool.call(first_call).ok());
  INFO(next);
  CHECK(next.ok());
  CHECK(next_session == first_session);
}

TEMPLATE_TEST_CASE("MySQL: waiting for a session ends in time", "[mysql]", MYSQL_SERVERS) {
  SociStoreOptions options = short_options();
  options.sessions_max = 1;
  const auto store = fresh_store(shared<TestType>().url(), options);
  RawSql other(shared<TestType>().url());
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
  CHECK(wait_until([&] { return store->lease("order", 1).ok(); }));
}

TEMPLATE_TEST_CASE("MySQL: a stopped server ends the call in time", "[mysql]", MYSQL_SERVERS) {
  const auto store = fresh_store(shared<TestType>().url(), short_options());
  REQUIRE(wait_until([&] { return store->lease("order", 1).ok(); }));
  {
    const Frozen frozen(shared<TestType>().pid());
    CHECK(lease_one(*store).code() == StatusCode::kUnavailable);  // on the existing session
    CHECK(lease_one(*store).code() == StatusCode::kUnavailable);  // on a new one
  }
  CHECK(wait_until([&] { return store->lease("order", 1).ok(); }));
}

TEMPLATE_TEST_CASE("MySQL: a port that never answers ends the call in time", "[mysql]",
                   MYSQL_SERVERS) {
  const BlackHole hole;
  const auto store = *open_soci_store(url_with("u:secret1", "ids", hole.port()), short_options());
  for (int i = 0; i < 2; ++i) {
    const Status status = lease_one(*store);
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK_FALSE(says(status, "secret1"));
  }
}

TEMPLATE_TEST_CASE("MySQL: a setting that can undo a lease is named in one warning", "[mysql]",
                   MYSQL_SERVERS) {
  RawSql sql(shared<TestType>().url());
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  std::vector<std::string> warnings;
  SociStoreOptions options = patient_options();
  options.log = [&](LogLevel, std::string_view line) { warnings.emplace_back(line); };
  {
    const auto store = fresh_store(shared<TestType>().url(), options);
    for (int i = 0; i < 3; ++i) CHECK(store->lease("order", 1).ok());
  }
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("innodb_flush_log_at_trx_commit is 2") != std::string::npos);
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
}

TEMPLATE_TEST_CASE(
    "MySQL: a setting that loses leases in a crash of the server is refused unless allowed",
    "[mysql]", MYSQL_SERVERS) {
  RawSql sql(shared<TestType>().url());
  const auto store = fresh_store(shared<TestType>().url());
  REQUIRE(store->lease("order", 1).ok());
  std::vector<std::string> warnings;
  SociStoreOptions allowing = patient_options();
  allowing.log = [&](LogLevel, std::string_view line) { warnings.emplace_back(line); };
  allowing.lossy_commits = LossyCommits::kAllow;
  const auto check_refused = [&](Store& refusing, const std::string& name) {
    const Status status = refusing.lease("order", 1).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, name));
    warnings.clear();
    CHECK((*open_soci_store(shared<TestType>().url(), allowing))->lease("order", 1).ok());
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find(name) != std::string::npos);
  };
  // Set while the session is open. The statement detects it.
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 0");
  check_refused(*store, "innodb_flush_log_at_trx_commit is 0");
  sql.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
  CHECK(store->lease("order", 1).ok());
  for (const char* engine : {"MyISAM", "MEMORY", "Aria"}) {
    if (!has_engine(sql, engine)) continue;
    sql.run(std::string("ALTER TABLE id_segments ENGINE = ") + engine);
    check_refused(**open_soci_store(shared<TestType>().url(), patient_options()), engine);
  }
  sql.run("ALTER TABLE id_segments ENGINE = InnoDB");
}

TEMPLATE_TEST_CASE("MySQL: the server's defaults do not decide whether a lease is committed",
                   "[mysql]", MYSQL_SERVERS) {
  RawSql sql(shared<TestType>().url());
  sql.run("SET GLOBAL autocommit = 0");
  {
    const auto store = fresh_store(shared<TestType>().url());
    REQUIRE(store->lease("order", 10).ok());
  }
  sql.run("SET GLOBAL autocommit = 1");
  CHECK(RawSql(shared<TestType>().url())
            .number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'") == 10);
}
