// SPDX-License-Identifier: MIT
// Settings that MySQL itself has besides MariaDB, or may treat differently. A crash costs seconds,
// so all settings that must not matter are in one cell.
#include <string>
#include <vector>

#include "test/system/hostile/mysql_database.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

const std::vector<Level> kGlobalFirst = {Level::kGlobal};
const std::vector<Level> kGlobalLater = {Level::kGlobalAfterLease};
const std::vector<Level> kTableFirst = {Level::kTable};
const std::vector<Level> kTableLater = {Level::kTableAfterLease};

// Settings that decide whether a lease is committed and whether the commit lasts.
const std::vector<Row>& commit_rows() {
  static const std::vector<Row> rows = {
      {"completion_type = 'CHAIN'", kEverywhere, serves()},
      {"completion_type = 'RELEASE'", kSessionOnly, serves()},
      {"autocommit = 0", kEverywhere, serves()},
      {"START TRANSACTION", kConnect, serves()},
      // "XAER_RMFAIL: The command …", or "init_connect command failed" while another session has x.
      {"XA START 'x'", kConnect, serves_or_refuses("command")},
      {"innodb_flush_log_at_trx_commit = 0", kGlobalOnly,
       refuses({"innodb_flush_log_at_trx_commit"})},
      {"innodb_flush_log_at_trx_commit = 2", kGlobalFirst, warns("innodb_flush_log_at_trx_commit")},
      {"sync_binlog = 0", kGlobalFirst, warns("sync_binlog")},
      {"binlog_format = 'STATEMENT'", kSession, serves_or_refuses("binlog_format")},
      {"binlog_row_image = 'MINIMAL', binlog_transaction_compression = 1", kSessionOnly, serves()},
  };
  return rows;
}

// Settings that must not matter or must be reported.
const std::vector<Row>& mode_rows() {
  static const std::vector<Row> rows = {
      {"transaction_isolation = 'READ-UNCOMMITTED'", kGlobalFirst, serves()},
      {"transaction_isolation = 'SERIALIZABLE'", kSessionOnly, serves()},
      {"transaction_read_only = 1", kSession, serves_or_refuses("READ ONLY")},
      {"read_only = 1", kGlobalLater, serves_or_refuses("read-only")},
      {"sql_mode = ''", kSessionOnly, serves()},
      {"sql_mode = 'ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,"
       "HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION,NO_AUTO_VALUE_ON_ZERO,IGNORE_SPACE,"
       "TIME_TRUNCATE_FRACTIONAL'",
       kSessionOnly, serves()},
      {"max_execution_time = 1", kGlobalFirst, serves()},
      {"sql_safe_updates = 1, sql_select_limit = 0, max_join_size = 1, max_execution_time = 1, "
       "lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, low_priority_updates = 1, "
       "sql_auto_is_null = 1, foreign_key_checks = 0, unique_checks = 0, time_zone = '-12:00', "
       "lc_messages = 'de_DE', last_insert_id = 42, insert_id = 42, timestamp = 1, "
       "sql_require_primary_key = 1, sql_generate_invisible_primary_key = 1, "
       "default_storage_engine = 'MyISAM', session_track_transaction_info = 'CHARACTERISTICS', "
       "explain_format = 'TREE'",
       kSessionOnly, serves()},
      {"character_set_client = 'gbk', character_set_results = 'utf16', "
       "collation_connection = 'gbk_chinese_ci', character_set_filesystem = 'latin1'",
       kSessionOnly, serves()},
  };
  return rows;
}

const std::vector<Row>& statement_rows() {
  static const std::vector<Row> rows = {
      {"START TRANSACTION READ ONLY", kConnect, serves()},
      {"SET TRANSACTION READ ONLY", kConnect, serves_or_refuses("READ ONLY")},
      {"LOCK TABLES ids.id_segments WRITE", kConnect, serves_or_refuses("LOCK TABLES")},
      {"USE evil", kConnect, serves_or_refuses("evil")},
      {"CREATE TEMPORARY TABLE ids.id_segments SELECT * FROM ids.id_segments", kConnect,
       serves_or_refuses("temporary")},
      {"CREATE TEMPORARY TABLE ids.id_leader SELECT * FROM ids.id_leader", kConnect,
       serves_or_refuses("temporary")},
      {"ALTER TABLE ids.id_segments ENGINE = MyISAM", kTable, refuses({"MyISAM"})},
      {"ALTER TABLE ids.id_segments ENGINE = MEMORY", kTableFirst, refuses({"MEMORY"})},
      {"ALTER TABLE ids.id_leader ENGINE = MyISAM", kTableLater, warns_or_refuses("id_leader")},
  };
  return rows;
}

}  // namespace

TEST_CASE("MySQL itself: settings and statements", "[mysql]") {
  MysqlServer server(kLazyLog);
  MysqlDatabase database(server);
  run_all("MySQL, commit", database, commit_rows());
  run_all("MySQL, modes", database, mode_rows());
  run_all("MySQL, statements", database, statement_rows());
}

TEST_CASE("MySQL itself: without a redo log no lease is made", "[mysql]") {
  const auto store = fresh_store(shared<MysqlServer>().url());
  REQUIRE(store->lease("order", 10).ok());
  RawSql sql(shared<MysqlServer>().url());
  sql.run("ALTER INSTANCE DISABLE INNODB REDO_LOG");
  const Status status =
      lease_one(**open_soci_store(shared<MysqlServer>().url(), patient_options()));
  sql.run("ALTER INSTANCE ENABLE INNODB REDO_LOG");
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "redo log"));
  CHECK(lease_one(*store).ok());
}
