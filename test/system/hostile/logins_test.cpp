// SPDX-License-Identifier: MIT
// A refused login is distinguished from a missing server, in any language and at once.
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// Two callers, and neither waits.
void check_refused_at_once(const std::string& url) {
  const Status status = lease_one(**open_soci_store(url, patient_options()));
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_FALSE(says(status, "make sure that the server runs"));
  SegmentAllocator allocator(*open_soci_store(url, patient_options()));
  for (int i = 0; i < 2; ++i) {
    const Stopwatch stopwatch;
    CHECK(allocator.next_id("order").status().code() == StatusCode::kFailedPrecondition);
    CHECK(stopwatch.elapsed().count() < 1);
  }
}

void check_unavailable(const std::string& url) {
  const Status status = lease_one(**open_soci_store(url, patient_options()));
  CHECK(status.code() == StatusCode::kUnavailable);
}

// A PostgreSQL with German messages and a pg_hba.conf for its users.
class GermanServer {
 public:
  GermanServer() {
    run({"localedef", "-i", "de_DE", "-f", "UTF-8", scratch_.file("de_DE.UTF-8")});
    ::setenv("LOCPATH", (scratch_.path().string() + ":/usr/lib/locale").c_str(), 1);
    std::ofstream(scratch_.file("hba")) << "host all featherid,leaser,locked,late,poor,full,absent "
                                           "127.0.0.1/32 scram-sha-256\n";
    server_ = std::make_unique<PostgresqlServer>(std::vector<std::string>{
        "-c", "lc_messages=de_DE.UTF-8", "-c", "hba_file=" + scratch_.file("hba")});
    ::unsetenv("LOCPATH");
  }

  std::string admin_url() const { return server_->url(); }
  std::string url(const std::string& user_and_password, const std::string& database = "ids") const {
    return "postgresql://" + user_and_password + "@127.0.0.1:" + std::to_string(server_->port()) +
           "/" + database;
  }

 private:
  ScratchDir scratch_;
  std::unique_ptr<PostgresqlServer> server_;
};

}  // namespace

TEST_CASE("PostgreSQL: an error that an operator must fix is also known in German",
          "[postgresql][logins]") {
  const GermanServer server;
  RawSql sql(server.admin_url(), "CREATE ROLE leaser LOGIN PASSWORD 'p'");
  REQUIRE(sql.text("SHOW lc_messages") == "de_DE.UTF-8");
  sql.run("CREATE ROLE stranger LOGIN PASSWORD 'p'");
  sql.run("CREATE ROLE locked NOLOGIN PASSWORD 'p'");
  sql.run("CREATE ROLE late LOGIN PASSWORD 'p' VALID UNTIL '2001-01-01'");
  sql.run("CREATE ROLE poor LOGIN PASSWORD 'p'");
  sql.run("CREATE DATABASE closed ALLOW_CONNECTIONS false");
  sql.run("CREATE DATABASE private");
  sql.run("REVOKE CONNECT ON DATABASE private FROM PUBLIC");
  REQUIRE(init_soci_schema(server.admin_url()).ok());
  for (const auto& [what, url] : std::vector<std::pair<const char*, std::string>>{
           {"wrong password", server.url("leaser:wrong")},
           {"no password", server.url("leaser")},
           {"no such role", server.url("absent:p")},
           {"no entry in pg_hba.conf", server.url("stranger:p")},
           {"no login", server.url("locked:p")},
           {"password too old", server.url("late:p")},
           {"no such database", server.url("leaser:p", "nowhere")},
           {"a database without connections", server.url("leaser:p", "closed")},
           {"no right to connect", server.url("leaser:p", "private")},
           {"no right to the table", server.url("poor:p")},
           {"no table", server.url("leaser:p", "postgres")}}) {
    INFO(what);
    check_refused_at_once(url);
  }
}

TEST_CASE("PostgreSQL: too many connections is an error that passes, also in German",
          "[postgresql][logins]") {
  const GermanServer server;
  RawSql sql(server.admin_url(), "CREATE ROLE full LOGIN PASSWORD 'p' CONNECTION LIMIT 0");
  sql.run("CREATE ROLE leaser LOGIN PASSWORD 'p'");
  sql.run("CREATE DATABASE narrow CONNECTION LIMIT 0");
  check_unavailable(server.url("full:p"));
  check_unavailable(server.url("leaser:p", "narrow"));
}

