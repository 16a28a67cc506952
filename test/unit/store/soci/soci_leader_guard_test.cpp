// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_leader_guard.h"

#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

// Statements for a SQLite file whose table `me` says which "server" this is. They test what the
// guard does about the answers. (Tests with real servers: test/system/integration.)
const LeaderSql kSql = {
    " AND EXISTS (SELECT 1 FROM id_leader WHERE id = 1 AND server = (SELECT name FROM me) "
    "AND term = ",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "(SELECT name FROM me)",
    "SELECT COALESCE(MAX(max_id), 0) FROM id_segments WHERE max_id BETWEEN 0 AND :limit",
    "SELECT term FROM id_leader WHERE id = 1",
    " FROM id_leader WHERE id = 1",
    "UPDATE id_segments SET max_id = MIN(:limit, max_id + MAX(:count, 10 * step))",
    " WHERE biz_tag <> 'wide'",
    "UPDATE id_segments SET max_id = :now_ms + 0 * :count + 0 * :limit WHERE biz_tag = 'wide'",
    "SELECT now FROM clock",
    "SELECT count(*) FROM periods",
    "UPDATE periods SET failovers = :failovers, lost_at = :now_ms",
    "UPDATE id_leader SET server = :server, term = :term WHERE id = 1",
    nullptr,
    {" AND EXISTS (SELECT 1 FROM id_mark WHERE term = ",
     "INSERT OR IGNORE INTO id_mark VALUES (:term)",
     "SELECT term, server = (SELECT name FROM me), "
     "EXISTS (SELECT 1 FROM id_mark m WHERE m.term = l.term), "
     "EXISTS (SELECT 1 FROM id_mark m WHERE m.term >> 32 < l.term >> 32), 'cluster', 'MEMORY' "
     "FROM id_leader l WHERE id = 1",
     "MEMORY", nullptr},
};

struct Fixture {
  Fixture() {
    for (const char* sql :
         {"CREATE TABLE me (name TEXT)", "INSERT INTO me VALUES ('a')",
          "CREATE TABLE id_leader (id INTEGER, server TEXT, term INTEGER)",
          "INSERT INTO id_leader VALUES (1, '', 0)", "CREATE TABLE clock (now INTEGER)",
          "INSERT INTO clock VALUES (5000)", "CREATE TABLE id_mark (term INTEGER PRIMARY KEY)",
          "CREATE TABLE periods (failovers INTEGER, lost_at INTEGER)",
          "CREATE TABLE id_segments (biz_tag TEXT, max_id INTEGER, step INTEGER)",
          "INSERT INTO id_segments VALUES ('order', 1000, 10), ('wide', 0, 500)"}) {
      session.run(sql);
    }
  }
  LeaderGuard guard(Failover failover = Failover::kSkip) {
    SociStoreOptions options;
    options.failover = failover;
    options.failover_guard_ids = 2000;
    options.clock = [] { return WallTime(std::chrono::milliseconds(100)); };
    options.log = [this](LogLevel level, std::string_view line) {
      if (level == LogLevel::kWarn) warnings.emplace_back(line);
    };
    return {kSql, options, [this](SociSession&, const auto& ask) {
              ++asked;
              return other_node != nullptr && ask(*other_node);
            }};
  }
  // Whether a lease would move the row.
  bool leases(const LeaderGuard& guard) {
    return session
               .run("UPDATE id_segments SET max_id = max_id + 1 WHERE biz_tag = 'order'" +
                    guard.condition(session))
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
  long long leaders() { return term() >> 32; }
  // The state of a replica that followed up to here, and the switch to it after its promotion.
  void copy_to_replica() {
    for (const char* table : {"id_leader", "id_segments"}) {
      session.run("CREATE TABLE replica_" + std::string(table) + " AS SELECT * FROM " + table);
    }
  }
  void promote_replica(const std::string& name) {
    for (const std::string table : {"id_leader", "id_segments"}) {
      session.run("DELETE FROM " + table);
      session.run("INSERT INTO " + table + " SELECT * FROM replica_" + table);
    }
    move_to(name);
  }

  const test::ScratchDir scratch;
  SociSession session{*parse_database_url("sqlite3:" + scratch.file("ids.db")),
                      std::chrono::seconds(1), std::chrono::seconds(1)};
  std::vector<std::string> warnings;
  SociSession* other_node = nullptr;
  int asked = 0;
};

}  // namespace

