// SPDX-License-Identifier: MIT
// The program `featherid` over real databases.
#include <csignal>
#include <cstdint>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "test/support/authority.h"
#include "test/support/mysql_server.h"
#include "test/support/ports.h"
#include "test/support/postgresql_server.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/command_process.h"

namespace featherid::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEMPLATE_TEST_CASE("tags are administered, and doctor looks at the database", "[e2e][command]",
                   MYSQL_SERVERS, PostgresqlServer) {
  const TestType database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());

  const RunResult early = command.run({"tags"});
  CHECK(early.exit_code == 1);
  CHECK(has(early.output, "id_segments"));
  CHECK(has(command.good({"init"}), "tags created: health, order, user"));
  CHECK(has(command.good({"init"}), "tags created: none"));
  CHECK(command.good({"next", "order", "-n", "2"}) == "1\n2\n");
  command.good({"tag", "create", "订单", "--step", "500"});
  CHECK(command.run({"tag", "create", "订单"}).exit_code == 5);
  command.good({"tag", "set", "订单", "--step", "600"});
  CHECK(has(command.good({"tag", "show", "订单", "--json"}), "\"max_id\":0,\"step\":600"));
  CHECK(has(command.good({"advance", "订单", "77"}), "was at 0 and is at 77 now"));
  CHECK(command.good({"next", "订单"}) == "78\n");
  CHECK(has(command.good({"rewind", "订单", "5", "--yes"}), "was at 78 and is at 5 now"));
  CHECK(command.good({"next", "订单", "--json"}) == "{\"tag\":\"订单\",\"ids\":[6]}\n");
  CHECK(has(command.good({"tags"}), "订单"));
  command.good({"tag", "delete", "订单", "--yes"});
  CHECK(command.run({"next", "订单"}).exit_code == 4);

  const std::string before = command.good({"tags"});
  const RunResult well = command.run({"doctor"});
  CAPTURE(well.output);
  CHECK(has(well.output, "latency: a lease takes "));  // how long is up to the machine
  CHECK(has(well.output, "ok  leader: '"));
  CHECK(has(well.output, "ok  tls: the connection does not leave this machine"));
  CHECK(has(well.output, "ok  clock: "));
  // Neither keeps a log by default.
  CHECK(has(well.output, "warning  backups: the server keeps no log of its commits") ==
        (std::is_same_v<TestType, MariadbServer> || std::is_same_v<TestType, PostgresqlServer>));
  CHECK_FALSE(has(well.output, "problem  "));
  CHECK(command.good({"tags"}) == before);  // no id was used up

  RawSql sql(database.url());
  sql.run("UPDATE id_segments SET step = 0 WHERE biz_tag = 'user'");
  sql.run("UPDATE id_segments SET max_id = 2000000000 WHERE biz_tag = 'order'");
  sql.run("UPDATE id_leader SET server = 'another', term = term + 4294967296");
  const std::string found = command.doctor();
  CAPTURE(found);
  CHECK(has(found, "problem tags: tag 'user' has step 0"));
  CHECK(has(found, "warning tags: tag 'order' is at 2000000000, near the end of int32"));
  CHECK(has(found, "problem leader: 'another' leads, number 2 on record, but another server "));
  CHECK_FALSE(has(found, "latency"));
  CHECK(command.run({"doctor"}).exit_code == 1);
  // It has not taken the lead, which would have skipped ids.
  CHECK(sql.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'") == 2000000000);
  sql.run("UPDATE id_leader SET server = '', term = 0");
  CHECK(has(command.doctor(), "warning leader: no leader is on record"));
  CHECK(sql.number("SELECT term FROM id_leader") == 0);
}

namespace {

// The ids that a service hands out for one lease of its row, by its own rule.
std::vector<std::int64_t> lease_as(RawSql& sql, const std::string& table, const std::string& column,
                                   std::int64_t offset) {
  constexpr std::int64_t kStep = 10;
  sql.run("UPDATE " + table + " SET " + column + " = " + column + " + 10");
  const std::int64_t max_id = sql.number("SELECT " + column + " FROM " + table);
  std::vector<std::int64_t> ids;
  for (std::int64_t id = max_id - kStep; id < max_id; ++id) ids.push_back(id + offset);
  return ids;
}

}  // namespace

