// SPDX-License-Identifier: MIT
// The program `featherid` over real databases.
#include <future>
#include <string>

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
  CHECK(has(well.output, "ok  latency: a lease takes "));
  CHECK(has(well.output, "ok  leader: '"));
  CHECK(has(well.output, "ok  tls: the connection does not leave this machine"));
  CHECK(has(well.output, "ok  clock: "));
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

TEST_CASE("doctor names what is weak in a MariaDB", "[e2e][command]") {
  const MariadbServer database(
      {"--innodb-flush-log-at-trx-commit=2", "--log-bin", "--sync-binlog=0", "--server-id=1"});
  const ScratchDir scratch;
  const CommandProcess command(scratch, database.url());
  command.good({"init"});
  const std::string found = command.doctor();
  CAPTURE(found);
  CHECK(has(found, "warning settings: "));
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
