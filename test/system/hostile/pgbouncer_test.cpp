// SPDX-License-Identifier: MIT
// FeatherID behind a pooler, where any client may have changed a session's settings.
#include <fstream>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/forwarder.h"
#include "test/support/patient.h"
#include "test/support/pgbouncer_server.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/stopwatch.h"
#include "test/support/wait_until.h"
#include "test/system/hostile/matrix.h"
#include "test/system/hostile/postgresql_database.h"

using namespace featherid;
using namespace featherid::test;

namespace {

PgbouncerServer pooler(const PostgresqlDatabase& database, const std::string& pool_mode,
                       const std::string& more_settings = "") {
  return {database.port(), pool_mode, {{"leaser", "p"}}, more_settings};
}

// What another client of the pool gets if it changes no settings.
std::string psql(int port, const std::string& sql) {
  const ScratchDir scratch;
  ChildProcess::Options options;
  options.environment = {"PGPASSWORD=p"};
  options.output_file = scratch.file("output");
  run({"psql", "--host=127.0.0.1", "--port=" + std::to_string(port), "--username=leaser",
       "--dbname=ids", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
       "--set=ON_ERROR_STOP=1", "--command=" + sql},
      options);
  return read_file(options.output_file);
}

constexpr char kOneServerConnection[] = "default_pool_size = 1";
constexpr char kIgnoresOptions[] = "ignore_startup_parameters = options";

void run_with_synchronous_commit_off(Matrix& matrix, PostgresqlDatabase& database,
                                     const std::string& name, int port, bool after_lease) {
  Cell cell;
  cell.name = name + (after_lease ? ", reload after a lease" : ", system");
  cell.expectation = serves();
  cell.operations = all_operations();
  cell.after_lease = after_lease;
  cell.port = port;
  cell.set = [&database] {
    database.set_system("synchronous_commit", "off");
    database.end_sessions();
  };
  matrix.run_each_alone(cell);
}

// What another client may leave on a connection to the server.
struct Leftover {
  std::string sql;
  Expectation expectation;
};

std::vector<Leftover> leftovers() {
  return {
      {"SET synchronous_commit = off", serves()},
      {"SET default_transaction_isolation = 'serializable'", serves()},
      {"SET default_transaction_isolation = 'repeatable read'", serves()},
      {"SET default_transaction_read_only = on", serves_or_refuses("read-only")},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", serves_or_refuses("read-only")},
      {"SET default_transaction_deferrable = on", serves()},
      {"SET lock_timeout = 1", serves()},
      {"SET statement_timeout = 1", serves_or_refuses("timeout")},
      {"SET idle_in_transaction_session_timeout = 1", serves_or_refuses("timeout")},
      {"SET row_security = off", serves()},
      {"SET client_encoding = 'LATIN1'", serves()},
      {"SET standard_conforming_strings = off", serves()},
      {"SET search_path = evil", serves_or_refuses("evil")},
      {"SET search_path = evil, public", serves_or_refuses("evil")},
      {"SET search_path = pg_catalog", serves_or_refuses("search_path")},
      {"SET ROLE evil", serves_or_refuses("evil")},
      {"CREATE TEMP TABLE id_segments AS TABLE public.id_segments", serves_or_refuses("temp")},
      {"CREATE TEMP TABLE id_leader AS TABLE public.id_leader", serves_or_refuses("temp")},
      {"CREATE TEMP VIEW id_segments AS TABLE evil.id_segments", serves_or_refuses("temp")},
      {"PREPARE featherid AS SELECT 1", serves()},
  };
}

void make_evil_tables(PostgresqlDatabase& database) {
  database.run("CREATE SCHEMA evil");
  database.run("CREATE TABLE evil.id_segments AS TABLE public.id_segments");
  database.run("CREATE TABLE evil.id_leader AS TABLE public.id_leader");
  database.run("GRANT ALL ON SCHEMA evil TO leaser, evil");
  database.run("GRANT ALL ON ALL TABLES IN SCHEMA evil TO leaser, evil");
}

SociStoreOptions short_options() {
  SociStoreOptions options;
  options.call_timeout = std::chrono::seconds(2);
  return options;
}

SociStoreOptions patient_options() { return patient_store<SociStoreOptions>(); }

}  // namespace

