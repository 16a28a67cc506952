// SPDX-License-Identifier: MIT
// One database behind several addresses.
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/store/soci/soci_session_pool.h"
#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

template <typename Server>
std::unique_ptr<Store> store_at(const std::vector<int>& ports,
                                const SociStoreOptions& options = patient_options()) {
  std::vector<std::string> urls;
  for (const int port : ports) urls.push_back(with_port(shared<Server>().url(), port));
  return open_soci_store(urls, options).value();
}

// A call whose statement `sql` loses against another transaction the first `losses` times.
struct Losing {
  Losing(const std::string& url, std::string statement) : sql(std::move(statement)) {
    SociStoreOptions options = spare_options();
    options.log = [this](LogLevel, std::string_view line) { lines.emplace_back(line); };
    pool = std::make_unique<SociSessionPool>(std::vector<DatabaseUrl>{*parse_database_url(url)},
                                             options, [](SociSession&) {});
  }
  Status call(int losses, SociSessionPool::Repeat repeat = SociSessionPool::Repeat::kSafe) {
    tries = 0;
    const auto lose = [&](SociSession& session) {
      if (++tries <= losses) session.run(sql);
      return Status();
    };
    return timed([&] { return pool->call(lose, repeat); }, spare_options().call_timeout);
  }

  const std::string sql;
  int tries = 0;
  std::vector<std::string> lines;
  std::unique_ptr<SociSessionPool> pool;
};

void check_conflicts(const std::string& url, const std::string& sql) {
  CAPTURE(sql);
  Losing losing(url, sql);
  CHECK(losing.call(8).ok());
  CHECK(losing.tries == 9);
  constexpr int kAlways = 1000000;
  CHECK(losing.call(1, SociSessionPool::Repeat::kNever).code() == StatusCode::kUnavailable);
  CHECK(losing.tries == 1);
  const Status lost = losing.call(kAlways);
  CHECK(lost.code() == StatusCode::kUnavailable);
  CHECK(says(lost, "lost against another transaction"));
  CHECK(losing.tries > 8);
  CHECK(losing.tries < 100);
  REQUIRE(losing.lines.size() == 1);
  CHECK(losing.lines[0].find("since the last such message: 1 (") != std::string::npos);
}

}  // namespace

TEMPLATE_TEST_CASE("a call that loses against other transactions is retried and reported once",
                   "[addresses]", MYSQL_SERVERS) {
  for (const char* const number : {"1020", "1180", "1213"}) {
    check_conflicts(shared<TestType>().url(),
                    std::string("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ") + number);
  }
}

TEST_CASE("PostgreSQL: a call that loses against other transactions is retried and reported once",
          "[addresses]") {
  check_conflicts(postgresql().url(),
                  "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$");
}

TEMPLATE_TEST_CASE("several addresses: the first is used, then the next, then the first again",
                   "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  Forwarder first(shared<TestType>().port());
  Forwarder second(shared<TestType>().port());
  const auto store = store_at<TestType>({first.port(), second.port()});
  for (int i = 0; i < 5; ++i) REQUIRE(store->lease("order", 1).ok());
  CHECK(second.accepted() == 0);

  first.switch_to(free_port());
  REQUIRE(store->lease("order", 1).ok());
  CHECK(second.accepted() == 1);
  for (int i = 0; i < 5; ++i) REQUIRE(store->lease("order", 1).ok());
  CHECK(second.accepted() == 1);  // one session, kept

  const int before = first.accepted();
  first.switch_to(shared<TestType>().port());
  CHECK(wait_until([&] { return store->lease("order", 1).ok() && first.accepted() > before; }));
  RawSql sql(shared<TestType>().url());
  const std::string sessions =
      "SELECT count(*) FROM information_schema.processlist "
      "WHERE user = 'featherid' AND id <> CONNECTION_ID()";
  CHECK(wait_until([&] { return sql.number(sessions) == 1; }));  // that to the second is gone
  REQUIRE(store->lease("order", 1).ok());
  CHECK(second.accepted() == 1);
}

TEMPLATE_TEST_CASE(
    "several addresses: those that refuse or never answer cost no more than the call's time",
    "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  const BlackHole hole;
  const auto store =
      store_at<TestType>({hole.port(), free_port(), shared<TestType>().port()}, short_options());
  // Each of the three gets its share, in whole seconds. On a busy machine 1 s may be too short, and
  // then the next call begins with the one that works.
  CHECK(wait_until([&] { return lease_one(*store).ok(); }));
  const Status none = lease_one(*store_at<TestType>({free_port(), hole.port()}, short_options()));
  CHECK(none.code() == StatusCode::kUnavailable);
  CHECK(says(none, std::to_string(hole.port())));
  CHECK(says(none, "; then "));
}

TEMPLATE_TEST_CASE(
    "several addresses: a call that may have succeeded at one is not repeated at the next",
    "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  const Forwarder second(shared<TestType>().port());
  const auto store = store_at<TestType>({shared<TestType>().port(), second.port()});
  REQUIRE(store->lease("order", 10).ok());
  RawSql other(shared<TestType>().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  Result<bool> given = false;
  auto call = std::async(std::launch::async, [&] { given = store->give_back("order", {6, 11}); });
  RawSql sql(shared<TestType>().url());
  const auto waiting = [&] {
    return sql.number(
        "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist "
        "WHERE info LIKE 'UPDATE id_segments%'");
  };
  long long session = 0;
  REQUIRE(wait_until([&] { return (session = waiting()) != 0; }));
  sql.run("KILL " + std::to_string(session));
  call.get();
  CHECK(given.status().code() == StatusCode::kUnavailable);
  CHECK(second.accepted() == 0);
  CHECK(store->lease("user", 1).ok());
  CHECK(second.accepted() == 1);
  other.run("COMMIT");
}

TEST_CASE("several addresses: only those of one database are accepted", "[addresses]") {
  const auto code = [](const std::vector<std::string>& urls) {
    return open_soci_store(urls).status().code();
  };
  CHECK(code({"mysql://a/ids", "mariadb://b:3307/ids"}) == StatusCode::kOk);
  CHECK(code({}) == StatusCode::kInvalidArgument);
  CHECK(code(std::vector<std::string>(17, "mysql://a/ids")) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "postgresql://b/ids"}) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "mysql://b/other"}) == StatusCode::kInvalidArgument);
  CHECK(code({"sqlite3:a.db", "sqlite3:a.db"}) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "mysql://"}) == StatusCode::kInvalidArgument);
}
