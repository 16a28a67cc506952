// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "test/support/catch.h"
#include "test/support/in_fork.h"
#include "test/support/mysql_server.h"
#include "test/support/scratch_dir.h"
#include "test/system/hostile/mysql_database.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// Settings that decide whether a lease is committed and whether the commit lasts.
const std::vector<Row>& commit_rows() {
  static const std::vector<Row> rows = {
      {"completion_type = 'CHAIN'", kEverywhere, serves()},
      {"completion_type = 'RELEASE'", kEverywhere, serves()},
      {"autocommit = 0", kEverywhere, serves()},
      {"START TRANSACTION", kConnect, serves()},
      // "XAER_RMFAIL: The command …", or "init_connect command failed" while another session has x.
      {"XA START 'x'", kConnect, serves_or_refuses("command")},
      {"innodb_flush_log_at_trx_commit = 0", kGlobalOnly,
       refuses({"innodb_flush_log_at_trx_commit"})},
  };
  return rows;
}

// Settings that must not matter or must be reported.
const std::vector<Row>& mode_rows() {
  static const std::vector<Row> rows = {
      {"innodb_flush_log_at_trx_commit = 2", kGlobalOnly, warns("innodb_flush_log_at_trx_commit")},
      {"tx_isolation = 'READ-UNCOMMITTED'", kSession, serves()},
      {"tx_isolation = 'READ-COMMITTED'", kSession, serves()},
      {"tx_isolation = 'REPEATABLE-READ'", kSession, serves()},
      {"tx_isolation = 'SERIALIZABLE'", kSession, serves()},
      // Respected, because an operator may fence a server this way.
      {"tx_read_only = 1", kEverywhere, serves_or_refuses("READ ONLY")},
      {"read_only = 1", kGlobalOnly, serves_or_refuses("read-only")},
      {"innodb_snapshot_isolation = 1", kSession, serves()},
      {"sql_mode = ''", kSession, serves()},
      {"sql_mode = 'ORACLE'", kSession, serves()},
      {"sql_mode = 'ANSI'", kSession, serves()},
      {"sql_mode = 'TRADITIONAL'", kSession, serves()},
      {"sql_mode = 'NO_BACKSLASH_ESCAPES'", kSession, serves()},
      {"sql_mode = 'EMPTY_STRING_IS_NULL'", kSession, serves()},
      {"sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE,SIMULTANEOUS_ASSIGNMENT,"
       "NO_UNSIGNED_SUBTRACTION,NO_AUTO_VALUE_ON_ZERO,IGNORE_SPACE,TIME_ROUND_FRACTIONAL'",
       kSession, serves()},
      {"sql_safe_updates = 1", kSession, serves()},
      {"sql_select_limit = 0", kSession, serves()},
      {"sql_select_limit = 1", kSession, serves()},
      {"max_join_size = 1", kSession, serves()},
      {"max_statement_time = 0.000001", kEverywhere, serves()},
      {"lock_wait_timeout = 1", kSession, serves()},
      {"innodb_lock_wait_timeout = 1", kSession, serves()},
      {"wait_timeout = 1", kSession, serves()},
      {"net_read_timeout = 1", kSession, serves()},
      {"low_priority_updates = 1", kSession, serves()},
      {"sql_auto_is_null = 1", kSession, serves()},
      {"foreign_key_checks = 0", kSession, serves()},
      {"unique_checks = 0", kSession, serves()},
      {"system_versioning_asof = '2000-01-01 00:00:00'", kSession, serves()},
      {"time_zone = '-12:00'", kSession, serves()},
      {"lc_messages = 'de_DE'", kSession, serves()},
      {"character_set_server = 'latin1'", kSession, serves()},
      {"collation_server = 'utf8mb4_bin'", kSession, serves()},
      {"character_set_client = 'gbk'", kSession, serves()},
      {"character_set_results = 'utf16'", kSession, serves()},
      {"collation_connection = 'gbk_chinese_ci'", kSession, serves()},
      {"character_set_filesystem = 'latin1'", kSession, serves()},
      {"default_storage_engine = 'MyISAM'", kSession, serves()},
      {"default_storage_engine = 'MEMORY'", kSession, serves()},
      {"enforce_storage_engine = 'MyISAM'", kGlobalOnly,
       serves_or_refuses("NO_ENGINE_SUBSTITUTION")},
      {"innodb_strict_mode = 0", kSession, serves()},
      {"timestamp = 1", kSessionOnly, serves()},
      {"last_insert_id = 42", kSessionOnly, serves()},
      {"insert_id = 42", kSessionOnly, serves()},
  };
  return rows;
}