TEST_CASE("PgBouncer: a lease commits synchronously in every mode that serves", "[pgbouncer]") {
  PostgresqlDatabase database;
  Matrix matrix("PgBouncer, commit", database);
  for (const char* pool_mode : {"session", "transaction"}) {
    const PgbouncerServer bouncer = pooler(database, pool_mode);
    for (const bool after_lease : {false, true}) {
      run_with_synchronous_commit_off(matrix, database, pool_mode, bouncer.port(), after_lease);
    }
  }
  // Here no startup parameter of a client reaches the server.
  const PgbouncerServer bouncer = pooler(database, "transaction", kIgnoresOptions);
  for (const bool after_lease : {false, true}) {
    run_with_synchronous_commit_off(matrix, database, "transaction, options ignored",
                                    bouncer.port(), after_lease);
  }
}

TEST_CASE("PgBouncer: what another client leaves on a connection does no harm", "[pgbouncer]") {
  PostgresqlDatabase database;
  Matrix matrix("PgBouncer, leftovers", database);
  const PgbouncerServer bouncer = pooler(database, "transaction", kOneServerConnection);
  for (const Leftover& leftover : leftovers()) {
    for (const bool after_lease : {false, true}) {
      Cell cell;
      cell.name = leftover.sql + (after_lease ? ", after a lease" : "");
      cell.expectation = leftover.expectation;
      cell.operations = all_operations();
      cell.after_lease = after_lease;
      cell.port = bouncer.port();
      cell.set = [&] {
        make_evil_tables(database);
        psql(bouncer.port(), leftover.sql);
      };
      matrix.run(cell);
    }
  }
}

TEST_CASE("PgBouncer: FeatherID leaves nothing on a connection", "[pgbouncer]") {
  PostgresqlDatabase database;
  database.prepare();
  const PgbouncerServer bouncer = pooler(database, "transaction", kOneServerConnection);
  const std::string url = with_port(database.url(), bouncer.port());
  const auto store = *open_soci_store(url, patient_options());
  const auto check_clean = [&] {
    // Except what PgBouncer itself sets for each client.
    for (const char* left :
         {"SELECT name, setting FROM pg_settings WHERE source = 'session' AND name NOT IN "
          "('application_name', 'client_encoding', 'DateStyle', 'TimeZone', "
          "'standard_conforming_strings')",
          "SELECT name FROM pg_prepared_statements",
          "SELECT relname FROM pg_class WHERE relpersistence = 't'"}) {
      const std::string found = psql(bouncer.port(), left);
      INFO(left << ": " << found);
      CHECK(found.empty());
    }
  };
  check_clean();
  const Result<IdRange> range = store->lease("order", 10);
  INFO(range.status());
  REQUIRE(range.ok());
  check_clean();
  CHECK(store->give_back("order", {range->first + 5, range->end}).value());
  CHECK(store->create("new", 10).ok());
  CHECK(store->advance("new", 100).ok());
  CHECK(store->update("new", 20).ok());
  CHECK(store->list().ok());
  CHECK(store->create("new", 10).code() == StatusCode::kAlreadyExists);
  CHECK(init_soci_schema(url, patient_options()).ok());
  database.make_another_lead();
  CHECK(store->lease("order", 10)->first > 1000);
  check_clean();
}

TEST_CASE("PgBouncer: statement pooling serves or says what to configure", "[pgbouncer]") {
  PostgresqlDatabase database;
  database.prepare();
  const PgbouncerServer bouncer = pooler(database, "statement");
  const std::string url = with_port(database.url(), bouncer.port());
  SociStoreOptions options = patient_options();
  for (const Failover failover : {Failover::kSkip, Failover::kStop, Failover::kSynchronous}) {
    options.failover = failover;
    const auto store = *open_soci_store(url, options);
    const Status status = store->lease("order", 10).status();
    INFO(status);
    if (failover != Failover::kSynchronous) CHECK_FALSE(status.ok());
    if (status.ok()) continue;
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(status.message().find("pool_mode") != std::string::npos);
  }
}

