// SPDX-License-Identifier: MIT
#include "lib/store/soci_dialect.h"

#include <algorithm>

#include "lib/store/soci_schema.h"

namespace featherid {

namespace {

// The table's collation may take `Order` and `order` for one tag, as it does by default; tags
// differ by their bytes here as in the other engines. The first condition uses the primary key, the
// second looks at the one row that it found.
#define FEATHERID_MYSQL_ROW "biz_tag = :tag AND CAST(biz_tag AS BINARY) = :tag"

// Who the server is. Each of the two servers runs the part that is meant for it and takes the
// other for a comment; MariaDB has no server_uuid. A replica must have another server_id than its
// primary. What is committed on one node of a Galera cluster is on all.
#define FEATHERID_MYSQL_SERVER                        \
  "/*!50700 @@server_uuid *//*M! IF(@@wsrep_on, "     \
  "CONCAT('galera cluster ', @@wsrep_cluster_name), " \
  "CONCAT('server_id ', @@server_id, ' at ', @@hostname, ':', @@port)) */"

// A replica keeps the system identifier; promoting it begins a timeline, which pg_walfile_name()
// knows from the first write on (pg_control_checkpoint() only after a checkpoint).
#define FEATHERID_POSTGRESQL_SERVER                            \
  "(SELECT 'system ' || system_identifier || ' timeline ' || " \
  "left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system())"

#define FEATHERID_LEADS(server) \
  " AND EXISTS (SELECT 1 FROM id_leader WHERE id = 1 AND server = " server " AND term = "

#define FEATHERID_SKIP                                                                        \
  "UPDATE id_segments SET max_id = CASE WHEN max_id < :limit - GREATEST(:count, 10.0 * step)" \
  " THEN max_id + GREATEST(:count, 10.0 * step) ELSE :limit END "                             \
  "WHERE max_id >= 0 AND max_id < :limit"

#define FEATHERID_LOCK_LEADER(server) \
  "SELECT server, term, " server " FROM id_leader WHERE id = 1 FOR UPDATE"

// MariaDB tells any user, and counts those that apply what they have received although the old
// primary is gone. MySQL 8 tells only who may read performance_schema.
const char kMysqlReplications[] =
    "SELECT 0 /*M! + count(*) FROM information_schema.global_status "
    "WHERE variable_name = 'SLAVES_RUNNING' AND variable_value <> '0' */";

const char kRecordLeader[] = "UPDATE id_leader SET server = :server, term = :term WHERE id = 1";

const SociDialect kMysqlDialect = {
    nullptr,
    nullptr,
    SociDialect::Leased::kInsertId,
    "UPDATE id_segments SET max_id = LAST_INSERT_ID(max_id + :count) "
    "WHERE " FEATHERID_MYSQL_ROW " AND max_id >= 0 AND max_id <= :limit",
    "",
    "SELECT biz_tag, max_id, step FROM id_segments WHERE " FEATHERID_MYSQL_ROW,
    "SELECT biz_tag, max_id, step FROM id_segments",
    "INSERT INTO id_segments (biz_tag, max_id, step) VALUES (:tag, 0, :step)",
    "UPDATE id_segments SET step = :step WHERE " FEATHERID_MYSQL_ROW,
    "UPDATE id_segments SET max_id = GREATEST(max_id, :max_id) WHERE " FEATHERID_MYSQL_ROW,
    "UPDATE id_segments SET max_id = :max_id WHERE " FEATHERID_MYSQL_ROW " AND max_id = :expected",
    {FEATHERID_LEADS(FEATHERID_MYSQL_SERVER), "START TRANSACTION",
     FEATHERID_LOCK_LEADER(FEATHERID_MYSQL_SERVER), FEATHERID_SKIP, kRecordLeader,
     kMysqlReplications},
    kMysqlSchema};

const SociDialect kPostgresqlDialect = {
    nullptr,
    nullptr,
    SociDialect::Leased::kReturnedRow,
    "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
    "WHERE biz_tag = :tag AND max_id >= 0 AND max_id <= :limit",
    " RETURNING max_id",
    "SELECT biz_tag, max_id, step FROM id_segments WHERE biz_tag = :tag",
    "SELECT biz_tag, max_id, step FROM id_segments",
    "INSERT INTO id_segments (biz_tag, max_id, step) VALUES (:tag, 0, :step)",
    "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP WHERE biz_tag = :tag",
    "UPDATE id_segments SET max_id = GREATEST(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
    "WHERE biz_tag = :tag",
    "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
    "WHERE biz_tag = :tag AND max_id = :expected",
    {FEATHERID_LEADS(FEATHERID_POSTGRESQL_SERVER),
     "START TRANSACTION ISOLATION LEVEL READ COMMITTED",
     FEATHERID_LOCK_LEADER(FEATHERID_POSTGRESQL_SERVER), FEATHERID_SKIP, kRecordLeader, nullptr},
    kPostgresqlSchema};

// As FEATHERID_MYSQL_ROW: the table may be another program's, with a collation of its own.
#define FEATHERID_SQLITE3_ROW "biz_tag = :tag AND CAST(biz_tag AS BLOB) = CAST(:tag AS BLOB)"

// SQLite keeps any value in any column. Of a real number above 2^53 a sum can be the number itself.
#define FEATHERID_SQLITE3_COUNTABLE FEATHERID_SQLITE3_ROW " AND typeof(max_id) = 'integer'"

// A text that no number is read from, unless it is kept as one.
#define FEATHERID_SQLITE3_NUMBER(column)                                   \
  "CASE WHEN typeof(" column ") IN ('integer', 'real') OR (typeof(" column \
  ") = 'text' AND " column " GLOB '*[^0-9]*') THEN " column " ELSE quote(" column ") END"
#define FEATHERID_SQLITE3_SELECT                                                       \
  "SELECT biz_tag, " FEATHERID_SQLITE3_NUMBER("max_id") ", " FEATHERID_SQLITE3_NUMBER( \
      "step") " FROM id_segments"

const SociDialect kSqlite3Dialect = {
    // Not plain BEGIN, whose later upgrade to a writer fails without waiting; and never without a
    // transaction: SOCI would not see that the commit behind a RETURNING failed.
    "BEGIN IMMEDIATE",
    "COMMIT",
    SociDialect::Leased::kReturnedRow,
    "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id >= 0 AND max_id <= :limit",
    " RETURNING max_id",
    FEATHERID_SQLITE3_SELECT " WHERE " FEATHERID_SQLITE3_ROW,
    FEATHERID_SQLITE3_SELECT,
    "INSERT INTO id_segments (biz_tag, max_id, step) VALUES (:tag, 0, :step)",
    "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_ROW,
    "UPDATE id_segments SET max_id = MAX(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE,
    "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id = :expected",
    {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr},
    kSqlite3Schema};

enum class Fault {
  kUnknown,
  kConflict,
  kLockTimeout,
  kConnection,
  kNotReady,
  kReadOnly,
  kNoTable,
  kNoLeaderTable,
  kNoDatabase,
  kLoginRefused,
  kNoPrivilege,
  kDuplicate,
  kOutOfRange,
  kNoSpace,
  kNotOpened,
  kDamaged,
  kStatementLog,
};

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

Fault missing_table(const EngineError& error) {
  return contains(error.text, "id_leader") ? Fault::kNoLeaderTable : Fault::kNoTable;
}

Fault mysql_fault(const EngineError& error) {
  switch (error.number) {
    case 1213:
    case 3101:
      return Fault::kConflict;  // Galera reports its conflicts as deadlocks
    case 1205:
    case 1969:
    case 3024:
      return Fault::kLockTimeout;
    case 1040:
    case 1047:  // a Galera node that is not in sync, or has no majority
      return Fault::kNotReady;
    case 1053:
    case 1927:
    case 4031:
    case 2002:
    case 2003:
    case 2005:
    case 2006:
    case 2013:
    case 2026:
      return Fault::kConnection;
    case 1290:
    case 1792:
    case 1836:
      return Fault::kReadOnly;
    case 1146:
      return missing_table(error);
    case 1046:
    case 1049:
      return Fault::kNoDatabase;
    case 1045:
    case 1698:
    case 1862:
      return Fault::kLoginRefused;
    case 1044:
    case 1142:
    case 1143:
      return Fault::kNoPrivilege;
    case 1062:
      return Fault::kDuplicate;
    case 1264:
    case 1690:
      return Fault::kOutOfRange;
    case 1021:
    case 1114:
      return Fault::kNoSpace;
    case 1665:
      return Fault::kStatementLog;
    default:
      return Fault::kUnknown;
  }
}

Fault postgresql_fault(const EngineError& error) {
  const std::string& state = error.sqlstate;
  if (state == "40001" || state == "40P01") return Fault::kConflict;
  if (state == "55P03" || state == "57014") return Fault::kLockTimeout;
  if (state == "25006") return Fault::kReadOnly;
  if (state == "42P01") return missing_table(error);
  if (state == "42501") return Fault::kNoPrivilege;
  if (state == "23505" || state == "42P07") return Fault::kDuplicate;
  if (state == "22003") return Fault::kOutOfRange;
  if (state == "53100") return Fault::kNoSpace;
  if (state == "57P03" || state == "53300") return Fault::kNotReady;
  if (state.compare(0, 2, "08") == 0 || state.compare(0, 3, "57P") == 0) {
    return Fault::kConnection;
  }
  if (!state.empty()) return Fault::kUnknown;
  // SOCI gives no SQLSTATE for a connection that was not made.
  if (contains(error.text, "authentication failed") || contains(error.text, "no password")) {
    return Fault::kLoginRefused;
  }
  if (contains(error.text, "database") && contains(error.text, "does not exist")) {
    return Fault::kNoDatabase;
  }
  if (contains(error.text, "role") && contains(error.text, "does not exist")) {
    return Fault::kLoginRefused;
  }
  return Fault::kConnection;
}

Fault sqlite3_fault(const EngineError& error) {
  switch (error.number) {
    case 5:
    case 6:
      return Fault::kLockTimeout;
    case 8:
      return Fault::kReadOnly;
    case 10:
    case 11:
    case 26:
      return Fault::kDamaged;
    case 13:
      return Fault::kNoSpace;
    case 14:
      return Fault::kNotOpened;
    case 19:
      return Fault::kDuplicate;
    default:
      return contains(error.text, "no such table") ? Fault::kNoTable : Fault::kUnknown;
  }
}

Fault classify(Engine engine, const EngineError& error) {
  switch (engine) {
    case Engine::kMysql:
      return mysql_fault(error);
    case Engine::kPostgresql:
      return postgresql_fault(error);
    case Engine::kSqlite3:
      return sqlite3_fault(error);
  }
  return Fault::kUnknown;
}

// Trying again helps only once somebody has done something about it.
bool needs_mending(Engine engine, Fault fault) {
  switch (fault) {
    case Fault::kNoTable:
    case Fault::kNoLeaderTable:
    case Fault::kNoDatabase:
    case Fault::kLoginRefused:
    case Fault::kNoPrivilege:
    case Fault::kNotOpened:
    case Fault::kDamaged:
    case Fault::kStatementLog:
      return true;
    case Fault::kReadOnly:  // a server may be about to be promoted
      return engine == Engine::kSqlite3;
    default:
      return false;
  }
}

const char* advice(Fault fault) {
  switch (fault) {
    case Fault::kConflict:
      return "lost against another transaction; try again";
    case Fault::kLockTimeout:
      return "another program holds the row or the file; try again";
    case Fault::kNotReady:
    case Fault::kConnection:
      return "no connection; see that the server runs and can be reached";
    case Fault::kReadOnly:
      return "it does not let itself be written; use the writable server, or "
             "give this user write access to the file and its folder";
    case Fault::kNoTable:
      return "the table id_segments is missing; run featherid-server --init-schema and, where ids "
             "were handed out before, --advance TAG=ID past them, before any other process runs";
    case Fault::kNoLeaderTable:
      return kNoLeaderOnRecord;
    case Fault::kNoDatabase:
      return "there is no such database; create it or correct the URL";
    case Fault::kLoginRefused:
      return "login refused; check user and password";
    case Fault::kNoPrivilege:
      return "the user lacks a privilege, or there is no such database; grant SELECT, INSERT and "
             "UPDATE on id_segments, SELECT and UPDATE on id_leader, and for --init-schema CREATE "
             "(in PostgreSQL on the schema) and INSERT on both";
    case Fault::kDuplicate:
      return "the key is there already";
    case Fault::kOutOfRange:
      return "a number does not fit its column; max_id must be a bigint";
    case Fault::kNoSpace:
      return "the disk is full; make room";
    case Fault::kNotOpened:
      return "the file cannot be opened; its folder must exist and be "
             "writable";
    case Fault::kDamaged:
      return "the file cannot be read or written as a database; check the disk "
             "and the file, and that this user may write to its folder";
    case Fault::kStatementLog:
      return "the failover guard needs another binary log; set binlog_format to MIXED or ROW, or "
             "do without the guard by failover = synchronous";
    case Fault::kUnknown:
      break;
  }
  return "the database refused";
}

}  // namespace

const char* const kNoLeaderOnRecord =
    "the failover guard's table id_leader, or its row, is missing; where this server has taken "
    "over "
    "from another, first stop every process and move every tag past all ids ever handed out "
    "(featherid-server --advance TAG=ID); then run featherid-server --init-schema, or do without "
    "the guard by failover = synchronous";

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (line.empty() || line.back() == ' ')) continue;
    line += blank ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

