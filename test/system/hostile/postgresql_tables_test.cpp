// SPDX-License-Identifier: MIT
#include <future>
#include <string>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/hostile/tables.h"

using namespace featherid;
using namespace featherid::test;

namespace {

const std::string& url() {
  static const std::string url = postgresql().url();
  return url;
}

void drop_all() {
  RawSql sql(url(), "DROP SCHEMA IF EXISTS public, featherid, evil CASCADE");
  sql.run("CREATE SCHEMA public");
}

void make_table(const std::string& key_type, const std::string& tag) {
  drop_all();
  RawSql sql(url());
  sql.run(
      "CREATE COLLATION ignores_case (provider = icu, locale = 'und-u-ks-level2', "
      "deterministic = false)");
  sql.run("CREATE TABLE id_segments (biz_tag " + key_type +
          " PRIMARY KEY, max_id bigint NOT NULL DEFAULT 0, step integer NOT NULL DEFAULT 1000, "
          "update_time timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP)");
  insert_row(sql, {tag, 0, 1000});
  REQUIRE(init_soci_schema(url()).ok());
}

}  // namespace

TEST_CASE("PostgreSQL: a schema named like the role does not make a second table",
          "[postgresql][tables]") {
  drop_all();
  REQUIRE(init_soci_schema(url()).ok());
  RawSql sql(url());
  sql.run("UPDATE id_segments SET max_id = 2000 WHERE biz_tag = 'order'");
  sql.run("CREATE SCHEMA featherid");
  const Status made = init_soci_schema(url());
  INFO(made);
  CHECK(made.ok());
  CHECK(sql.number("SELECT count(*) FROM pg_class WHERE relname = 'id_segments'") == 1);
  CHECK(Watched(url()).store->lease("order", 10)->first == 2001);
  drop_all();
}

TEST_CASE("PostgreSQL: --init-schema creates id_segments in the schema of id_leader",
          "[postgresql][tables]") {
  drop_all();
  REQUIRE(init_soci_schema(url()).ok());
  RawSql sql(url(), "CREATE SCHEMA featherid");
  sql.run("DROP TABLE id_segments");
  const Status made = init_soci_schema(url());
  INFO(made);
  CHECK(made.ok());
  CHECK(sql.number("SELECT count(*) FROM pg_class WHERE relname IN ('id_segments', 'id_leader')") ==
        2);
  CHECK(Watched(url()).store->lease("order", 10).ok());
  drop_all();
}

TEST_CASE("PostgreSQL: --init-schema names two tables id_segments", "[postgresql][tables]") {
  drop_all();
  REQUIRE(init_soci_schema(url()).ok());
  RawSql sql(url(), "CREATE SCHEMA featherid");
  sql.run("CREATE TABLE featherid.id_segments AS TABLE public.id_segments");
  const Status made = init_soci_schema(url());
  INFO(made);
  CHECK(made.code() == StatusCode::kFailedPrecondition);
  CHECK(says(made, "featherid.id_segments"));
  CHECK(says(made, "public.id_segments"));
  drop_all();
}

TEST_CASE("PostgreSQL: id_segments as a view on another table serves", "[postgresql][tables]") {
  drop_all();
  RawSql sql(url());
  sql.run(
      "CREATE TABLE company (name varchar(64) PRIMARY KEY, last_id bigint NOT NULL DEFAULT 0, "
      "size integer NOT NULL DEFAULT 1000, changed timestamptz)");
  sql.run("INSERT INTO company (name) VALUES ('series')");
  sql.run(
      "CREATE VIEW id_segments AS SELECT name AS biz_tag, last_id AS max_id, size AS step, "
      "changed AS update_time FROM company");
  const Status made = init_soci_schema(url());
  INFO(made);
  REQUIRE(made.ok());
  check_all_operations(*Watched(url()).store, "series", "new");
  drop_all();
}

TEST_CASE("PostgreSQL: a view on an unlogged table is detected", "[postgresql][tables]") {
  drop_all();
  RawSql sql(url());
  sql.run(
      "CREATE UNLOGGED TABLE company (biz_tag varchar(64) PRIMARY KEY, max_id bigint, "
      "step integer, update_time timestamptz)");
  sql.run("INSERT INTO company VALUES ('order', 0, 1000)");
  sql.run("CREATE VIEW id_segments AS TABLE company");
  static_cast<void>(init_soci_schema(url()));
  Watched watched(url());
  const Status status = lease_one(*watched.store);
  const std::string said = status.message() + watched.warnings;
  INFO(said);
  CHECK((said.find("UNLOGGED") != std::string::npos || said.find("view") != std::string::npos));
  drop_all();
}

TEST_CASE("PostgreSQL: a partition that is unlogged is detected", "[postgresql][tables]") {
  drop_all();
  RawSql sql(url());
  sql.run(
      "CREATE TABLE id_segments (biz_tag varchar(64) PRIMARY KEY, max_id bigint, "
      "step integer, update_time timestamptz) PARTITION BY LIST (biz_tag)");
  sql.run("CREATE UNLOGGED TABLE part PARTITION OF id_segments DEFAULT");
  sql.run("INSERT INTO id_segments VALUES ('order', 0, 1000)");
  static_cast<void>(init_soci_schema(url()));
  Watched watched(url());
  const Status status = lease_one(*watched.store);
  const std::string said = status.message() + watched.warnings;
  INFO(said);
  CHECK(
      (said.find("UNLOGGED") != std::string::npos || said.find("partition") != std::string::npos));
  drop_all();
}

