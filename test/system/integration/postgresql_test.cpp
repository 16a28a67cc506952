// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

TEST_CASE("PostgreSQL: a refused login names the user, and never the password", "[postgresql]") {
  const std::string port = std::to_string(postgresql().port());
  const auto store = *open_soci_store("postgresql://featherid:hunter2@127.0.0.1:" + port + "/ids",
                                      patient_options());
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "login refused"));
  CHECK(says(status, "featherid"));
  CHECK(says(status, "127.0.0.1:" + port));
  CHECK_FALSE(says(status, "hunter2"));
}

TEST_CASE("PostgreSQL: a missing database and a missing table say what to do", "[postgresql]") {
  const auto nowhere = *open_soci_store(postgresql().url("nowhere"), patient_options());
  const Status no_database = lease_one(*nowhere);
  CHECK(no_database.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_database, "no such database"));

  const auto bare = *open_soci_store(postgresql().url("postgres"), patient_options());
  const Status no_table = lease_one(*bare);
  CHECK(no_table.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_table, "featherid init"));
}

TEST_CASE("PostgreSQL: the error for a user that may not create the tables says what to grant",
          "[postgresql]") {
  RawSql sql(postgresql().url());
  sql.run("DROP TABLE IF EXISTS id_segments, id_leader, id_tags");
  sql.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC");  // the default from 15 on
  sql.run("CREATE ROLE plain LOGIN PASSWORD 'p'");
  const std::string plain =
      "postgresql://plain:p@127.0.0.1:" + std::to_string(postgresql().port()) + "/ids";
  const Status status = init_soci_schema(plain);
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "for featherid init CREATE (in PostgreSQL on the schema)"));
  sql.run("GRANT CREATE ON SCHEMA public TO plain");
  REQUIRE(init_soci_schema(plain, patient_options()).ok());
  CHECK((*open_soci_store(plain, patient_options()))->lease("order", 1).ok());
  sql.run("DROP OWNED BY plain");
  sql.run("DROP ROLE plain");
}

TEST_CASE("PostgreSQL: a connection ended between calls is replaced silently", "[postgresql]") {
  const auto store = fresh_store(postgresql().url());
  REQUIRE(store->lease("order", 1).ok());
  RawSql sql(postgresql().url());
  const std::string others =
      " FROM pg_stat_activity WHERE datname = 'ids' "
      "AND pid <> pg_backend_pid()";
  sql.run("SELECT pg_terminate_backend(pid)" + others);
  REQUIRE(wait_until([&] { return sql.number("SELECT count(*)" + others) == 0; }));
  CHECK(store->lease("order", 1).ok());
}

TEST_CASE("PostgreSQL: the store serves again once a stopped server is back", "[postgresql]") {
  const auto store = fresh_store(postgresql().url());
  REQUIRE(store->lease("order", 5).ok());
  postgresql().stop();
  for (int i = 0; i < 3; ++i) {
    const Status down = lease_one(*store);
    CHECK(down.code() == StatusCode::kUnavailable);
    CHECK(says(down, "no connection"));
  }
  postgresql().start();
  CHECK(store->lease("order", 5)->first == 6);
}

TEST_CASE("PostgreSQL: a row locked by another transaction ends the call in time", "[postgresql]") {
  const SociStoreOptions options = spare_options();
  const auto store = fresh_store(postgresql().url(), options);
  RawSql other(postgresql().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  const Status status = lease_one(*store, options.call_timeout);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "another program holds the row"));
  CHECK(store->lease("user", 1).ok());
  other.run("COMMIT");
  CHECK(store->lease("order", 1)->first == 1);
}

TEST_CASE("PostgreSQL: a stopped backend ends the call in time", "[postgresql]") {
  const auto store = fresh_store(postgresql().url(), short_options());
  REQUIRE(wait_until([&] { return store->lease("order", 1).ok(); }));
  RawSql sql(postgresql().url());
  const std::string others =
      " FROM pg_stat_activity WHERE usename = 'featherid' AND datname = 'ids' "
      "AND pid <> pg_backend_pid()";
  // A session that was closed before is there for a moment longer.
  REQUIRE(wait_until([&] { return sql.number("SELECT count(*)" + others) == 1; }));
  const auto backend = static_cast<pid_t>(sql.number("SELECT pid" + others));
  Status status;
  {
    const Frozen frozen(backend);
    status = lease_one(*store);
  }
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "did not serve the call within 2 s"));
  CHECK(wait_until([&] { return store->lease("order", 1).ok(); }));
}

TEST_CASE("PostgreSQL: a port that never answers ends the call in time", "[postgresql]") {
  const BlackHole hole;
  const auto store = *open_soci_store(
      "postgresql://u:secret1@127.0.0.1:" + std::to_string(hole.port()) + "/ids", short_options());
  for (int i = 0; i < 2; ++i) {
    const Status status = lease_one(*store);
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK_FALSE(says(status, "secret1"));
  }
}

TEST_CASE("PostgreSQL: a lease commits no weaker than synchronously, whatever the default",
          "[postgresql]") {
  const std::string url = postgresql().url();
  fresh_store(url);
  RawSql sql(url);
  // The row records how the transaction that updates it would commit.
  sql.run("ALTER TABLE id_segments ADD committed text");
  sql.run(
      "CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
      "NEW.committed = current_setting(''synchronous_commit''); RETURN NEW; END'");
  sql.run("CREATE TRIGGER tell BEFORE UPDATE ON id_segments FOR EACH ROW EXECUTE FUNCTION tell()");
  const auto committed_as = [&](const std::string& setting) {
    sql.run("ALTER DATABASE ids SET synchronous_commit = " + setting);
    REQUIRE(open_soci_store(url, patient_options()).value()->lease("order", 1).ok());
    return sql.text("SELECT committed FROM id_segments WHERE biz_tag = 'order'");
  };
  for (const char* weaker : {"off", "local", "remote_write"}) CHECK(committed_as(weaker) == "on");
  CHECK(committed_as("remote_apply") == "remote_apply");
  sql.run("ALTER DATABASE ids RESET synchronous_commit");
}

TEST_CASE("PostgreSQL: fsync=off causes a warning", "[postgresql]") {
  const std::string url = postgresql().url();
  RawSql sql(url);
  const auto set_fsync = [&](const std::string& value) {
    sql.run("ALTER SYSTEM SET fsync = " + value);
    sql.run("SELECT pg_reload_conf()");
    REQUIRE(wait_until([&] { return RawSql(url).text("SHOW fsync") == value; }));
  };
  set_fsync("off");
  std::vector<std::string> warnings;
  SociStoreOptions options = patient_options();
  options.log = [&](LogLevel, std::string_view line) { warnings.emplace_back(line); };
  REQUIRE(fresh_store(url, options)->lease("order", 1).ok());
  set_fsync("on");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("fsync is off") != std::string::npos);
}

TEST_CASE("PostgreSQL: a read-only server is an error that passes", "[postgresql]") {
  const auto store = fresh_store(postgresql().url());
  RawSql sql(postgresql().url());
  sql.run("ALTER DATABASE ids SET default_transaction_read_only = on");
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "writable server"));
  sql.run("ALTER DATABASE ids RESET default_transaction_read_only");
  CHECK(store->lease("order", 1).ok());
}
