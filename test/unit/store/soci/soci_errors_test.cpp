// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_errors.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

using featherid::Engine;
using featherid::EngineError;
using featherid::Status;
using featherid::StatusCode;

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

TEST_CASE("each engine's errors are classified by number or SQLSTATE", "[soci_errors]") {
  struct Case {
    Engine engine;
    int number;
    const char* sqlstate;
    const char* words;
    StatusCode code;
  };
  const StatusCode kPasses = StatusCode::kUnavailable;
  const StatusCode kFix = StatusCode::kFailedPrecondition;
  const Case cases[] = {
      {Engine::kMysql, 1205, "", "another program holds", kPasses},
      {Engine::kMysql, 1213, "", "try again", kPasses},
      {Engine::kMysql, 2013, "", "no connection", kPasses},
      {Engine::kMysql, 2002, "", "no connection", kPasses},
      {Engine::kMysql, 1047, "", "no connection", kPasses},
      {Engine::kMysql, 1290, "", "writable server", kPasses},
      {Engine::kMysql, 1146, "", "featherid init", kFix},
      {Engine::kMysql, 1049, "", "no such database", kFix},
      {Engine::kMysql, 1045, "", "login refused", kFix},
      {Engine::kMysql, 1184, "", "init_connect fails", kFix},
      {Engine::kMysql, 1142, "", "privilege", kFix},
      {Engine::kMysql, 1130, "", "login refused", kFix},
      {Engine::kMysql, 1820, "", "login refused", kFix},
      {Engine::kMysql, 3118, "", "login refused", kFix},
      {Engine::kMysql, 4151, "", "login refused", kFix},
      {Engine::kMysql, 1020, "", "try again", kPasses},
      {Engine::kMysql, 1180, "", "try again", kPasses},
      {Engine::kMysql, 3100, "", "START GROUP_REPLICATION", kPasses},
      {Engine::kMysql, 1969, "", "cancelled", kPasses},
      {Engine::kMysql, 1203, "", "no connection", kPasses},
      {Engine::kMysql, 1114, "", "disk is full", kPasses},
      {Engine::kPostgresql, 0, "40001", "try again", kPasses},
      {Engine::kPostgresql, 0, "40P01", "try again", kPasses},
      {Engine::kPostgresql, 0, "55P03", "another program holds", kPasses},
      {Engine::kPostgresql, 0, "57014", "cancelled", kPasses},
      {Engine::kPostgresql, 0, "08P01", "pool_mode", kPasses},
      {Engine::kPostgresql, 0, "57P01", "no connection", kPasses},
      {Engine::kPostgresql, 0, "08006", "no connection", kPasses},
      {Engine::kPostgresql, 0, "25006", "writable server", kPasses},
      {Engine::kPostgresql, 0, "42P01", "featherid init", kFix},
      {Engine::kPostgresql, 0, "42501", "privilege", kFix},
      {Engine::kSqlite3, 5, "", "another program holds", kPasses},
      {Engine::kSqlite3, 8, "", "write access", kFix},
      {Engine::kSqlite3, 13, "", "disk is full", kPasses},
      {Engine::kSqlite3, 14, "", "cannot be opened", kFix},
      {Engine::kSqlite3, 26, "", "cannot be read or written as a database", kFix},
  };
  for (const Case& c : cases) {
    const Status status = status_of(c.engine, {c.number, c.sqlstate, "engine's words"});
    CHECK(status.code() == c.code);
    CHECK(says(status, c.words));
    CHECK(says(status, "engine's words"));
    CHECK(says(status, c.engine == Engine::kSqlite3 ? "f.db" : "d at h:1"));
  }
}

TEST_CASE("PgBouncer's one state is told apart by its words", "[soci_errors]") {
  const auto status = [](const char* words) {
    return status_of(Engine::kPostgresql, {0, "08P01", words});
  };
  for (const char* const words : {"SASL authentication failed", "password authentication failed"}) {
    CHECK(status(words).code() == StatusCode::kFailedPrecondition);
    CHECK(status(words).message().find("login refused; check user and password (08P01") !=
          std::string::npos);
  }
  CHECK(status("SSL required").message().find("tls=required") != std::string::npos);
  CHECK(status("no such database: ids").message().find("knows this database") != std::string::npos);
}