// What else an init_connect can do to a session or an operator to a table.
const std::vector<Row>& statement_rows() {
  static const std::vector<Row> rows = {
      {"START TRANSACTION READ ONLY", kConnect, serves()},
      {"SET TRANSACTION READ ONLY", kConnect, serves_or_refuses("READ ONLY")},
      {"SET NAMES latin1", kConnect, serves()},
      {"SET NAMES gbk", kConnect, serves()},
      {"SET CHARACTER SET gbk", kConnect, serves()},
      {"LOCK TABLES ids.id_segments WRITE", kConnect, serves_or_refuses("LOCK TABLES")},
      {"USE evil", kConnect, serves_or_refuses("evil")},
      {"CREATE TEMPORARY TABLE ids.id_segments SELECT * FROM ids.id_segments", kConnect,
       serves_or_refuses("temporary")},
      {"CREATE TEMPORARY TABLE ids.id_leader SELECT * FROM ids.id_leader", kConnect,
       serves_or_refuses("temporary")},
      {"ALTER TABLE ids.id_segments ENGINE = MyISAM", kTable, refuses({"MyISAM"})},
      {"ALTER TABLE ids.id_segments ENGINE = Aria", kTable, refuses({"Aria"})},
      {"ALTER TABLE ids.id_segments ENGINE = Aria TRANSACTIONAL = 0", kTable, refuses({"Aria"})},
      {"ALTER TABLE ids.id_segments ENGINE = MEMORY", kTable, refuses({"MEMORY"})},
      {"ALTER TABLE ids.id_leader ENGINE = MyISAM", kTable, warns_or_refuses("id_leader")},
      {"ALTER TABLE ids.id_leader ENGINE = MEMORY", kTable, warns_or_refuses("id_leader")},
  };
  return rows;
}

// With a binary log, which replicas and recovery use.
const std::vector<Row>& binary_log_rows() {
  static const std::vector<Row> rows = {
      {"sync_binlog = 0", kGlobalOnly, warns("sync_binlog")},
      {"sync_binlog = 100", kGlobalOnly, warns("sync_binlog")},
      {"innodb_flush_log_at_trx_commit = 2", kGlobalOnly, warns("innodb_flush_log_at_trx_commit")},
      {"innodb_flush_log_at_trx_commit = 0", kGlobalOnly,
       refuses({"innodb_flush_log_at_trx_commit"})},
      {"binlog_format = 'STATEMENT'", kSession, serves_or_refuses("binlog_format")},
      {"binlog_format = 'MIXED'", kSession, serves()},
      {"binlog_row_image = 'MINIMAL'", kSession, serves()},
  };
  return rows;
}

// Environment variables that libmariadb reads. HOME has a .my.cnf.
std::vector<std::string> environments(const std::string& folder) {
  return {"MYSQL_TCP_PORT=1",     "MYSQL_UNIX_PORT=" + folder + "/none",
          "MYSQL_HOST=127.0.0.2", "MYSQL_PWD=wrong",
          "MYSQL_HOME=" + folder, "HOME=" + folder,
          "USER=nobody"};
}

}  // namespace

TEST_CASE("MariaDB: what decides on a commit", "[mariadb]") {
  MariadbServer server(kLazyLog);
  MysqlDatabase database(server);
  Matrix matrix("MariaDB, commit", database);
  for (const Row& row : commit_rows()) {
    for (const Level level : row.levels) matrix.run_each_alone(cell_of(database, row, level));
  }
}

TEST_CASE("MariaDB: modes of a session", "[mariadb]") {
  MariadbServer server(kLazyLog);
  MysqlDatabase database(server);
  run_all("MariaDB, modes", database, mode_rows());
}