TEMPLATE_TEST_CASE("after an import neither side repeats an id of the other", "[e2e][command]",
                   MYSQL_SERVERS, PostgresqlServer) {
  const TestType database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  command.good({"init"});
  RawSql sql(database.url());
  sql.run("CREATE TABLE leaf_alloc (biz_tag varchar(128) PRIMARY KEY, max_id bigint, step int)");
  sql.run(
      "CREATE TABLE tiny_id_info (biz_type varchar(63), max_id bigint, step int, delta int, "
      "remainder int)");
  sql.run("CREATE TABLE cosid (name varchar(100) PRIMARY KEY, last_max_id bigint)");
  sql.run("INSERT INTO leaf_alloc VALUES ('leaf', 1, 10)");
  sql.run("INSERT INTO tiny_id_info VALUES ('tinyid', 1, 10, 1, 0)");
  sql.run("INSERT INTO cosid VALUES ('cosid', 0)");
  struct Service {
    std::string name;
    std::string table;
    std::string column;
    std::int64_t offset;  // Leaf begins at the old max_id, the others after it
  };
  for (const Service& service :
       {Service{"leaf", "leaf_alloc", "max_id", 0}, Service{"tinyid", "tiny_id_info", "max_id", 1},
        Service{"cosid", "cosid", "last_max_id", 1}}) {
    CAPTURE(service.name);
    std::set<std::int64_t> ids;
    const auto add = [&ids](const std::vector<std::int64_t>& more) {
      for (const std::int64_t id : more) CHECK(ids.insert(id).second);
    };
    for (int round = 0; round < 3; ++round) {
      add(lease_as(sql, service.table, service.column, service.offset));
      command.good({"import", service.name, "--dry-run"});
      command.good({"import", service.name});
      command.good({"import", service.name});
      std::istringstream lines(command.good({"next", service.name, "-n", "5"}));
      std::vector<std::int64_t> own;
      for (std::int64_t id = 0; lines >> id;) own.push_back(id);
      CHECK(own.size() == 5);
      add(own);
      // The service goes on past FeatherID's ids.
      sql.run("UPDATE " + service.table + " SET " + service.column + " = " + service.column +
              " + 1000");
    }
  }
}

TEMPLATE_TEST_CASE("import reads AUTO_INCREMENT", "[e2e][command]", MYSQL_SERVERS) {
  const TestType database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  command.good({"init"});
  RawSql sql(database.url());
  sql.run("CREATE TABLE bill (id bigint PRIMARY KEY AUTO_INCREMENT)");
  sql.run("INSERT INTO bill VALUES (90), (80)");
  sql.run("DELETE FROM bill WHERE id = 90");
  for (const char* table : {"bill", "ids.bill"}) {
    command.good({"import", "column", table, "id", "bill"});
    CHECK(command.good({"next", "bill"}) == (table == std::string("bill") ? "91\n" : "92\n"));
  }
  CHECK(command.run({"import", "column", "nix", "id", "bill"}).exit_code == 1);
}

TEST_CASE("import reads identities and sequences", "[e2e][command]") {
  const PostgresqlServer database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  command.good({"init"});
  RawSql sql(database.url());
  sql.run("CREATE TABLE bill (id bigint GENERATED BY DEFAULT AS IDENTITY)");
  command.good({"import", "column", "bill", "id", "bill"});
  CHECK(command.good({"next", "bill"}) == "1\n");
  sql.run("INSERT INTO bill SELECT FROM generate_series(1, 50)");
  sql.run("DELETE FROM bill");
  command.good({"import", "column", "public.bill", "id", "bill"});
  CHECK(command.good({"next", "bill"}) == "51\n");
  sql.run("INSERT INTO bill VALUES (700)");  // past the sequence
  command.good({"import", "column", "bill", "id", "bill"});
  CHECK(command.good({"next", "bill"}) == "701\n");

  sql.run("CREATE SEQUENCE numbers CACHE 20");
  sql.run("SELECT nextval('numbers')");
  command.good({"import", "sequence", "numbers", "numbers"});
  CHECK(command.good({"next", "numbers"}) == "21\n");  // past what the session may still hand out
  CHECK(command.run({"import", "sequence", "nix", "numbers"}).exit_code == 1);
}

TEST_CASE("import reads a sequence of MariaDB", "[e2e][command]") {
  const MariadbServer database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  command.good({"init"});
  RawSql sql(database.url());
  sql.run("CREATE SEQUENCE numbers CACHE 20");
  sql.number("SELECT NEXTVAL(numbers)");
  command.good({"import", "sequence", "numbers", "numbers"});
  CHECK(command.good({"next", "numbers"}) == "21\n");
}