TEST_CASE("a server that left its group is detected by a function that only members have",
          "[soci_errors]") {
  const EngineError left{1123, "", "Can't initialize function 'group_replication_get_…'"};
  CHECK(server_state(Engine::kMysql, left) == featherid::ServerState::kRefuses);
  CHECK(status_of(Engine::kMysql, left).code() == StatusCode::kUnavailable);
  CHECK(says(status_of(Engine::kMysql, left), "START GROUP_REPLICATION"));
  const EngineError other{1123, "", "Can't initialize function 'myfunc'"};
  CHECK(server_state(Engine::kMysql, other) == featherid::ServerState::kServes);
}

TEST_CASE("a password that MySQL accepts only over TLS differs from a wrong one", "[soci_errors]") {
  for (const char* words :
       {"Couldn't read RSA public key from server",
        "RSA Encryption not supported - caching_sha2_password plugin was built with GnuTLS support",
        "Authentication plugin 'caching_sha2_password' reported error: Authentication requires "
        "secure connection."}) {
    const Status status = status_of(Engine::kMysql, {2061, "", words, true});
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "tls=required"));
  }
  const Status other = status_of(Engine::kMysql, {2061, "", "plugin could not be loaded", true});
  CHECK(says(other, "login refused"));
}

TEST_CASE("a commit that a cluster rolls back is a conflict", "[soci_errors]") {
  for (const int number : {1020, 1180, 1213, 3101}) {
    const EngineError error{number, "", "Got error 149 during COMMIT", false};
    CHECK(server_state(Engine::kMysql, error) == featherid::ServerState::kRolledBack);
    CHECK(says(status_of(Engine::kMysql, error), "lost against another transaction"));
  }
}

