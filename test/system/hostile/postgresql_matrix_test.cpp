// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/in_fork.h"
#include "test/support/scratch_dir.h"
#include "test/system/hostile/matrix.h"
#include "test/system/hostile/postgresql_database.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// Where a parameter is set.
enum class Level {
  kSystem,
  kReload,  // the same, after a lease
  kDatabase,
  kRole,
  kRoleInDatabase,
  kEnvironment,  // PGOPTIONS
};

const char* to_string(Level level) {
  switch (level) {
    case Level::kSystem:
      return "system";
    case Level::kReload:
      return "reload after a lease";
    case Level::kDatabase:
      return "database";
    case Level::kRole:
      return "role";
    case Level::kRoleInDatabase:
      return "role in database";
    case Level::kEnvironment:
      break;
  }
  return "PGOPTIONS";
}

const std::vector<Level> kEverywhere = {Level::kSystem,         Level::kReload,
                                        Level::kDatabase,       Level::kRole,
                                        Level::kRoleInDatabase, Level::kEnvironment};
const std::vector<Level> kByUser = {Level::kRole, Level::kEnvironment};
const std::vector<Level> kSystemOnly = {Level::kSystem, Level::kReload};

struct Row {
  std::string name;
  std::string value;
  Expectation expectation;
  std::vector<Level> levels;
};

void set(PostgresqlDatabase& database, const Row& row, Level level) {
  const std::string setting =
      " SET " + row.name + " = " + PostgresqlDatabase::in_sql(row.name, row.value);
  switch (level) {
    case Level::kSystem:
    case Level::kReload:
      return database.set_system(row.name, row.value);
    case Level::kDatabase:
      for (const char* name : {"ids", "bare"}) {
        database.run("ALTER DATABASE " + std::string(name) + setting);
      }
      return;
    case Level::kRole:
      return database.run("ALTER ROLE leaser" + setting);
    case Level::kRoleInDatabase:
      for (const char* name : {"ids", "bare"}) {
        database.run("ALTER ROLE leaser IN DATABASE " + std::string(name) + setting);
      }
      return;
    case Level::kEnvironment:
      return;
  }
}

std::string pg_options(const Row& row) {
  std::string escaped;
  for (const char c : row.value) escaped += c == ' ' ? "\\ " : std::string(1, c);
  return "PGOPTIONS=-c " + row.name + "=" + escaped;
}

Cell cell_of(PostgresqlDatabase& database, const Row& row, Level level) {
  database.keep_from_admin(row.name);
  Cell cell;
  cell.name = row.name + " = " + row.value + ", " + to_string(level);
  cell.expectation = row.expectation;
  cell.operations = all_operations();
  cell.after_lease = level == Level::kReload;
  cell.set = [&database, row, level] { set(database, row, level); };
  if (level == Level::kEnvironment) cell.environment = {pg_options(row)};
  return cell;
}