TEST_CASE("doctor names what is weak in a MariaDB", "[e2e][command]") {
  const MariadbServer database(
      {"--innodb-flush-log-at-trx-commit=2", "--log-bin", "--sync-binlog=0", "--server-id=1"});
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  CHECK(has(command.good({"init"}), "sync_binlog is 0"));
  CHECK(command.good({"next", "order"}) == "1\n");  // without what doctor is for
  RawSql(database.url()).run("ALTER TABLE id_tags ENGINE = MyISAM");
  CHECK(has(command.good({"init"}), "the table id_tags uses the engine MyISAM"));
  const std::string found = command.doctor();
  CAPTURE(found);
  CHECK(has(found, "warning settings: "));
  CHECK(has(found, "the table id_tags uses the engine MyISAM"));
  CHECK(has(found, "innodb_flush_log_at_trx_commit is 2"));
  CHECK(has(found, "sync_binlog is 0"));

  RawSql(database.url()).run("SET GLOBAL innodb_flush_log_at_trx_commit = 0");
  const std::string lossy = command.doctor();
  CAPTURE(lossy);
  CHECK(has(lossy, "problem settings: "));
  CHECK(has(lossy, "innodb_flush_log_at_trx_commit is 0"));
  CHECK(has(lossy, "sync_binlog is 0"));  // the rest, too
}

TEST_CASE("doctor names missing privileges", "[e2e][command]") {
  const MariadbServer database;
  const ScratchDir scratch;
  CommandProcess(scratch, database.url()).good({"init"});
  RawSql sql(database.url());
  sql.run("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'x'");
  sql.run("GRANT SELECT, UPDATE ON ids.id_segments TO reader@'127.0.0.1'");
  sql.run("GRANT SELECT ON ids.id_leader TO reader@'127.0.0.1'");
  const std::string url = "mysql://reader:x@127.0.0.1:" + std::to_string(database.port()) + "/ids";
  const std::string found = CommandProcess(scratch, url).doctor();
  CAPTURE(found);
  CHECK(has(found, "warning privileges: for new tags the user requires INSERT on id_segments"));
  CHECK(has(found,
            "problem privileges: for leases after a failover the user requires SELECT and "
            "UPDATE on id_leader"));
  CHECK_FALSE(has(found, "for leases the user"));
}

TEST_CASE("the command works through a server", "[e2e][command]") {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
  const CommandProcess command(scratch, {"--server", url});

  CHECK(command.good({"ping"}) == url + " answers\n");
  CHECK(command.good({"next", "order", "-n", "3"}) == "1\n2\n3\n");
  CHECK(command.good({"tag", "create", "订单", "--step", "500", "--cap", "int32", "--description",
                      "bills & more", "--owner", "ann"}) ==
        "tag '订单' is created; its ids start at 1\n");
  CHECK(command.run({"tag", "create", "订单"}).exit_code == 5);
  const auto shown = [&] {
    return nlohmann::json::parse(command.good({"tag", "show", "订单", "--json"}));
  };
  CHECK(shown()["cap"] == 2147483647);
  CHECK(shown()["step"] == 500);
  CHECK(shown()["description"] == "bills & more");
  CHECK(shown()["owner"] == "ann");
  CHECK(shown()["created_by"] == "loopback");
  CHECK(shown()["created_at"].is_string());
  command.good({"tag", "set", "订单", "--cap", "100", "--owner", ""});
  CHECK(shown()["cap"] == 100);
  CHECK(shown()["owner"].is_null());
  CHECK(shown()["step"] == 500);
  CHECK(command.run({"tag", "set", "订单", "--step", "0"}).exit_code == 2);
  CHECK(has(command.good({"tags"}), "订单"));
  CHECK(has(command.good({"advance", "订单", "77"}), "was at 0 and is at 77 now"));
  CHECK(command.run({"tag", "set", "订单", "--cap", "76"}).exit_code == 2);
  CHECK(command.good({"next", "订单"}) == "78\n");
  CHECK(command.run({"next", "订单", "-n", "500"}).exit_code == 6);
  CHECK(has(command.good({"import", "max", "user", "90"}), "advance"));
  CHECK(has(command.good({"import", "max", "新", "90"}), "create"));
  CHECK(command.good({"next", "新"}) == "91\n");
  CHECK(command.run({"next", "nix"}).exit_code == 4);
  CHECK(command.run({"tag", "show", "nix"}).exit_code == 4);
  const auto at = shown()["max_id"].get<std::int64_t>();
  CHECK(has(command.good({"rewind", "订单", "5", "--yes"}),
            "was at " + std::to_string(at) + " and is at 5 now"));
  command.good({"tag", "delete", "订单", "--yes"});
  CHECK(command.run({"tag", "delete", "订单", "--yes"}).exit_code == 4);

  const std::string found = command.doctor();
  CAPTURE(found);
  CHECK(has(found, "ok server: it is ready"));
  CHECK(has(found, "ok clock: "));
  CHECK(has(found, "ok latency: an answer takes "));
  CHECK(command.good({"doctor"}).find("problem") == std::string::npos);
  CHECK(has(command.good({"bench", "user", "--time", "200ms", "--ids", "3"}), "requests_per_s"));
  command.good({"tag", "create", "bill", "--period", "year"});
  CHECK(has(command.good({"bench", "bill", "--time", "200ms"}), "requests_per_s"));
  CHECK(command.run({"init"}).exit_code == 2);

  // A list of several pages.
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  sql.run("BEGIN IMMEDIATE");  // waits for the server, which leases now
  for (int i = 0; i < 2500; ++i) insert_row(sql, {"page-" + std::to_string(i), 0, 1000});
  sql.run("COMMIT");
  const auto all = nlohmann::json::parse(command.good({"tags", "page-", "--json"}));
  CHECK(all.size() == 2500);

  CHECK(server.process().stop(SIGTERM) == 0);
  const RunResult gone = command.run({"tags"});
  CHECK(gone.exit_code == 3);
  CHECK(has(gone.output, "no answer from " + url + ": cannot connect; check --server"));
}