TEST_CASE("a duplicate key and a number that is too large have their own codes", "[soci_errors]") {
  CHECK(status_of(Engine::kMysql, {1062, "", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kPostgresql, {0, "23505", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kSqlite3, {19, "", ""}).code() == StatusCode::kAlreadyExists);
  CHECK(status_of(Engine::kMysql, {1690, "", ""}).code() == StatusCode::kExhausted);
  CHECK(status_of(Engine::kMysql, {1264, "", ""}).code() == StatusCode::kExhausted);
  CHECK(status_of(Engine::kPostgresql, {0, "22003", ""}).code() == StatusCode::kExhausted);
}

TEST_CASE("a refused connection is classified by its SQLSTATE, in any language", "[soci_errors]") {
  const auto connecting = [](const char* state) {
    return status_of(Engine::kPostgresql, {0, state, "FATAL:  Passwort-Authentifizierung", true});
  };
  CHECK(says(connecting("28P01"), "login refused"));
  CHECK(says(connecting("28000"), "login refused"));
  CHECK(says(connecting("3D000"), "no such database"));
  CHECK(connecting("28P01").code() == StatusCode::kFailedPrecondition);
  CHECK(connecting("53300").code() == StatusCode::kUnavailable);
  CHECK(connecting("57P03").code() == StatusCode::kUnavailable);
  CHECK(says(connecting(""), "no connection"));
}

TEST_CASE("a refusal because of TLS or its lack names the setting to use", "[soci_errors]") {
  struct Case {
    int number;
    const char* text;
    const char* words;
    bool passes;
  };
  const Case mysql[] = {
      {1045, "Access denied", "REQUIRE X509", false},
      {3159, "insecure transport", "encrypted connection only; set tls=required", false},
      {2061, "Authentication requires secure connection.", "set tls=required", false},
      {2061, "Couldn't read RSA public key from server", "set tls=required", false},
      {2061, "plugin", "login refused", false},
      {2026, "SSL is required, but the server does not support it", "does not offer it", false},
      {2026, "TLS/SSL error: self-signed certificate", "check tls, ca, cert and key", false},
      {2026, "TLS/SSL error: key values mismatch", "check tls, ca, cert and key", false},
      {2026, "TLS/SSL error: unexpected eof while reading", "no connection", true},
      {0, "the certificate or key file ca=x: No such file", "check tls, ca, cert and key", false},
  };
  for (const Case& c : mysql) {
    const Status status = status_of(Engine::kMysql, {c.number, "", c.text, true});
    CHECK((status.code() == StatusCode::kUnavailable) == c.passes);
    CHECK(says(status, c.words));
  }
  const Case postgresql[] = {
      {0, "SSL error: certificate verify failed", "check tls, ca, cert and key", false},
      {0, "server does not support SSL, but SSL was required", "does not offer it", false},
      {0, "SSL error: tlsv13 alert certificate required", "check tls, ca, cert and key", false},
      {0, "SSL SYSCALL error: EOF detected", "no connection", true},
  };
  for (const Case& c : postgresql) {
    const Status status = status_of(Engine::kPostgresql, {0, "", c.text, true});
    CHECK((status.code() == StatusCode::kUnavailable) == c.passes);
    CHECK(says(status, c.words));
  }
}

TEST_CASE("the error for a refused login names what the URL lacks", "[soci_errors]") {
  const auto refused = [](const std::string& options, const char* state = "28000") {
    const auto url = *featherid::parse_database_url("postgresql://u@db.example/d?" + options);
    return to_status(url, {0, state, "no pg_hba.conf entry", true});
  };
  CHECK(says(refused("tls=off"), "hostssl in pg_hba.conf), set tls=required"));
  CHECK(says(refused("tls=required"), "clientcert in pg_hba.conf), set cert and key"));
  CHECK(says(refused(""), "set cert and key"));  // it was preferred, and the server offered it
  CHECK(says(refused("tls=required&cert=c&key=k"), "and the client's certificate"));
  CHECK_FALSE(says(refused("tls=off", "28P01"), "tls="));  // the password itself
}

TEST_CASE("a client's own error on a connection is no lost connection", "[soci_errors]") {
  const EngineError conversion{0, "", "Cannot convert data", false};
  CHECK(server_state(Engine::kPostgresql, conversion) == featherid::ServerState::kServes);
  CHECK_FALSE(says(status_of(Engine::kPostgresql, conversion), "no connection"));
}

TEST_CASE("the error for a missing table depends on which table it is", "[soci_errors]") {
  CHECK(says(status_of(Engine::kSqlite3, {1, "", "no such table: id_segments"}), "featherid init"));
  const Status no_leader = status_of(Engine::kMysql, {1146, "", "no 'ids.id_leader'"});
  CHECK(says(no_leader, "featherid init"));
  CHECK(says(no_leader, "failover = synchronous"));
}

TEST_CASE("the error for a Galera cluster without its table of marks says what to run",
          "[soci_errors]") {
  for (const Status& refused :
       {status_of(Engine::kMysql, {1146, "", "Table 'ids.id_mark' doesn't exist"}),
        status_of(Engine::kMysql, {1286, "", "Unknown storage engine 'MEMORY'"}),
        status_of(Engine::kMysql, {4165, "", "Galera replication not supported"})}) {
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK(says(refused, "id_mark"));
    CHECK(says(refused, "featherid init"));
  }
}

TEST_CASE("a tag that the column cannot hold is no tag", "[soci_errors]") {
  for (const int number : {1267, 1366, 3854, 3988}) {
    CHECK(status_of(Engine::kMysql, {number, "", ""}).code() == StatusCode::kNotFound);
  }
  CHECK(status_of(Engine::kPostgresql, {0, "22P05", ""}).code() == StatusCode::kNotFound);
}

TEST_CASE("only a statement that did not run may be tried at another address", "[soci_errors]") {
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
  for (const char* state : {"08006", "57P01", "08P01"}) {
    CHECK(postgresql(state) == ServerState::kLost);
  }
  for (const char* state : {"55P03", "57014"}) CHECK(postgresql(state) == ServerState::kServes);
  for (const char* state : {"40001", "40P01"}) {
    CHECK(postgresql(state) == ServerState::kRolledBack);
  }
}

TEST_CASE("a message is one line", "[soci_errors]") {
  const Status status = status_of(Engine::kMysql, {2013, "", "\n lost\r\n\tconnection\n\n"});
  CHECK(status.message() ==
        "mysql database d at h:1: no connection; make sure that the server runs and can be reached "
        "(2013: "
        "lost connection )");
}