const SociDialect& dialect_of(Engine engine) {
  switch (engine) {
    case Engine::kMysql:
      return kMysqlDialect;
    case Engine::kPostgresql:
      return kPostgresqlDialect;
    case Engine::kSqlite3:
      break;
  }
  return kSqlite3Dialect;
}

namespace mysql_sql {
std::string set_up(std::chrono::seconds lock_timeout) {
  const std::string seconds = std::to_string(lock_timeout.count());
  return "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = " +
         seconds + ", lock_wait_timeout = " + seconds;
}
// Leases then read id_leader without a lock, which a failover would otherwise meet in a deadlock.
// The server logs them by row: as a statement they would find another server on a replica, and do
// nothing there.
const char* const kReadCommitted = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
const char* const kSettings =
    "SHOW VARIABLES WHERE Variable_name IN "
    "('innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog')";
const char* const kTableEngine =
    "SELECT 'engine', engine FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = 'id_segments'";
}  // namespace mysql_sql

namespace postgresql_sql {
const char* const kSettings =
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')";
const char* const kCommitSynchronously = "SET synchronous_commit = on";
}  // namespace postgresql_sql

namespace sqlite3_sql {
// WAL is not used: SQLite 3.40 has a known bug that resets it, and with synchronous=NORMAL it may
// take back a commit.
const char* const kSetJournalMode = "PRAGMA journal_mode = TRUNCATE";
const char* const kJournalMode = "PRAGMA journal_mode";
const char* const kJournalModeWanted = "truncate";
const char* const kSetSynchronous = "PRAGMA synchronous = FULL";
const char* const kSynchronous = "PRAGMA synchronous";
// The application can have every new connection set up, by sqlite3_auto_extension().
const char* const kSetWritable = "PRAGMA query_only = OFF";
const char* const kSchemaVersion = "PRAGMA schema_version";
}  // namespace sqlite3_sql