std::vector<Row> mode_rows(PostgresqlDatabase& database) {
  // PostgreSQL 16 renamed it.
  const std::string parallel = "debug_parallel_query";
  return {
      {"synchronous_commit", "local", serves(), kEverywhere},
      {"synchronous_commit", "remote_write", serves(), kSystemOnly},
      {"default_transaction_isolation", "read uncommitted", serves(), kByUser},
      {"default_transaction_isolation", "repeatable read", serves(), kEverywhere},
      {"default_transaction_isolation", "serializable", serves(), kEverywhere},
      {"default_transaction_read_only", "on", serves_or_refuses("read-only"), kEverywhere},
      {"default_transaction_deferrable", "on", serves(), kByUser},
      // It may end even the statement that sets a longer one.
      {"statement_timeout", "1ms", serves_or_refuses("timeout"), kEverywhere},
      {"lock_timeout", "1ms", serves(), kEverywhere},
      {"idle_in_transaction_session_timeout", "1ms", serves(), kEverywhere},
      {"idle_session_timeout", "20ms", serves(), kSystemOnly},
      {"search_path", "public, evil", serves(), kEverywhere},
      {"search_path", "pg_temp, pg_catalog, public", serves_or_refuses("temp"), kEverywhere},
      {"search_path", "pg_catalog", serves_or_refuses("id_segments"), kByUser},
      {"client_encoding", "LATIN1", serves(), kEverywhere},
      {"client_encoding", "SQL_ASCII", serves(), kByUser},
      {"standard_conforming_strings", "off", serves(), kByUser},
      {"backslash_quote", "on", serves(), kByUser},
      {"transform_null_equals", "on", serves(), kByUser},
      {"quote_all_identifiers", "on", serves(), kByUser},
      {"row_security", "off", serves(), kByUser},
      {"bytea_output", "escape", serves(), kByUser},
      {"DateStyle", "SQL, DMY", serves(), kByUser},
      {"TimeZone", "Etc/GMT+12", serves(), kByUser},
      {"exit_on_error", "on", serves(), kByUser},
      {"plan_cache_mode", "force_generic_plan", serves(), kByUser},
      {"enable_indexscan", "off", serves(), kByUser},
      {database.has_parameter(parallel) ? parallel : "force_parallel_mode", "on", serves(),
       kByUser},
      {"jit_above_cost", "0", serves(), kByUser},
      // Settings of an administrator only.
      {"fsync", "off", warns("fsync"), kSystemOnly},
      {"full_page_writes", "off", warns("full_page_writes"), kSystemOnly},
      {"session_replication_role", "replica", serves(), kSystemOnly},
      {"commit_delay", "100", serves(), kSystemOnly},
      {"zero_damaged_pages", "on", serves(), kSystemOnly},
  };
}

// Changes that an operator makes to names and tables.
struct Change {
  std::string name;
  std::vector<std::string> statements;
  Expectation expectation;
  // Parameters of a role or a database apply to new sessions.
  Expectation after_lease;
};

// A second pair of tables, if a session of FeatherID can find it.
std::vector<std::string> tables_in(const std::string& schema, const std::string& more = "") {
  std::vector<std::string> statements = {"CREATE SCHEMA " + schema};
  for (const std::string table : {"id_segments", "id_leader"}) {
    statements.push_back("CREATE TABLE " + schema + "." + table + " (LIKE public." + table +
                         " INCLUDING ALL)");
    statements.push_back("INSERT INTO " + schema + "." + table + " SELECT * FROM public." + table);
  }
  for (const std::string& name : {schema, std::string("public")}) {
    statements.push_back("GRANT ALL ON SCHEMA " + name + " TO leaser, evil");
    statements.push_back("GRANT ALL ON ALL TABLES IN SCHEMA " + name + " TO leaser, evil");
  }
  if (!more.empty()) statements.push_back(more);
  return statements;
}

std::vector<Change> changes() {
  const Expectation both = refuses({"evil.id_segments", "public.id_segments"});
  const Expectation own = refuses({"leaser.id_segments", "public.id_segments"});
  const Expectation leaders = refuses({"leaser.id_leader", "public.id_leader"});
  const Expectation unlogged = refuses({"UNLOGGED", "id_segments"});
  const Expectation unlogged_leader = refuses({"UNLOGGED", "id_leader"});
  const auto search = [](const std::string& what, const std::string& path) {
    return tables_in("evil", "ALTER " + what + " SET search_path = " + path);
  };
  return {
      {"a schema named like the role", tables_in("leaser"), own, own},
      {"search_path of the role", search("ROLE leaser", "evil, public"), both, serves()},
      {"the other table comes second", search("ROLE leaser", "public, evil"), both, serves()},
      {"search_path of the database", search("DATABASE ids", "evil, public"), both, serves()},
      {"another role by default", tables_in("evil", "ALTER ROLE leaser SET role = evil"), both,
       serves()},
      {"two tables id_leader",
       {"CREATE SCHEMA leaser", "CREATE TABLE leaser.id_leader AS TABLE public.id_leader",
        "GRANT ALL ON SCHEMA leaser TO leaser", "GRANT ALL ON leaser.id_leader TO leaser"},
       leaders,
       leaders},
      {"id_segments UNLOGGED", {"ALTER TABLE id_segments SET UNLOGGED"}, unlogged, unlogged},
      {"id_leader UNLOGGED",
       {"ALTER TABLE id_leader SET UNLOGGED"},
       unlogged_leader,
       unlogged_leader},
  };
}