TEST_CASE("MariaDB: statements", "[mariadb]") {
  MariadbServer server(kLazyLog);
  MysqlDatabase database(server);
  run_all("MariaDB, statements", database, statement_rows());
}

TEST_CASE("MariaDB: the binary log", "[mariadb]") {
  MariadbServer server(
      {"--innodb-flush-log-at-timeout=2700", "--log-bin", "--sync-binlog=1", "--server-id=7"});
  MysqlDatabase database(server);
  run_all("MariaDB, binary log", database, binary_log_rows());
}

TEST_CASE("MariaDB: the environment", "[mariadb]") {
  MariadbServer server;
  MysqlDatabase database(server);
  Matrix matrix("MariaDB, environment", database);
  const ScratchDir scratch;
  for (const char* name : {".my.cnf", "my.cnf"}) {
    std::ofstream(scratch.file(name)) << "[client]\nport=1\ninit-command=SET autocommit=0\n"
                                         "default-character-set=latin1\n[mysql]\nport=1\n";
  }
  for (const std::string& variable : environments(scratch.path())) {
    Cell cell;
    cell.name = variable;
    cell.expectation = serves();
    cell.operations = all_operations();
    cell.environment = {variable};
    matrix.run(cell);
  }
}

TEMPLATE_TEST_CASE("MySQL: a warning names flags that lose leases in a power cut", "[mysql]",
                   MYSQL_SERVERS) {
  for (const std::string name : {"innodb_doublewrite=0", "innodb_flush_method=nosync"}) {
    const TestType server({"--" + name});
    REQUIRE(init_soci_schema(server.url()).ok());
    std::string warnings;
    SociStoreOptions options;
    options.log = [&](LogLevel, std::string_view line) { warnings.append(line) += "\n"; };
    CHECK((*open_soci_store(server.url(), options))->lease("order", 10).ok());
    INFO(warnings);
    CHECK(warnings.find(name.substr(0, name.find('='))) != std::string::npos);
  }
}

TEMPLATE_TEST_CASE("MySQL: there is no warning without a cause", "[mysql]", MYSQL_SERVERS) {
  const bool log = GENERATE(false, true);
  const TestType server(log ? std::vector<std::string>{"--log-bin", "--sync-binlog=1"}
                            : std::vector<std::string>{"--skip-log-bin", "--sync-binlog=0"});
  std::string warnings;
  SociStoreOptions options;
  options.log = [&](LogLevel, std::string_view line) { warnings.append(line) += "\n"; };
  REQUIRE(init_soci_schema(server.url(), options).ok());
  CHECK((*open_soci_store(server.url(), options))->lease("order", 10).ok());
  INFO(warnings);
  CHECK(warnings.empty());
}

TEMPLATE_TEST_CASE("MySQL: a lease is in the binary log even if the session was excluded from it",
                   "[mysql]", MYSQL_SERVERS) {
  TestType server({"--log-bin", "--sync-binlog=1", "--server-id=7"});
  MysqlDatabase database(server);
  database.prepare();
  database.run(init_connect("SET sql_log_bin = 0"));
  const auto store = *open_soci_store(database.url());
  const auto size = [&] {
    long long at = -1;
    std::string file;
    RawSql(database.admin_url())
        .for_each_row(
            "SHOW BINARY LOGS", [] {}, soci::into(file), soci::into(at));
    return at;
  };
  const long long before = size();
  const Status status = store->lease("order", 10).status();
  INFO(status);
  if (status.ok()) {
    CHECK(size() > before);
  } else {
    CHECK(status.message().find("sql_log_bin") != std::string::npos);
  }
}

TEST_CASE("MariaDB: a URL without a port means 3306, whatever the environment", "[mariadb]") {
  MariadbServer server;
  MysqlDatabase database(server);
  database.prepare();
  CHECK(failures_in_fork([&] {
          ::setenv("MYSQL_TCP_PORT", std::to_string(database.port()).c_str(), 1);
          return (*open_soci_store("mysql://leaser:p@127.0.0.1/ids"))->lease("order", 1).ok() ? 1
                                                                                              : 0;
        }) == 0);
}