TEST_CASE("a guard knows the leader once it has seen one", "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  CHECK(guard.leader().empty());
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(guard.leader() == "a");
  f.move_to("b");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(guard.leader() == "b");
}

TEST_CASE("a guard that is off asks for nothing", "[soci_leader_guard]") {
  Fixture f;
  const LeaderGuard synchronous = f.guard(Failover::kSynchronous);
  CHECK_FALSE(synchronous.active(f.session));
  CHECK(synchronous.condition(f.session).empty());
  const LeaderGuard no_servers(dialect_of(Engine::kSqlite3).leader, {}, nullptr);
  CHECK_FALSE(no_servers.active(f.session));
  CHECK(no_servers.condition(f.session).empty());
}

TEST_CASE("nothing is leased before the leader is known, and the first takes the lead in silence",
          "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  CHECK(guard.active(f.session));
  CHECK_FALSE(guard.knows_term());
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(guard.knows_term());
  CHECK(f.leases(guard));
  CHECK(f.max_id() == 1001);
  CHECK(f.leaders() == 1);
  CHECK(f.warnings.empty());
}

TEST_CASE("a later process learns the term and moves nothing", "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard first = f.guard();
  LeaderGuard second = f.guard(Failover::kStop);
  REQUIRE(first.follow(f.session, "1 = 1").ok());
  REQUIRE(second.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(second));
  CHECK(f.leases(first));
  CHECK(f.leaders() == 1);
  CHECK(f.max_id() == 1002);
}

TEST_CASE("another server: the first guard skips on every tag, the next one follows",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard first = f.guard();
  LeaderGuard second = f.guard();
  REQUIRE(first.follow(f.session, "1 = 1").ok());
  REQUIRE(second.follow(f.session, "1 = 1").ok());
  f.move_to("b");
  CHECK_FALSE(f.leases(first));
  REQUIRE(first.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(first));
  CHECK(f.max_id() == 1000 + 2000 + 1);
  CHECK(f.max_id("wide") == 5000);  // ten steps are more
  CHECK(f.leaders() == 2);
  REQUIRE(f.warnings.size() == 1);
  CHECK_THAT(f.warnings[0], Contains(f.session.where() + ": FAILOVER") && Contains("led by a ") &&
                                Contains("led by b ") && Contains("2000 ids") &&
                                Contains("5000 now: 0.000233 % of int32, 5.55e-11 % of 2^53"));

  CHECK_FALSE(f.leases(second));
  REQUIRE(second.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(second));
  CHECK(f.max_id("wide") == 5000);
  CHECK(f.warnings.size() == 1);
}

TEST_CASE("a skip ends at the last id there is", "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.session.run("UPDATE id_segments SET max_id = " + std::to_string(kIdMax - 5));
  f.move_to("b");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.max_id() == kIdMax);
}

TEST_CASE("in the mode stop, a guard changes nothing and says what to do",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard(Failover::kStop);
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.move_to("b");
  const long long term = f.term();
  std::string message;
  for (int i = 0; i < 2; ++i) {
    const Status status = guard.follow(f.session, "1 = 1");
    CHECK(status.code() == StatusCode::kDataLoss);
    message = status.message();
    CHECK_THAT(message, Contains("was led by a and is led by b") && Contains("featherid advance"));
    CHECK_FALSE(f.leases(guard));
  }
  CHECK(f.max_id() == 1000);
  CHECK(f.term() == term);
  // Its advice helps, and following it a second time does nothing.
  const std::size_t begin = message.find("UPDATE id_leader");
  for (int i = 0; i < 2; ++i) f.session.run(message.substr(begin, message.find(';') - begin));
  CHECK(f.leaders() == 2);
  CHECK(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(guard));
  CHECK(f.leases(f.guard(Failover::kStop)) == false);
  CHECK(f.warnings.empty());
}

TEST_CASE("a smaller number of leaders than the one known is an old server that is back",
          "[soci_leader_guard][failover]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.copy_to_replica();
  f.move_to("b");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  const std::string seen = std::to_string(f.term());
  f.promote_replica("a");
  const std::string term = std::to_string(f.term());
  CHECK_FALSE(f.leases(guard));
  for (int i = 0; i < 2; ++i) {
    const Status status = guard.follow(f.session, "1 = 1");
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK_THAT(status.message(),
               Contains("term " + term + " after " + seen) && Contains("featherid advance"));
  }
  CHECK(std::to_string(f.term()) == term);
}