std::vector<std::string> unsafe_settings(Engine engine,
                                         const std::vector<ServerSetting>& settings) {
  const auto value = [&](const char* name) -> std::string {
    for (const ServerSetting& setting : settings) {
      if (setting.name == name) return setting.value;
    }
    return "";
  };
  const auto is = [&](const char* name, const char* wanted) { return value(name) == wanted; };
  std::vector<std::string> warnings;
  if (engine == Engine::kMysql) {
    const std::string flush = value("innodb_flush_log_at_trx_commit");
    if (!flush.empty() && flush != "1") {
      warnings.push_back("innodb_flush_log_at_trx_commit is " + flush +
                         ": a crash of the server can take back a lease; set it to 1");
    }
    if (is("log_bin", "ON") && is("sync_binlog", "0")) {
      warnings.push_back(
          "sync_binlog is 0: after a crash the binary log, and so a replica, can lack a lease; set "
          "it "
          "to 1");
    }
    for (const char* table_engine : {"MyISAM", "Aria", "MEMORY"}) {
      if (is("engine", table_engine)) {
        warnings.push_back(std::string("the table id_segments is kept by ") + table_engine +
                           ", where a crash can take back a lease; change it to InnoDB");
      }
    }
  }
  if (engine == Engine::kPostgresql && is("fsync", "off")) {
    warnings.push_back("fsync is off: a crash of the server can take back a lease; set it to on");
  }
  return warnings;
}

