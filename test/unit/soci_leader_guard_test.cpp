// SPDX-License-Identifier: MIT
#include "lib/store/soci_leader_guard.h"

#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

using Catch::Matchers::Contains;

namespace {

// Statements for a SQLite file whose table `me` says what "server" this is: the guard's own part
// is what it does about the answers. (What the servers answer: test/integration.)
const LeaderSql kSql = {
    " AND EXISTS (SELECT 1 FROM id_leader WHERE id = 1 AND server = (SELECT name FROM me) "
    "AND term = ",
    "BEGIN IMMEDIATE",
    "SELECT server, term, (SELECT name FROM me) FROM id_leader WHERE id = 1",
    "UPDATE id_segments SET max_id = MIN(:limit, max_id + MAX(:count, 10 * step))",
    "UPDATE id_leader SET server = :server, term = :term WHERE id = 1",
};

struct Fixture {
  Fixture() {
    for (const char* sql :
         {"CREATE TABLE me (name TEXT)", "INSERT INTO me VALUES ('a')",
          "CREATE TABLE id_leader (id INTEGER, server TEXT, term INTEGER)",
          "INSERT INTO id_leader VALUES (1, '', 0)",
          "CREATE TABLE id_segments (biz_tag TEXT, max_id INTEGER, step INTEGER)",
          "INSERT INTO id_segments VALUES ('order', 1000, 10), ('wide', 0, 500)"}) {
      session.run(sql);
    }
  }
  LeaderGuard guard(Failover failover = Failover::kSkip) {
    SociStoreOptions options;
    options.failover = failover;
    options.failover_guard_ids = 2000;
    return {kSql, options, [this](const std::string& text) { warnings.push_back(text); }};
  }
  // Whether a lease would move the row.
  bool leases(const LeaderGuard& guard) {
    return session
               .run("UPDATE id_segments SET max_id = max_id + 1 WHERE biz_tag = 'order'" +
                    guard.condition())
               .affected_rows == 1;
  }
  void move_to(const std::string& server) { session.run("UPDATE me SET name = '" + server + "'"); }
  long long number(const std::string& sql) {
    long long value = -1;
    session.run(sql, soci::into(value));
    return value;
  }
  long long max_id(const std::string& tag = "order") {
    return number("SELECT max_id FROM id_segments WHERE biz_tag = '" + tag + "'");
  }
  long long term() { return number("SELECT term FROM id_leader"); }

  const test::ScratchDir scratch;
  SociSession session{*parse_database_url("sqlite3:" + scratch.file("ids.db")),
                      std::chrono::seconds(1), std::chrono::seconds(1)};
  std::vector<std::string> warnings;
};

}  // namespace

TEST_CASE("a guard that is off asks for nothing", "[soci_leader_guard]") {
  Fixture f;
  const LeaderGuard synchronous = f.guard(Failover::kSynchronous);
  CHECK_FALSE(synchronous.active());
  CHECK(synchronous.condition().empty());
  const LeaderGuard no_servers(dialect_of(Engine::kSqlite3).leader, {}, nullptr);
  CHECK_FALSE(no_servers.active());
  CHECK(no_servers.condition().empty());
}

TEST_CASE("nothing is leased before the leader is known, and the first takes the lead in silence",
          "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  CHECK(guard.active());
  CHECK_FALSE(guard.knows_term());
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session).ok());
  CHECK(guard.knows_term());
  CHECK(f.leases(guard));
  CHECK(f.max_id() == 1001);
  CHECK(f.term() == 1);
  CHECK(f.warnings.empty());
}

TEST_CASE("who comes later learns the term and moves nothing", "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard first = f.guard();
  LeaderGuard second = f.guard(Failover::kStop);
  REQUIRE(first.follow(f.session).ok());
  REQUIRE(second.follow(f.session).ok());
  CHECK(f.leases(second));
  CHECK(f.leases(first));
  CHECK(f.term() == 1);
  CHECK(f.max_id() == 1002);
}

TEST_CASE("another server: the first guard skips on every tag, the next one follows",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard first = f.guard();
  LeaderGuard second = f.guard();
  REQUIRE(first.follow(f.session).ok());
  REQUIRE(second.follow(f.session).ok());
  f.move_to("b");
  CHECK_FALSE(f.leases(first));
  REQUIRE(first.follow(f.session).ok());
  CHECK(f.leases(first));
  CHECK(f.max_id() == 1000 + 2000 + 1);
  CHECK(f.max_id("wide") == 5000);  // ten steps are more
  CHECK(f.term() == 2);
  REQUIRE(f.warnings.size() == 1);
  CHECK_THAT(f.warnings[0], Contains("FAILOVER") && Contains("led by a ") &&
                                Contains("led by b ") && Contains("2000 ids"));

  CHECK_FALSE(f.leases(second));
  REQUIRE(second.follow(f.session).ok());
  CHECK(f.leases(second));
  CHECK(f.max_id("wide") == 5000);
  CHECK(f.warnings.size() == 1);
}

TEST_CASE("a skip ends at the last id there is", "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session).ok());
  f.session.run("UPDATE id_segments SET max_id = " + std::to_string(kIdMax - 5));
  f.move_to("b");
  REQUIRE(guard.follow(f.session).ok());
  CHECK(f.max_id() == kIdMax);
}

TEST_CASE("told to stop, a guard changes nothing and says what to do",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard(Failover::kStop);
  REQUIRE(guard.follow(f.session).ok());
  f.move_to("b");
  for (int i = 0; i < 2; ++i) {
    const Status status = guard.follow(f.session);
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK_THAT(status.message(), Contains("was led by a and is led by b") &&
                                     Contains("--advance") && Contains("SET server = ''"));
    CHECK_FALSE(f.leases(guard));
  }
  CHECK(f.max_id() == 1000);
  CHECK(f.term() == 1);
  // What it says to do helps.
  f.session.run("UPDATE id_leader SET server = ''");
  CHECK(guard.follow(f.session).ok());
  CHECK(f.leases(guard));
}

TEST_CASE("a term lower than the one known is an old server that is back",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session).ok());
  f.move_to("b");
  REQUIRE(guard.follow(f.session).ok());
  f.session.run("UPDATE id_leader SET server = 'a', term = 1");
  f.move_to("a");
  CHECK_FALSE(f.leases(guard));
  for (int i = 0; i < 2; ++i) {
    const Status status = guard.follow(f.session);
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK_THAT(status.message(), Contains("term 1 after 2"));
  }
  CHECK(f.term() == 1);
}

TEST_CASE("a leader's table without its row is an error that says what to do",
          "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  f.session.run("DELETE FROM id_leader");
  const Status status = guard.follow(f.session);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains("--init-schema"));
  CHECK_FALSE(guard.knows_term());
  f.session.run("INSERT INTO id_leader VALUES (1, '', 0)");  // no transaction was left open
  CHECK(guard.follow(f.session).ok());
}

TEST_CASE("a guard whose statement fails has learnt nothing", "[soci_leader_guard][fault]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session).ok());
  f.move_to("b");
  f.session.run("ALTER TABLE id_segments RENAME TO elsewhere");
  CHECK_THROWS_AS(guard.follow(f.session), soci::soci_error);
  f.session.run("ROLLBACK");
  f.session.run("ALTER TABLE elsewhere RENAME TO id_segments");
  CHECK(f.warnings.empty());
  CHECK(f.term() == 1);
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session).ok());
  CHECK(f.warnings.size() == 1);
}

}  // namespace featherid