// Environment variables that libpq reads, except PGOPTIONS.
std::vector<std::string> environments() {
  return {"PGHOSTADDR=127.0.0.2",
          "PGTARGETSESSIONATTRS=read-only",
          "PGTARGETSESSIONATTRS=standby",
          "PGCLIENTENCODING=LATIN1",
          "PGTZ=Etc/GMT+12",
          "PGDATESTYLE=SQL, DMY",
          "PGDATABASE=bare",
          "PGUSER=nobody",
          "PGPASSWORD=wrong",
          "PGCONNECT_TIMEOUT=0"};
}

}  // namespace

TEST_CASE("PostgreSQL: what decides on a commit", "[postgresql]") {
  PostgresqlDatabase database;
  Matrix matrix("PostgreSQL, commit", database);
  for (const Level level : kEverywhere) {
    matrix.run_each_alone(cell_of(database, {"synchronous_commit", "off", serves(), {}}, level));
  }
}

TEST_CASE("PostgreSQL: modes of a session", "[postgresql]") {
  PostgresqlDatabase database;
  Matrix matrix("PostgreSQL, modes", database);
  for (const Row& row : mode_rows(database)) {
    for (const Level level : row.levels) matrix.run(cell_of(database, row, level));
  }
}

TEST_CASE("PostgreSQL: names and tables", "[postgresql]") {
  PostgresqlDatabase database;
  Matrix matrix("PostgreSQL, names and tables", database);
  for (const Change& change : changes()) {
    for (const bool after_lease : {false, true}) {
      Cell cell;
      cell.name = change.name + (after_lease ? ", after a lease" : "");
      cell.expectation = after_lease ? change.after_lease : change.expectation;
      cell.operations = all_operations();
      cell.after_lease = after_lease;
      cell.set = [&] {
        for (const std::string& statement : change.statements) database.run(statement);
      };
      matrix.run(cell);
    }
  }
}

TEST_CASE("PostgreSQL: the environment", "[postgresql]") {
  PostgresqlDatabase database;
  Matrix matrix("PostgreSQL, environment", database);
  const ScratchDir scratch;
  std::ofstream(scratch.file("services"))
      << "[evil]\nhostaddr=127.0.0.2\ntarget_session_attrs=standby\n"
         "options=-c synchronous_commit=off\n";
  std::vector<std::vector<std::string>> all = {
      {"PGSERVICE=evil", "PGSERVICEFILE=" + scratch.file("services")}};
  for (const std::string& variable : environments()) all.push_back({variable});
  for (const std::vector<std::string>& environment : all) {
    Cell cell;
    cell.name = environment.front();
    cell.expectation = serves();
    cell.operations = all_operations();
    cell.environment = environment;
    matrix.run(cell);
  }
}

TEST_CASE("PostgreSQL: a URL without a port means 5432, whatever the environment", "[postgresql]") {
  PostgresqlDatabase database;
  database.prepare();
  CHECK(failures_in_fork([&] {
          ::setenv("PGPORT", std::to_string(database.port()).c_str(), 1);
          return (*open_soci_store("postgresql://leaser:p@127.0.0.1/ids"))->lease("order", 1).ok()
                     ? 1
                     : 0;
        }) == 0);
}

TEST_CASE("PostgreSQL: there is no warning without a cause", "[postgresql]") {
  PostgresqlDatabase database;
  database.prepare();
  std::string warnings;
  SociStoreOptions options;
  options.log = [&](LogLevel, std::string_view line) { warnings.append(line) += "\n"; };
  REQUIRE(init_soci_schema(database.url(), options).ok());
  CHECK((*open_soci_store(database.url(), options))->lease("order", 10).ok());
  INFO(warnings);
  CHECK(warnings.empty());
}