TEST_CASE("PgBouncer: the options of a URL hold behind it", "[pgbouncer]") {
  PostgresqlDatabase database;
  database.prepare();
  database.run("CREATE SCHEMA elsewhere AUTHORIZATION leaser");
  const std::string pool_mode = GENERATE("session", "transaction");
  const PgbouncerServer bouncer =
      pooler(database, pool_mode, pool_mode == "transaction" ? kOneServerConnection : "");
  const ScratchDir scratch;
  const std::string file = scratch.file("password");
  std::ofstream(file) << "p\n";
  std::string url = with_port(database.url(), bouncer.port());
  url.erase(url.find(":p@"), 2);
  url += "?schema=elsewhere&table=order%20ids&application_name=orders&password-file=" + file;
  const std::string usual_row = "SELECT max_id FROM public.id_segments WHERE biz_tag = 'order'";
  const std::string usual = psql(bouncer.port(), usual_row);
  const Status made = init_soci_schema(url, patient_options());
  INFO(made);
  REQUIRE(made.ok());
  {
    const auto store = *open_soci_store(url, patient_options());
    CHECK(store->lease("order", 1000).value() == IdRange{1, 1001});
    CHECK(RawSql(database.admin_url())
              .number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orders'") ==
          1);
    psql(bouncer.port(), "SELECT 1");  // another client's settings are on the connection now
    CHECK(store->lease("order", 1000).value() == IdRange{1001, 2001});
  }
  CHECK(psql(bouncer.port(),
             "SELECT max_id FROM elsewhere.\"order ids\" WHERE biz_tag = 'order'") == "2000\n");
  CHECK(psql(bouncer.port(), usual_row) == usual);
  std::ofstream(file) << "wrong\n";
  const Status refused = (*open_soci_store(url, patient_options()))->lease("order", 1).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kUnavailable);  // the file may be right again
  CHECK(refused.message().find("login refused") != std::string::npos);
  CHECK(refused.message().find("pool_mode") == std::string::npos);
}

TEST_CASE("PgBouncer: a locked row ends the call in time, and its ids come once", "[pgbouncer]") {
  PostgresqlDatabase database;
  database.prepare();
  const PgbouncerServer bouncer =
      pooler(database, "transaction", GENERATE("", kIgnoresOptions, kOneServerConnection));
  const auto store = *open_soci_store(with_port(database.url(), bouncer.port()), short_options());
  Result<IdRange> before = Status(StatusCode::kUnavailable, "");
  CHECK(wait_until([&] { return (before = store->lease("order", 10)).ok(); }));
  INFO(before.status());
  REQUIRE(before.ok());
  RawSql other(database.admin_url(), "BEGIN");
  other.run("UPDATE id_segments SET step = 7 WHERE biz_tag = 'order'");
  const Stopwatch stopwatch;
  const Status locked = store->lease("order", 10).status();
  CHECK(stopwatch.elapsed().count() < 2.4);
  CHECK(locked.code() == StatusCode::kUnavailable);
  other.run("COMMIT");
  Result<IdRange> after = locked;
  REQUIRE(wait_until([&] { return (after = store->lease("order", 10)).ok(); }));
  CHECK(after->first >= before->end);
}

TEST_CASE("PgBouncer: a cut connection is not reported as a wrong pool_mode", "[pgbouncer]") {
  PostgresqlDatabase database;
  database.prepare();
  const PgbouncerServer bouncer = pooler(database, "transaction");
  Forwarder network(bouncer.port());
  using Direction = Forwarder::Direction;
  const Direction direction = GENERATE(Direction::kToServer, Direction::kToClient);
  constexpr int kConversationBytes = 8000;
  constexpr int kStrideBytes = 61;  // as long as the statement that begins a transaction
  int refused = 0;
  for (int bytes = 0; bytes < kConversationBytes; bytes += kStrideBytes) {
    const auto store = *open_soci_store(with_port(database.url(), network.port()), short_options());
    network.begin_cutting(direction, bytes);
    const Status status = store->lease("order", 10).status();
    network.end_cutting();
    INFO(bytes << " bytes: " << status);
    if (status.code() == StatusCode::kFailedPrecondition) {
      ++refused;
    } else if (!status.ok()) {
      CHECK(status.code() == StatusCode::kUnavailable);
    }
  }
  CHECK(refused <= 2);  // a cut inside that statement looks the same
}
