// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_dialect_texts.h"
#include "lib/store/soci/soci_schema.h"

namespace featherid {

namespace {

// Tags are compared by their bytes, whatever the collation of the table, which by default treats
// `Order` and `order` as one tag. The first condition uses the primary key, the second checks the
// one row that it found. The tag is UTF-8 on the wire and in the comparison, whatever the character
// sets of the session and the column.
#define FEATHERID_MYSQL_BYTES "CAST(CONVERT(biz_tag USING utf8mb4) AS BINARY)"
#define FEATHERID_MYSQL_ROW_OF(tag) \
  "biz_tag = _utf8mb4" tag " AND " FEATHERID_MYSQL_BYTES " = CAST(_utf8mb4" tag " AS BINARY)"
#define FEATHERID_MYSQL_ROW FEATHERID_MYSQL_ROW_OF(":tag")

// The server's identity. MySQL and MariaDB each run the part that is meant for them and treat the
// other as a comment; MariaDB has no server_uuid. A replica must have another server_id than its
// primary. A commit on one node of a Galera cluster is on all.
#define FEATHERID_MYSQL_SERVER                        \
  "/*!50700 @@server_uuid *//*M! IF(@@wsrep_on, "     \
  "CONCAT('galera cluster ', @@wsrep_cluster_name), " \
  "CONCAT('server_id ', @@global.server_id, ' at ', @@hostname, ':', @@port)) */"

// MariaDB shows this to any user, and counts replications that still apply what they received
// although their primary is gone. MySQL 8 shows it only to users who may read performance_schema.
const char kMysqlReplications[] =
    "SELECT 0 /*M! + count(*) FROM information_schema.global_status "
    "WHERE variable_name = 'SLAVES_RUNNING' AND variable_value <> '0' */";

// A term counts the leaders above its random bits. With wsrep_sync_wait, the query sees all that
// the cluster has committed, and only a node of the majority answers it.
const MarkSql kGaleraMark = {
    " AND EXISTS (SELECT 1 FROM id_mark WHERE term = ", "INSERT IGNORE INTO id_mark VALUES (:term)",
    "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT l.term, l.server = " FEATHERID_MYSQL_SERVER
    ", "
    "EXISTS (SELECT 1 FROM id_mark m WHERE m.term = l.term), "
    "EXISTS (SELECT 1 FROM id_mark m WHERE m.term >> 32 < l.term >> 32), "
    "COALESCE((SELECT variable_value FROM information_schema.global_status "
    "WHERE variable_name = 'wsrep_cluster_state_uuid'), ''), "
    "COALESCE((SELECT engine FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = 'id_mark'), '') "
    "FROM id_leader l WHERE l.id = 1",
    "MEMORY", kGaleraSchema};

const char* const kMysqlSettingNames[] = {"autocommit",
                                          "completion_type",
                                          "sql_mode",
                                          "isolation",
                                          "innodb_snapshot_isolation",
                                          "sql_log_bin",
                                          "log_bin",
                                          "sync_binlog",
                                          "innodb_doublewrite",
                                          "innodb_flush_method",
                                          "innodb_flush_log_at_trx_commit",
                                          "wsrep_on",
                                          "wsrep_cluster",
                                          "database",
                                          nullptr};

// Prepares a session of MySQL for leases. READ COMMITTED: leases then read id_leader without a
// lock, which could otherwise deadlock with a failover, and the server logs them by row. Logged as
// statements, they would find another server on a replica and do nothing there.
// innodb_snapshot_isolation is off (MariaDB sets it from 11.6 on; older ones may lack it): a lease
// reads id_leader before it waits for its row, and would fail if the row changed meanwhile.
std::vector<std::string> mysql_pins(std::chrono::seconds call_timeout) {
  const std::string lock_seconds = std::to_string(call_timeout.count() / 2);
  // An init_connect may have begun a transaction.
  return {
      "ROLLBACK AND NO CHAIN NO RELEASE",
      "SET NAMES utf8mb4, autocommit = 1, completion_type = 'NO_CHAIN', time_zone = '+00:00', "
      "sql_mode = '" +
          std::string(kMysqlSqlMode) +
          "', sql_safe_updates = 0, sql_big_selects = 1, sql_select_limit = 18446744073709551615, "
          "innodb_lock_wait_timeout = " +
          lock_seconds + ", lock_wait_timeout = " + lock_seconds +
          " /*!50708 , max_execution_time = 0 *//*M! , max_statement_time = 0 */",
      // 1193: there is no such variable.
      "/*!50700 DO 0 *//*M! BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR 1193 BEGIN END; "
      "EXECUTE IMMEDIATE 'SET innodb_snapshot_isolation = OFF'; END */",
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"};
}

// The engine of a table and whether it has transactions; a view has none. MariaDB from 11.2 on
// lists a temporary table beside the one that it hides.
#define FEATHERID_MYSQL_ENGINE(name)                                    \
  "COALESCE((SELECT CONCAT(COALESCE(t.engine, t.table_type, ''), ' ', " \
  "COALESCE(e.transactions, '')) FROM information_schema.tables t "     \
  "LEFT JOIN information_schema.engines e ON e.engine = t.engine "      \
  "WHERE t.table_schema = DATABASE() AND t.table_name = '" name         \
  "' "                                                                  \
  "ORDER BY t.table_type = 'TEMPORARY' LIMIT 1), '')"

#define FEATHERID_MYSQL_TYPE                                                                   \
  "COALESCE((SELECT data_type FROM information_schema.columns "                                \
  "WHERE table_schema = DATABASE() AND table_name = 'id_segments' AND column_name = 'max_id' " \
  "LIMIT 1), '')"

// MariaDB's redo log cannot be disabled.
#define FEATHERID_MYSQL_REDO_LOG                               \
  "CONCAT('' /*!80021 , COALESCE((SELECT variable_value FROM " \
  "performance_schema.global_status WHERE variable_name = 'Innodb_redo_log_enabled'), '') */)"

// Any user may read both. The global transaction identifiers of a group begin with its name, a UUID
// that may be written in several ways. (If the plugin is missing, its variable cannot be named in a
// query, but a list just lacks it.)
const char kMysqlWasMember[] =
    "SELECT 0 /*!80016 + count(*) FROM performance_schema.global_variables "
    "WHERE variable_name = 'group_replication_group_name' AND IF(IS_UUID(variable_value), "
    "LOCATE(BIN_TO_UUID(UUID_TO_BIN(variable_value)), @@global.gtid_executed), 0) > 0 */";

// performance_schema.replication_group_members shows it, too, but requires a privilege and costs
// more.
const char kMysqlIsMember[] = " AND group_replication_get_communication_protocol() <> ''";

#define FEATHERID_MYSQL_FIND(options)                                                             \
  "SELECT biz_tag, COALESCE(CAST(max_id AS CHAR), 'NULL'), COALESCE(CAST(step AS CHAR), 'NULL')," \
  " " options " FROM id_segments WHERE biz_tag = _utf8mb4:tag"

// The clock in ms of Unix time, or NULL, which no condition accepts. NOW() and its like stand still
// after SET timestamp. SYSDATE() does not, unless the server was told (--sysdate-is-now) to treat
// it as NOW(): then the two are equal. Otherwise it is later than the statement's begin. It depends
// on the time zone. mysql_pins() sets UTC, which has no hour that comes twice.
#define FEATHERID_MYSQL_NOW                                      \
  "IF(@@session.time_zone = '+00:00' AND SYSDATE(6) <> NOW(6), " \
  "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', SYSDATE(3)) DIV 1000, NULL)"

#define FEATHERID_SAME_TAG_IN_MYSQL(row)                \
  "CAST(CONVERT(t.biz_tag USING utf8mb4) AS BINARY) = " \
  "CAST(CONVERT(" row ".biz_tag USING utf8mb4) AS BINARY)"

const char kMysqlNow[] = "SELECT COALESCE(" FEATHERID_MYSQL_NOW ", 0)";

FloorSql floor_sql() {
  FloorSql sql;
  sql.lease = "UPDATE id_segments SET max_id = LAST_INSERT_ID(" FEATHERID_RAISED(
      FEATHERID_MYSQL_NOW, "DIV", "GREATEST", "LEAST") ") WHERE " FEATHERID_MYSQL_ROW
                                                       " AND max_id >= 0 AND max_id <= :limit";
  sql.condition = FEATHERID_FLOOR_CONDITION(FEATHERID_MYSQL_NOW, "DIV", FEATHERID_MYSQL_ROW);
  sql.now = kMysqlNow;
  return sql;
}

TagsSql tags_sql() {
  TagsSql sql;
  sql.find = FEATHERID_MYSQL_FIND(
      FEATHERID_OPTIONS("CHAR", FEATHERID_CONCAT_FLOOR(FEATHERID_MYSQL_NOW),
                        FEATHERID_CONCAT_PERIOD(FEATHERID_MYSQL_NOW), FEATHERID_MYSQL_ROW));
  sql.condition = FEATHERID_PERMITTED(FEATHERID_MYSQL_ROW);
  sql.version = FEATHERID_VERSION("UNIX_TIMESTAMP()");
  sql.count = kCountChange;
  sql.list = kListRecords;
  sql.is_tag = FEATHERID_MYSQL_ROW;
  sql.between = FEATHERID_MYSQL_BYTES
      " BETWEEN CAST(_utf8mb4:first AS BINARY) AND CAST(_utf8mb4:last AS BINARY)";
  sql.add = "INSERT INTO id_tags (biz_tag, version) VALUES (_utf8mb4:tag, 0)";
  sql.write = FEATHERID_WRITE_RECORD("_utf8mb4", FEATHERID_MYSQL_ROW);
  sql.in_period = FEATHERID_PERIOD_CONDITION(FEATHERID_MYSQL_NOW, FEATHERID_MYSQL_ROW_OF(":base"));
  sql.floor = floor_sql();
  return sql;
}

SettingsSql settings_sql() {
  SettingsSql sql;
  sql.pin = mysql_pins;
  sql.names = kMysqlSettingNames;
  sql.was_member = kMysqlWasMember;
  sql.is_member = kMysqlIsMember;
  // By bytes: otherwise databases whose names differ only in case would count as one.
  sql.text =
      "CAST(CONCAT_WS(';', @@autocommit, @@completion_type, @@sql_mode, "
      "/*!50720 @@transaction_isolation *//*M! @@tx_isolation */, "
      "CONCAT('' /*M!110602 , @@innodb_snapshot_isolation */), @@sql_log_bin, @@log_bin, "
      "@@sync_binlog, @@innodb_doublewrite, COALESCE(@@innodb_flush_method, ''), "
      "@@innodb_flush_log_at_trx_commit, "
      "/*!50700 0, '' *//*M! @@wsrep_on, "
      "IF(@@wsrep_provider = 'none', '', COALESCE(@@wsrep_cluster_address, '')) */, "
      "COALESCE(DATABASE(), '')) AS BINARY)";
  sql.tables = "SELECT " FEATHERID_MYSQL_ENGINE("id_segments") ", " FEATHERID_MYSQL_ENGINE(
      "id_leader") ", " FEATHERID_MYSQL_ENGINE("id_tags") ", " FEATHERID_MYSQL_TYPE
                                                          ", " FEATHERID_MYSQL_REDO_LOG;
  sql.further = "innodb_redo_log";
  sql.show[0] = "SHOW CREATE TABLE id_segments";
  sql.show[1] = "SHOW CREATE TABLE id_leader";
  sql.durably = [](std::chrono::seconds) { return std::string(); };
  sql.literal = [](const std::string& text) { return sql_literal(Engine::kMysql, text); };
  return sql;
}

LeaderSql leader_sql() {
  LeaderSql sql;
  sql.condition = FEATHERID_LEADS(FEATHERID_MYSQL_SERVER);
  sql.begin = "START TRANSACTION";
  sql.commit = "COMMIT AND NO CHAIN NO RELEASE";
  sql.server = FEATHERID_MYSQL_SERVER;
  sql.furthest = kFurthest;
  sql.term = kTerm;
  sql.locked_record = kLockedRecord;
  sql.skip = FEATHERID_SKIP;
  sql.skip_unless_floor = " AND NOT EXISTS (SELECT 1 FROM id_tags t WHERE " FEATHERID_BOUND_LEAD
                          " AND " FEATHERID_SAME_TAG_IN_MYSQL("id_segments") ")";
  sql.skip_with_floor = "UPDATE id_segments s JOIN id_tags t ON " FEATHERID_SAME_TAG_IN_MYSQL(
      "s") " SET s.max_id = " FEATHERID_SKIP_LEAD("DIV") " WHERE " FEATHERID_BOUND_LEAD
                                                         " AND " FEATHERID_MAY_SKIP;
  sql.now = kMysqlNow;
  sql.periods = kPeriods;
  sql.note_failovers = kNoteFailovers;
  sql.record = kRecordLeader;
  sql.replications = kMysqlReplications;
  sql.mark = kGaleraMark;
  return sql;
}

}  // namespace

SociDialect mysql_dialect() {
  SociDialect sql;
  sql.leased = SociDialect::Leased::kInsertId;
  sql.lease =
      "UPDATE id_segments SET max_id = LAST_INSERT_ID(max_id + :count) "
      "WHERE " FEATHERID_MYSQL_ROW " AND max_id >= 0 AND max_id <= :limit";
  sql.lease_returning = "";
  sql.find = FEATHERID_MYSQL_FIND("'', '', '', ''");
  sql.list =
      "SELECT biz_tag, COALESCE(CAST(max_id AS CHAR), 'NULL'), COALESCE(CAST(step AS CHAR), "
      "'NULL'), "
      "'', '', '', '' FROM id_segments WHERE " FEATHERID_MYSQL_BYTES
      " > CAST(_utf8mb4:after AS BINARY) AND LEFT(" FEATHERID_MYSQL_BYTES
      ", LENGTH(CAST(_utf8mb4:prefix AS BINARY))) = CAST(_utf8mb4:prefix AS BINARY) "
      "ORDER BY " FEATHERID_MYSQL_BYTES " LIMIT :count";
  sql.create =
      "INSERT INTO id_segments (biz_tag, max_id, step) "
      "SELECT _utf8mb4:tag, :max_id, :step FROM DUAL WHERE 1 = 1";
  sql.update = "UPDATE id_segments SET step = :step WHERE " FEATHERID_MYSQL_ROW;
  sql.advance =
      "UPDATE id_segments SET max_id = GREATEST(COALESCE(max_id, 0), :max_id) "
      "WHERE " FEATHERID_MYSQL_ROW;
  sql.exchange_max_id = "UPDATE id_segments SET max_id = :max_id WHERE " FEATHERID_MYSQL_ROW
                        " AND max_id = :expected";
  sql.remove = "DELETE FROM id_segments WHERE " FEATHERID_MYSQL_ROW;
  sql.transaction = "CONNECTION_ID()";
  sql.schema = kMysqlSchema;
  sql.tags = tags_sql();
  sql.settings = settings_sql();
  sql.leader = leader_sql();
  return sql;
}

// Strict: otherwise a max_id that is too large for its column would be cut to the largest and
// leased again.
const char* const kMysqlSqlMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";

}  // namespace featherid