TEMPLATE_TEST_CASE("MySQL: an account that an operator must fix is reported at once",
                   "[mysql][logins]", MYSQL_SERVERS) {
  const TestType server({GENERATE("--lc-messages=en_US", "--lc-messages=de_DE")});
  RawSql sql(server.url("mysql"));
  const auto url = [&](const std::string& user, const std::string& database = "ids") {
    return "mysql://" + user + ":p@127.0.0.1:" + std::to_string(server.port()) + "/" + database;
  };
  REQUIRE(init_soci_schema(server.url()).ok());
  for (const char* user : {"locked", "late", "odd"}) {
    sql.run("CREATE USER " + std::string(user) + "@'%' IDENTIFIED BY 'p'");
    sql.run("GRANT ALL ON ids.* TO " + std::string(user) + "@'%'");
  }
  sql.run("CREATE USER poor@'%' IDENTIFIED BY 'p'");
  sql.run("ALTER USER locked@'%' ACCOUNT LOCK");
  sql.run("ALTER USER late@'%' PASSWORD EXPIRE");
  check_refused_at_once(url("late"));
  if (std::is_same_v<TestType, MariadbServer>) {  // MySQL sets this only at its start
    sql.run("SET GLOBAL disconnect_on_expired_password = 1");
    check_refused_at_once(url("late"));
  }
  for (const char* user : {"locked", "poor", "nobody"}) {
    INFO(user);
    check_refused_at_once(url(user));
  }
  {
    INFO("no such database");
    check_refused_at_once(url("odd", "nowhere"));
  }
  {
    INFO("init_connect fails");
    sql.run("SET GLOBAL init_connect = 'SET nonsense = 1'");
    check_refused_at_once(url("odd"));
    sql.run("SET GLOBAL init_connect = ''");
  }
  // No account may log in from here now. This session stays open.
  const std::string accounts = std::is_same_v<TestType, MariadbServer> ? "global_priv" : "user";
  sql.run("DELETE FROM " + accounts + " WHERE user = 'root'");
  sql.run("UPDATE " + accounts + " SET host = '10.9.8.7' WHERE host = '%'");
  sql.run("FLUSH PRIVILEGES");
  INFO("no host");
  check_refused_at_once(url("odd"));
}

// A server that has just started has no password in its cache (caching_sha2_password).
TEST_CASE("MySQL itself: a first login without TLS works, or says that it needs TLS",
          "[mysql][logins]") {
  const MysqlServer server;
  REQUIRE(init_soci_schema(server.url()).ok());  // by the server's RSA key
  CHECK(lease_one(**open_soci_store(server.url(), patient_options())).ok());
  const MysqlServer keyless({"--caching-sha2-password-auto-generate-rsa-keys=OFF",
                             "--caching-sha2-password-private-key-path=none",
                             "--caching-sha2-password-public-key-path=none"});
  check_refused_at_once(keyless.url());
  CHECK(says(lease_one(**open_soci_store(keyless.url(), patient_options())), "tls=required"));
}

TEMPLATE_TEST_CASE("MySQL: limits pass", "[mysql][logins]", MYSQL_SERVERS) {
  RawSql sql(shared<TestType>().url());
  REQUIRE(init_soci_schema(shared<TestType>().url()).ok());
  const std::string limit = GENERATE("MAX_USER_CONNECTIONS 1", "MAX_QUERIES_PER_HOUR 1",
                                     "MAX_UPDATES_PER_HOUR 1", "MAX_CONNECTIONS_PER_HOUR 1");
  INFO(limit);
  sql.run("DROP USER IF EXISTS limited@'%'");
  sql.run("CREATE USER limited@'%' IDENTIFIED BY 'p' WITH " + limit);
  sql.run("GRANT ALL ON ids.* TO limited@'%'");
  const std::string url =
      "mysql://limited:p@127.0.0.1:" + std::to_string(shared<TestType>().port()) + "/ids";
  const auto first = *open_soci_store(url, patient_options());
  static_cast<void>(lease_one(*first));
  const auto second = *open_soci_store(url, patient_options());
  Status status;
  for (int i = 0; i < 3 && status.ok(); ++i) status = lease_one(*second);
  CHECK(status.code() == StatusCode::kUnavailable);
  sql.run("DROP USER limited@'%'");
}
