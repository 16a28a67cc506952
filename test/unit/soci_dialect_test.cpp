// SPDX-License-Identifier: MIT
#include "lib/store/soci_dialect.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

using featherid::dialect_of;
using featherid::Engine;
using featherid::EngineError;
using featherid::ServerSetting;
using featherid::split_statements;
using featherid::Status;
using featherid::StatusCode;
using featherid::unsafe_settings;

namespace {

const std::string kUrls[] = {"mysql://u:s3cret@h:1/d", "postgresql://u:s3cret@h:1/d",
                             "sqlite3:f.db"};

Status status_of(Engine engine, const EngineError& error) {
  return to_status(*featherid::parse_database_url(kUrls[static_cast<int>(engine)]), error);
}

bool says(const Status& status, const std::string& words) {
  INFO(status);
  return status.message().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("each engine's errors are told by number or SQLSTATE", "[soci_dialect]") {
  struct Case {
    Engine engine;
    int number;
    const char* sqlstate;
    const char* words;
    StatusCode code;
  };
  const StatusCode kPasses = StatusCode::kUnavailable;
  const StatusCode kMend = StatusCode::kFailedPrecondition;
  const Case cases[] = {
      {Engine::kMysql, 1205, "", "another program holds", kPasses},
      {Engine::kMysql, 1213, "", "try again", kPasses},
      {Engine::kMysql, 2013, "", "no connection", kPasses},
      {Engine::kMysql, 2002, "", "no connection", kPasses},
      {Engine::kMysql, 1047, "", "no connection", kPasses},
      {Engine::kMysql, 1290, "", "writable server", kPasses},
      {Engine::kMysql, 1146, "", "featherid-server --init-schema", kMend},
      {Engine::kMysql, 1049, "", "no such database", kMend},
      {Engine::kMysql, 1045, "", "login refused", kMend},
      {Engine::kMysql, 1142, "", "privilege", kMend},
      {Engine::kMysql, 1114, "", "disk is full", kPasses},
      {Engine::kPostgresql, 0, "40001", "try again", kPasses},
      {Engine::kPostgresql, 0, "40P01", "try again", kPasses},
      {Engine::kPostgresql, 0, "55P03", "another program holds", kPasses},
      {Engine::kPostgresql, 0, "57P01", "no connection", kPasses},
      {Engine::kPostgresql, 0, "08006", "no connection", kPasses},
      {Engine::kPostgresql, 0, "25006", "writable server", kPasses},
      {Engine::kPostgresql, 0, "42P01", "featherid-server --init-schema", kMend},
      {Engine::kPostgresql, 0, "42501", "privilege", kMend},
      {Engine::kSqlite3, 5, "", "another program holds", kPasses},
      {Engine::kSqlite3, 8, "", "write access", kMend},
      {Engine::kSqlite3, 13, "", "disk is full", kPasses},
      {Engine::kSqlite3, 14, "", "cannot be opened", kMend},
      {Engine::kSqlite3, 26, "", "cannot be read or written as a database", kMend},
  };
  for (const Case& c : cases) {
    const Status status = status_of(c.engine, {c.number, c.sqlstate, "engine's words"});
    CHECK(status.code() == c.code);
    CHECK(says(status, c.words));
    CHECK(says(status, "engine's words"));
    CHECK(says(status, c.engine == Engine::kSqlite3 ? "f.db" : "d at h:1"));
  }
}

TEST_CASE("a key that is there and a number too large have codes of their own", "[soci_dialect]") {
  CHECK(status_of(Engine::kMysql, {1062, "", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kPostgresql, {0, "23505", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kSqlite3, {19, "", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kMysql, {1690, "", ""}).code() == StatusCode::kExhausted);
  CHECK(status_of(Engine::kMysql, {1264, "", ""}).code() == StatusCode::kExhausted);
  CHECK(status_of(Engine::kPostgresql, {0, "22003", ""}).code() == StatusCode::kExhausted);
}

TEST_CASE("errors without a code are told by their text", "[soci_dialect]") {
  const auto postgresql = [](const char* text) {
    return status_of(Engine::kPostgresql, {0, "", text});
  };
  CHECK(says(postgresql("FATAL:  password authentication failed for user \"u\""), "login refused"));
  CHECK(says(postgresql("FATAL:  database \"d\" does not exist"), "no such database"));
  CHECK(says(postgresql("FATAL:  role \"u\" does not exist"), "login refused"));
  CHECK(says(postgresql("connection refused"), "no connection"));
  CHECK(says(status_of(Engine::kSqlite3, {1, "", "no such table: id_segments"}), "--init-schema"));
  const Status no_leader = status_of(Engine::kMysql, {1146, "", "no 'ids.id_leader'"});
  CHECK(says(no_leader, "--init-schema"));
  CHECK(says(no_leader, "failover = synchronous"));
}

TEST_CASE("only what was not run may be tried at another address", "[soci_dialect]") {
  using featherid::ServerState;
  const auto mysql = [](int number) { return server_state(Engine::kMysql, {number, "", ""}); };
  const auto postgresql = [](const char* state) {
    return server_state(Engine::kPostgresql, {0, state, ""});
  };
  for (const int number : {1040, 1047, 1290, 1792, 1836}) {
    CHECK(mysql(number) == ServerState::kRefuses);
  }
  for (const int number : {1053, 1927, 2006, 2013}) CHECK(mysql(number) == ServerState::kLost);
  for (const int number : {1205, 1062, 1146, 1690}) CHECK(mysql(number) == ServerState::kServes);
  CHECK(mysql(1213) == ServerState::kRolledBack);
  for (const char* state : {"25006", "57P03", "53300"}) {
    CHECK(postgresql(state) == ServerState::kRefuses);
  }
  for (const char* state : {"08006", "57P01", ""}) CHECK(postgresql(state) == ServerState::kLost);
  for (const char* state : {"55P03", "57014"}) CHECK(postgresql(state) == ServerState::kServes);
  for (const char* state : {"40001", "40P01"}) {
    CHECK(postgresql(state) == ServerState::kRolledBack);
  }
}

TEST_CASE("a message is one line", "[soci_dialect]") {
  const Status status = status_of(Engine::kMysql, {2013, "", "\n lost\r\n\tconnection\n\n"});
  CHECK(
      status.message() ==
      "mysql database d at h:1: no connection; see that the server runs and can be reached (2013: "
      "lost connection )");
}

TEST_CASE("a schema file falls into its statements", "[soci_dialect]") {
  CHECK(split_statements("-- one; two\nA (\n  'x;y'\n);\n\nB;\n") ==
        std::vector<std::string>{"A (\n  'x;y'\n)", "B"});
  CHECK(split_statements("").empty());
  for (const Engine engine : {Engine::kMysql, Engine::kPostgresql, Engine::kSqlite3}) {
    const std::vector<std::string> statements = split_statements(dialect_of(engine).schema);
    // id_segments and, where there are servers, id_leader.
    REQUIRE(statements.size() == (engine == Engine::kSqlite3 ? 2 : 4));
    for (std::size_t i = 0; i < statements.size(); i += 2) {
      CHECK(statements[i].rfind("CREATE TABLE IF NOT EXISTS", 0) == 0);
      CHECK(statements[i + 1].rfind("INSERT ", 0) == 0);
    }
  }
}

TEST_CASE("settings that let a crash take back a lease are named", "[soci_dialect]") {
  const auto count = [](Engine engine, const std::vector<ServerSetting>& settings) {
    return unsafe_settings(engine, settings).size();
  };
  const std::vector<ServerSetting> safe = {{"innodb_flush_log_at_trx_commit", "1"},
                                           {"log_bin", "ON"},
                                           {"sync_binlog", "1"},
                                           {"engine", "InnoDB"}};
  CHECK(count(Engine::kMysql, safe) == 0);
  CHECK(count(Engine::kMysql, {}) == 0);
  CHECK(count(Engine::kMysql, {{"log_bin", "OFF"}, {"sync_binlog", "0"}}) == 0);
  CHECK(count(Engine::kMysql, {{"innodb_flush_log_at_trx_commit", "2"},
                               {"log_bin", "ON"},
                               {"sync_binlog", "0"},
                               {"engine", "MyISAM"}}) == 3);
  CHECK(count(Engine::kPostgresql, {{"fsync", "on"}, {"synchronous_commit", "off"}}) == 0);
  CHECK(count(Engine::kPostgresql, {{"fsync", "off"}}) == 1);
}