TEST_CASE("PostgreSQL: rows that cannot be served are named and left alone",
          "[postgresql][tables]") {
  drop_all();
  const std::string big = "9999999999999999999999999";
  RawSql sql(url());
  sql.run(
      "CREATE TABLE id_segments (biz_tag varchar(64) PRIMARY KEY, max_id numeric, "
      "step bigint, update_time timestamptz)");
  sql.run(
      "INSERT INTO id_segments VALUES ('no max', NULL, 1000), ('no step', 0, NULL), "
      "('too far', " +
      big + ", 1000), ('both', NULL, NULL)");
  check_bad_rows(url(), {{"no max", "max_id", "NULL"},
                         {"both", "max_id", "NULL"},
                         {"no step", "step", "NULL"},
                         {"too far", "max_id", big.substr(0, 3)}});
  drop_all();
}

TEST_CASE("PostgreSQL: a max_id that rounds is refused", "[postgresql][tables]") {
  drop_all();
  RawSql sql(url());
  sql.run("CREATE TABLE id_segments (biz_tag varchar(64) PRIMARY KEY, max_id " +
          std::string(GENERATE("double precision", "real")) +
          ", step int, update_time timestamptz)");
  sql.run("INSERT INTO id_segments VALUES ('order', 1e18, 1000)");
  const Status status = lease_one(*Watched(url()).store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "bigint"));
  drop_all();
}

TEST_CASE("PostgreSQL: any text type holds a tag", "[postgresql][tables]") {
  make_table(GENERATE("varchar(64)", "text", "varchar(64) COLLATE \"C\"",
                      "varchar(64) COLLATE \"und-x-icu\"", "name"),
             "文件");
  check_all_operations(*Watched(url()).store, "文件", "文本 😀");
  drop_all();
}

TEST_CASE("PostgreSQL: a tag longer than its column does not exist", "[postgresql][tables]") {
  make_table("varchar(6)", "order");
  check_no_such_tag(*Watched(url()).store, "order 7");
  drop_all();
}

TEST_CASE("PostgreSQL: a tag that a database cannot hold does not exist", "[postgresql][tables]") {
  RawSql sql(url(), "DROP DATABASE IF EXISTS latin");
  sql.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const std::string latin = postgresql().url("latin");
  REQUIRE(init_soci_schema(latin).ok());
  check_all_operations(*Watched(latin).store, "user", "üser");
  check_no_such_tag(*Watched(latin).store, "文件");
}

TEST_CASE("PostgreSQL: an error names a tag that a collation equates with another",
          "[postgresql][tables]") {
  make_table("varchar(64) COLLATE ignores_case", "order");
  Watched watched(url());
  REQUIRE(watched.store->lease("order", 10).ok());
  check_not_taken_for(*watched.store, "Order", "order");
  drop_all();
}

TEST_CASE("PostgreSQL: a warning names a trigger that may set max_id back",
          "[postgresql][tables]") {
  drop_all();
  REQUIRE(init_soci_schema(url()).ok());
  RawSql sql(url(),
             "CREATE OR REPLACE FUNCTION cap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
             "NEW.max_id := least(NEW.max_id, 1000); RETURN NEW; END'");
  const std::string when = GENERATE("BEFORE", "AFTER");
  sql.run("CREATE TRIGGER cap " + when +
          " UPDATE ON id_segments FOR EACH ROW EXECUTE FUNCTION cap()");
  Watched watched(url());
  REQUIRE(watched.store->lease("order", 10).ok());
  INFO(watched.warnings);
  CHECK((watched.warnings.find("public.id_segments has a trigger") != std::string::npos) ==
        (when == "BEFORE"));
  drop_all();
}

TEST_CASE("PostgreSQL: a commit that no longer waits for its replica is no lease",
          "[postgresql][tables]") {
  drop_all();
  REQUIRE(init_soci_schema(url()).ok());
  Watched watched(url(), GENERATE(Failover::kSkip, Failover::kSynchronous));
  REQUIRE(watched.store->lease("order", 10).ok());
  RawSql sql(url(), "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  sql.run("SELECT pg_reload_conf()");
  REQUIRE(
      wait_until([&] { return RawSql(url()).text("SHOW synchronous_standby_names") == "nobody"; }));
  Status status;
  auto caller =
      std::async(std::launch::async, [&] { status = watched.store->lease("order", 10).status(); });
  const std::string waiting =
      " FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()";
  const bool waited = wait_until([&] { return sql.number("SELECT count(*)" + waiting) == 1; });
  sql.run("SELECT pg_cancel_backend(pid)" + waiting);
  caller.get();
  sql.run("ALTER SYSTEM RESET synchronous_standby_names");
  sql.run("SELECT pg_reload_conf()");
  REQUIRE(wait_until([&] { return RawSql(url()).text("SHOW synchronous_standby_names").empty(); }));
  CHECK(waited);
  INFO(status);
  CHECK_FALSE(status.ok());
  drop_all();
}