TEST_CASE("the command sends a token over TLS", "[e2e][command]") {
  const ScratchDir scratch;
  Authority authority;
  const auto certificate = authority.issue("IP:127.0.0.1");
  std::ofstream(scratch.file("tokens")) << "ann admin ann-secret\nbob read bob-secret\n";
  const ServerProcess server(
      scratch, {"--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file,
                "--admin-token-file", scratch.file("tokens")});
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  const std::vector<std::string> trusting = {"--server", url, "--server-ca", authority.ca_file()};
  const auto with_token = [&](const std::string& token) {
    return CommandProcess(scratch, trusting, {"FEATHERID_TOKEN=" + token});
  };
  CHECK(with_token("ann-secret").run({"tag", "create", "a"}).exit_code == 0);
  CHECK(
      has(with_token("ann-secret").good({"tag", "show", "a", "--json"}), "\"created_by\":\"ann\""));
  CHECK(has(with_token("bob-secret").good({"tags"}), "order"));
  CHECK(has(with_token("bob-secret").good({"bench", "user", "--time", "200ms"}), "requests_per_s"));
  const RunResult reader = with_token("bob-secret").run({"tag", "create", "b"});
  CHECK(reader.exit_code == 1);
  const RunResult stranger = with_token("x").run({"tags"});
  CHECK(stranger.exit_code == 1);
  CHECK(has(stranger.output, "--token-file"));
  CHECK_FALSE(has(stranger.output, "secret"));

  std::ofstream(scratch.file("token")) << "# of ann\nann-secret\n";
  const CommandProcess by_file(scratch, {"--server", url, "--server-ca", authority.ca_file(),
                                         "--token-file", scratch.file("token")});
  by_file.good({"tag", "set", "a", "--owner", "ann"});
  const CommandProcess distrusting(scratch, {"--server", url}, {"FEATHERID_TOKEN=ann-secret"});
  const RunResult distrusted = distrusting.run({"tags"});
  CHECK(distrusted.exit_code == 3);  // nobody vouches for that certificate
  CHECK(has(distrusted.output, "certificate is not trusted; name its authority"));
  for (const char* bad : {"tokens", "nowhere"}) {
    CAPTURE(bad);
    const CommandProcess wrong(scratch, {"--server", url, "--token-file", scratch.file(bad)});
    CHECK(wrong.run({"tags"}).exit_code == 2);
  }
}

TEST_CASE("init and the server wait for a database that starts later", "[e2e][command]") {
  MariadbServer database;
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  database.stop();
  const RunResult refused = command.run({"init"});
  CHECK(refused.exit_code == 3);
  const RunResult late = command.run({"init", "--wait-for-database", "1s"});
  CHECK(late.exit_code == 3);
  CHECK(has(late.output, "waiting for the database: "));
  const RunResult server_late =
      run_server(scratch, {"--database", database.url(), "--wait-for-database", "1s"});
  CHECK(server_late.exit_code == 1);
  CHECK(has(server_late.output, "--wait-for-database: "));

  // In a thread of its own, because a program ends with the thread that started it.
  auto init = std::async(std::launch::async, [&] {
    return command.run({"init", "--wait-for-database", "60s"}).exit_code;
  });
  database.start();
  CHECK(init.get() == 0);

  // Before its tables are there, the server waits, too.
  RawSql sql(database.url());
  sql.run("DROP TABLE id_leader");
  std::thread maker([&] { CHECK(command.run({"init"}).exit_code == 0); });
  const ServerProcess server(scratch, {"--database", database.url(), "--wait-for-database", "60s"});
  maker.join();
  CHECK(server.get("/readyz").status == 200);
}

}  // namespace featherid::test