TEST_CASE("two servers promoted from the first leader are not confused",
          "[soci_leader_guard][failover]") {
  // PostgreSQL gives both the same name because both began the second timeline.
  const std::string third = GENERATE("b", "c");
  Fixture f;
  LeaderGuard knows_the_second = f.guard();
  REQUIRE(knows_the_second.follow(f.session, "1 = 1").ok());
  f.copy_to_replica();
  f.move_to("b");
  REQUIRE(knows_the_second.follow(f.session, "1 = 1").ok());
  REQUIRE(f.leases(knows_the_second));
  const long long leased = f.max_id();

  f.promote_replica(third);
  SECTION("a process that knows the second asks first") {
    CHECK(knows_the_second.follow(f.session, "1 = 1").code() == StatusCode::kDataLoss);
    CHECK(f.warnings.size() == 1);
  }
  SECTION("another asks first") {
    LeaderGuard newcomer = f.guard();
    REQUIRE(newcomer.follow(f.session, "1 = 1").ok());
    REQUIRE(f.leases(newcomer));
    CHECK(f.max_id() == leased);  // only the operator can avoid this
    CHECK(f.leaders() == 2);
    CHECK_FALSE(f.leases(knows_the_second));
    const Status status = knows_the_second.follow(f.session, "1 = 1");
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK_THAT(status.message(), Contains("have diverged") && Contains("featherid advance"));
    CHECK_FALSE(f.leases(knows_the_second));
    CHECK(f.max_id() == leased);
    // After a restart it is a newcomer too.
    LeaderGuard restarted = f.guard();
    REQUIRE(restarted.follow(f.session, "1 = 1").ok());
    CHECK(f.leases(restarted));
  }
}

TEST_CASE("a server without a leader's record is the first only to a process that knows of none",
          "[soci_leader_guard][failover]") {
  Fixture f;
  f.copy_to_replica();
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.promote_replica("b");
  CHECK(guard.follow(f.session, "1 = 1").code() == StatusCode::kDataLoss);
  CHECK(f.term() == 0);
  // An emptied name, with leaders before it, is another name.
  LeaderGuard newcomer = f.guard();
  f.session.run("UPDATE id_leader SET server = '', term = 5");
  REQUIRE(newcomer.follow(f.session, "1 = 1").ok());
  CHECK(f.warnings.size() == 1);
  CHECK(f.max_id() == 3000);
}

TEST_CASE("a Galera cluster is guarded in every mode, and marks its node with the first term",
          "[soci_leader_guard][failover]") {
  const Failover failover = GENERATE(Failover::kSkip, Failover::kStop, Failover::kSynchronous);
  Fixture f;
  f.session.settings().in_galera = true;
  LeaderGuard guard = f.guard(failover);
  CHECK(guard.active(f.session));
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(guard));
  LeaderGuard second = f.guard(failover);
  REQUIRE(second.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(second));
  CHECK(f.max_id() == 1002);
  CHECK(f.number("SELECT count(*) FROM id_mark") == 1);
  CHECK(f.warnings.empty());
}

TEST_CASE("a cluster that has died as a whole has no mark: every tag skips, once",
          "[soci_leader_guard][failover]") {
  const Failover failover = GENERATE(Failover::kSkip, Failover::kSynchronous);
  Fixture f;
  f.session.settings().in_galera = true;
  LeaderGuard guard = f.guard(failover);
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.session.run("DELETE FROM id_mark");
  for (int i = 0; i < 2; ++i) {
    LeaderGuard fresh = f.guard(failover);
    REQUIRE(fresh.follow(f.session, "1 = 1").ok());
    CHECK(f.leases(fresh));
  }
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(guard));
  CHECK(f.leaders() == 2);
  CHECK(f.max_id() == 1000 + 2000 + 3);
  REQUIRE(f.warnings.size() == 1);
  CHECK_THAT(f.warnings[0], Contains("FAILOVER: a has died as a whole"));
}