std::vector<std::string> split_statements(std::string_view script) {
  std::vector<std::string> statements;
  std::string statement;
  while (!script.empty()) {
    const std::size_t end = std::min(script.find('\n'), script.size());
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.empty() || line.substr(0, 2) == "--") continue;
    statement += line;
    if (line.back() == ';') {
      statement.pop_back();
      statements.push_back(std::exchange(statement, ""));
    } else {
      statement += '\n';
    }
  }
  return statements;
}

ServerState server_state(Engine engine, const EngineError& error) {
  switch (classify(engine, error)) {
    case Fault::kNotReady:
    case Fault::kReadOnly:
      return ServerState::kRefuses;
    case Fault::kConnection:
      return ServerState::kLost;
    case Fault::kConflict:
      return ServerState::kRolledBack;
    default:
      return ServerState::kServes;
  }
}

Status to_status(const DatabaseUrl& url, const EngineError& error) {
  const Fault fault = classify(url.engine, error);
  const StatusCode code = fault == Fault::kDuplicate         ? StatusCode::kAlreadyExists
                          : fault == Fault::kOutOfRange      ? StatusCode::kExhausted
                          : needs_mending(url.engine, fault) ? StatusCode::kFailedPrecondition
                                                             : StatusCode::kUnavailable;
  const std::string label = error.number != 0        ? std::to_string(error.number) + ": "
                            : error.sqlstate.empty() ? ""
                                                     : error.sqlstate + ": ";
  return {code, one_line(describe(url) + ": " + advice(fault) + " (" + label + error.text + ")")};
}

Status timed_out(const DatabaseUrl& url, std::chrono::seconds timeout, const std::string& detail) {
  return {StatusCode::kUnavailable,
          one_line(describe(url) + " did not serve the call within " +
                   std::to_string(timeout.count()) + " s (" + detail + ")")};
}

}  // namespace featherid