TEST_CASE("in the mode stop, a guard stops after a crash of the whole cluster and says what to do",
          "[soci_leader_guard][failover]") {
  Fixture f;
  f.session.settings().in_galera = true;
  LeaderGuard guard = f.guard(Failover::kStop);
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.session.run("DELETE FROM id_mark");
  std::string message;
  for (int i = 0; i < 2; ++i) {
    const Status status = guard.follow(f.session, "1 = 1");
    CHECK(status.code() == StatusCode::kDataLoss);
    message = status.message();
    CHECK_THAT(message, Contains("a has died as a whole") && Contains("featherid advance"));
    CHECK_FALSE(f.leases(guard));
  }
  CHECK(f.number("SELECT count(*) FROM id_mark") == 0);
  CHECK(f.max_id() == 1000);
  for (const char* begin : {"UPDATE id_leader", "INSERT IGNORE"}) {
    const std::size_t at = message.find(begin);
    REQUIRE(at != std::string::npos);
    std::string sql = message.substr(at, message.find(';', at) - at);
    if (*begin == 'I') sql.replace(0, 13, "INSERT OR IGNORE");  // SQLite's syntax
    f.session.run(sql);
  }
  CHECK(f.leaders() == 2);
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.leases(guard));
}

TEST_CASE("a leader's table without its row is an error that says what to do",
          "[soci_leader_guard]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  f.session.run("DELETE FROM id_leader");
  const Status status = guard.follow(f.session, "1 = 1");
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains("featherid init"));
  CHECK_FALSE(guard.knows_term());
  f.session.run("INSERT INTO id_leader VALUES (1, '', 0)");  // no transaction was left open
  CHECK(guard.follow(f.session, "1 = 1").ok());
}

TEST_CASE("a guard learns nothing from a statement that fails", "[soci_leader_guard][fault]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.move_to("b");
  f.session.run("ALTER TABLE id_segments RENAME TO elsewhere");
  CHECK_THROWS_AS(guard.follow(f.session, "1 = 1"), soci::soci_error);
  f.session.run("ROLLBACK");
  f.session.run("ALTER TABLE elsewhere RENAME TO id_segments");
  CHECK(f.warnings.empty());
  CHECK(f.leaders() == 1);
  CHECK_FALSE(f.leases(guard));
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.warnings.size() == 1);
}

TEST_CASE("a failover is noted in the records of tags with periods",
          "[soci_leader_guard][period]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.session.run("INSERT INTO periods VALUES (0, 0)");
  const auto noted = [&] {
    long long failovers = 0;
    long long lost_at = 0;
    f.session.run("SELECT failovers, lost_at FROM periods", soci::into(failovers),
                  soci::into(lost_at));
    return std::make_pair(failovers, lost_at);
  };
  f.move_to("b");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(noted() == std::make_pair(0LL, 0LL));  // the records cannot be read
  f.session.settings().has_records = true;
  f.move_to("c");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(noted() == std::make_pair(2LL, 5000LL));
  CHECK(guard.failovers() == 2);
  f.session.run("UPDATE clock SET now = 0");  // the later one of the two clocks counts
  f.move_to("d");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(noted() == std::make_pair(3LL, 100LL));
}

TEST_CASE("tags with a time floor skip by the clock, if it can be followed",
          "[soci_leader_guard][floor]") {
  Fixture f;
  LeaderGuard guard = f.guard();
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  f.move_to("b");  // without records nobody knows of a floor
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.max_id("wide") == 5000);
  f.session.settings().has_records = true;
  f.move_to("c");
  REQUIRE(guard.follow(f.session, "1 = 1").ok());
  CHECK(f.max_id("wide") == 5000);
  CHECK(f.max_id() == 1000 + 2 * 2000);
  CHECK_THAT(f.warnings.back(), Contains("Tags with a time floor (1) skipped"));
  const std::pair<const char*, long long> clocks[] = {{"9000", 9000},     // it goes on
                                                      {"900000", 60100},  // far ahead of this one
                                                      {"0", 100}};        // it cannot be read
  char server = 'd';
  for (const auto& [now, max_id] : clocks) {
    f.session.run(std::string("UPDATE clock SET now = ") + now);
    f.move_to(std::string(1, server++));
    REQUIRE(guard.follow(f.session, "1 = 1").ok());
    CHECK(f.max_id("wide") == max_id);
  }
}

}  // namespace featherid
