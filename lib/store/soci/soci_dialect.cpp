// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"

#include <algorithm>

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
#define FEATHERID_POSTGRESQL_BYTES "CAST(biz_tag AS text) COLLATE \"C\""
#define FEATHERID_POSTGRESQL_ROW_OF(tag) \
  "biz_tag = " tag " AND " FEATHERID_POSTGRESQL_BYTES " = " tag
#define FEATHERID_POSTGRESQL_ROW FEATHERID_POSTGRESQL_ROW_OF(":tag")

// The server's identity. MySQL and MariaDB each run the part that is meant for them and treat the
// other as a comment; MariaDB has no server_uuid. A replica must have another server_id than its
// primary. A commit on one node of a Galera cluster is on all.
#define FEATHERID_MYSQL_SERVER                        \
  "/*!50700 @@server_uuid *//*M! IF(@@wsrep_on, "     \
  "CONCAT('galera cluster ', @@wsrep_cluster_name), " \
  "CONCAT('server_id ', @@global.server_id, ' at ', @@hostname, ':', @@port)) */"

// A replica keeps the system identifier; promoting it begins a timeline, which pg_walfile_name()
// shows from the first write on (pg_control_checkpoint() only after a checkpoint).
#define FEATHERID_POSTGRESQL_SERVER                            \
  "(SELECT 'system ' || system_identifier || ' timeline ' || " \
  "left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system())"

#define FEATHERID_LEADS(server) \
  " AND EXISTS (SELECT 1 FROM id_leader WHERE id = 1 AND server = " server " AND term = "

// A row without a usable number is left alone.
#define FEATHERID_SKIP                                                        \
  "UPDATE id_segments SET max_id = CASE "                                     \
  "WHEN max_id < :limit - GREATEST(:count, 10.0 * COALESCE(step, 0)) "        \
  "THEN max_id + GREATEST(:count, 10.0 * COALESCE(step, 0)) ELSE :limit END " \
  "WHERE max_id >= 0 AND max_id < :limit"

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

const char kFurthest[] =
    "SELECT COALESCE(MAX(max_id), 0) FROM id_segments WHERE max_id BETWEEN 0 AND :limit";

const char kTerm[] = "SELECT term FROM id_leader WHERE id = 1";
const char kLockedRecord[] = " FROM id_leader WHERE id = 1 FOR UPDATE";
const char kPeriods[] = "SELECT count(*) FROM id_tags WHERE period_kind > 0";
const char kNoteFailovers[] =
    "UPDATE id_tags SET period_failovers = :failovers, period_lost_at = :now_ms "
    "WHERE period_kind > 0 AND period_failovers < :failovers";
const char kRecordLeader[] = "UPDATE id_leader SET server = :server, term = :term WHERE id = 1";

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

#define FEATHERID_NO_CAP "9223372036854775806"  // kIdMax

// `row` is the record's: names without a table are of the innermost one. (Not one NOT EXISTS with
// max_id in it: PostgreSQL does not check that again for a row that another lease has just moved.)
#define FEATHERID_NOT_REMOVED(row) \
  " AND max_id >= COALESCE((SELECT removed_max_id FROM id_tags WHERE " row "), 0)"

// For a lease: it does not pass the cap, the tag has neither time floor nor periods, and a series
// that was removed does not begin again.
#define FEATHERID_PERMITTED(row)                                                                  \
  " AND max_id <= COALESCE((SELECT CASE WHEN floor_rate = 0 AND period_kind = 0 THEN "            \
  "COALESCE(cap, " FEATHERID_NO_CAP ") ELSE 0 END FROM id_tags WHERE " row "), " FEATHERID_NO_CAP \
  ") - :count" FEATHERID_NOT_REMOVED(row)

// Where the floor is, `div` being the division of integers: floor_at() in SQL.
#define FEATHERID_FLOOR(now, div, rate, epoch_ms)                                          \
  "(" rate " * ((" now " - " epoch_ms ") " div " 1000) + " rate " * ((" now " - " epoch_ms \
  ") % 1000) " div " 1000)"

// What a lease under a floor writes. The clock is read again after the conditions have been
// checked. Whatever it says then, :floor_max bounds what it does.
#define FEATHERID_RAISED(now, div, greatest, least) \
  greatest "(max_id, " least                        \
           "(" FEATHERID_FLOOR(now, div, ":rate", ":epoch_ms") ", :floor_max)) + :count"

#define FEATHERID_FLOOR_CONDITION(now, div, row) \
  " AND EXISTS (SELECT 1 FROM id_tags WHERE " row                                             \
  " AND floor_rate = :rate AND floor_epoch = :epoch_s AND floor_lead_max = :lead_max_s AND "  \
  "floor_only_warns = :lead_only_warns AND COALESCE(cap, " FEATHERID_NO_CAP ") = :cap) AND "  \
  now " <= :now_max AND " FEATHERID_FLOOR(now, div, ":rate", ":epoch_ms")                     \
  " <= :limit AND (:lead_only_warns = 1 OR max_id <= " FEATHERID_FLOOR(now, div, ":rate",     \
                                                                       ":lead_epoch_ms")      \
  " - :count)" FEATHERID_NOT_REMOVED(row)

// For a lease in a period: the tag `row` has these periods and was not removed, the lease does not
// pass its cap, and the clock permits it. (max_id stands outside of the query, for PostgreSQL, as
// above.)
#define FEATHERID_PERIOD_CONDITION(now, row)                                             \
  " AND " now                                                                            \
  " BETWEEN :begin_ms AND :end_ms AND max_id <= (SELECT COALESCE(cap, " FEATHERID_NO_CAP \
  ") FROM id_tags WHERE " row                                                            \
  " AND period_kind = :kind AND "                                                        \
  "period_offset = :offset AND removed_max_id IS NULL) - :count"

// The options of a row, as SociDialect::find returns them; `floor`: the members of the time floor.
// The names keep answers short: otherwise MySQL repeats each expression in every answer.
#define FEATHERID_OPTIONS(text, floor, period, row)                                                \
  "COALESCE(CAST((SELECT cap FROM id_tags WHERE " row ") AS " text                                 \
  "), '') AS cap, "                                                                                \
  "COALESCE(CAST((SELECT strict FROM id_tags WHERE " row ") AS " text                              \
  "), '') AS is_strict, "                                                                          \
  "COALESCE((SELECT CASE WHEN floor_rate = 0 THEN '' ELSE " floor " END FROM id_tags WHERE " row   \
  "), '') AS time_floor, "                                                                         \
  "COALESCE((SELECT CASE WHEN period_kind = 0 THEN '' ELSE " period " END FROM id_tags WHERE " row \
  "), '') AS period"
#define FEATHERID_CONCAT_FLOOR(now) \
  "CONCAT_WS(';', floor_rate, floor_epoch, floor_lead_max, floor_only_warns, floor_since, " now ")"
#define FEATHERID_CONCAT_PERIOD(now) "CONCAT_WS(';', period_kind, period_offset, " now ")"

// Tags with a floor whose lead is bounded, under their aliases s and t.
#define FEATHERID_BOUND_LEAD "t.floor_rate > 0 AND t.floor_only_warns = 0"
// Where they skip to after a failover.
#define FEATHERID_SKIP_LEAD(div) \
  "CASE WHEN max_id < :limit - t.floor_rate * t.floor_lead_max THEN GREATEST(max_id + "           \
  "LEAST(GREATEST(:count, 10.0 * COALESCE(step, 0)), t.floor_rate * t.floor_lead_max), "            \
  "LEAST(:limit, " FEATHERID_FLOOR(":now_ms", div, "t.floor_rate",                                \
                                   "(t.floor_epoch - t.floor_lead_max) * 1000") ")) "             \
  "ELSE :limit END"
#define FEATHERID_MAY_SKIP "max_id >= 0 AND max_id < :limit"

#define FEATHERID_VERSION(now) "SELECT version, " now " FROM id_tags WHERE biz_tag = ''"
const char kCountChange[] = "UPDATE id_tags SET version = version + 1 WHERE biz_tag = ''";
const char kListRecords[] =
    "SELECT biz_tag, version, recalled, COALESCE(cap, " FEATHERID_NO_CAP
    "), COALESCE(removed_max_id, -1), description, owner, created_by, created_at, changed_by, "
    "changed_at, strict, format, scramble, floor_rate, floor_epoch, floor_lead_max, "
    "floor_only_warns, floor_since, period_kind, period_offset, period_gone, period_failovers, "
    "period_lost_at FROM id_tags WHERE ";
#define FEATHERID_WRITE_RECORD(text, row)                                                          \
  "UPDATE id_tags SET version = :version, recalled = :recalled, cap = "                            \
  "NULLIF(:cap, " FEATHERID_NO_CAP "), removed_max_id = NULLIF(:removed, -1), description = " text \
  ":description, owner = " text ":owner, created_by = " text                                       \
  ":created_by, created_at = "                                                                     \
  ":created_at, changed_by = " text                                                                \
  ":changed_by, changed_at = :changed_at, strict = :strict, format = " text                        \
  ":format, scramble = " text                                                                      \
  ":scramble, "                                                                                    \
  "floor_rate = :floor_rate, floor_epoch = :floor_epoch, floor_lead_max = :floor_lead_max, "       \
  "floor_only_warns = :floor_only_warns, floor_since = :floor_since, period_kind = :period_kind, " \
  "period_offset = :period_offset, period_gone = :period_gone, "                                   \
  "period_failovers = :period_failovers, period_lost_at = :period_lost_at WHERE " row

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

const SociDialect kMysqlDialect = {
    nullptr,
    nullptr,
    SociDialect::Leased::kInsertId,
    "UPDATE id_segments SET max_id = LAST_INSERT_ID(max_id + :count) "
    "WHERE " FEATHERID_MYSQL_ROW " AND max_id >= 0 AND max_id <= :limit",
    "",
    FEATHERID_MYSQL_FIND("'', '', '', ''"),
    "SELECT biz_tag, COALESCE(CAST(max_id AS CHAR), 'NULL'), COALESCE(CAST(step AS CHAR), 'NULL'), "
    "'', '', '', '' FROM id_segments WHERE " FEATHERID_MYSQL_BYTES
    " > CAST(_utf8mb4:after AS BINARY) AND LEFT(" FEATHERID_MYSQL_BYTES
    ", LENGTH(CAST(_utf8mb4:prefix AS BINARY))) = CAST(_utf8mb4:prefix AS BINARY) "
    "ORDER BY " FEATHERID_MYSQL_BYTES " LIMIT :count",
    "INSERT INTO id_segments (biz_tag, max_id, step) "
    "SELECT _utf8mb4:tag, :max_id, :step FROM DUAL WHERE 1 = 1",
    "UPDATE id_segments SET step = :step WHERE " FEATHERID_MYSQL_ROW,
    "UPDATE id_segments SET max_id = GREATEST(COALESCE(max_id, 0), :max_id) "
    "WHERE " FEATHERID_MYSQL_ROW,
    "UPDATE id_segments SET max_id = :max_id WHERE " FEATHERID_MYSQL_ROW " AND max_id = :expected",
    "DELETE FROM id_segments WHERE " FEATHERID_MYSQL_ROW,
    "CONNECTION_ID()",
    {FEATHERID_MYSQL_FIND(FEATHERID_OPTIONS("CHAR", FEATHERID_CONCAT_FLOOR(FEATHERID_MYSQL_NOW),
                                            FEATHERID_CONCAT_PERIOD(FEATHERID_MYSQL_NOW),
                                            FEATHERID_MYSQL_ROW)),
     FEATHERID_PERMITTED(FEATHERID_MYSQL_ROW),
     FEATHERID_VERSION("UNIX_TIMESTAMP()"),
     kCountChange,
     kListRecords,
     FEATHERID_MYSQL_ROW,
     FEATHERID_MYSQL_BYTES
     " BETWEEN CAST(_utf8mb4:first AS BINARY) AND CAST(_utf8mb4:last AS BINARY)",
     "INSERT INTO id_tags (biz_tag, version) VALUES (_utf8mb4:tag, 0)",
     FEATHERID_WRITE_RECORD("_utf8mb4", FEATHERID_MYSQL_ROW),
     {"UPDATE id_segments SET max_id = LAST_INSERT_ID(" FEATHERID_RAISED(
          FEATHERID_MYSQL_NOW, "DIV", "GREATEST", "LEAST") ") WHERE " FEATHERID_MYSQL_ROW
                                                           " AND max_id >= 0 AND max_id <= :limit",
      FEATHERID_FLOOR_CONDITION(FEATHERID_MYSQL_NOW, "DIV", FEATHERID_MYSQL_ROW), kMysqlNow},
     FEATHERID_PERIOD_CONDITION(FEATHERID_MYSQL_NOW, FEATHERID_MYSQL_ROW_OF(":base"))},
    {nullptr,
     nullptr,
     mysql_pins,
     kMysqlSettingNames,
     kMysqlWasMember,
     kMysqlIsMember,
     // By bytes: otherwise databases whose names differ only in case would count as one.
     "CAST(CONCAT_WS(';', @@autocommit, @@completion_type, @@sql_mode, "
     "/*!50720 @@transaction_isolation *//*M! @@tx_isolation */, "
     "CONCAT('' /*M!110602 , @@innodb_snapshot_isolation */), @@sql_log_bin, @@log_bin, "
     "@@sync_binlog, @@innodb_doublewrite, COALESCE(@@innodb_flush_method, ''), "
     "@@innodb_flush_log_at_trx_commit, "
     "/*!50700 0, '' *//*M! @@wsrep_on, "
     "IF(@@wsrep_provider = 'none', '', COALESCE(@@wsrep_cluster_address, '')) */, "
     "COALESCE(DATABASE(), '')) AS BINARY)",
     "SELECT " FEATHERID_MYSQL_ENGINE("id_segments") ", " FEATHERID_MYSQL_ENGINE(
         "id_leader") ", " FEATHERID_MYSQL_ENGINE("id_tags") ", " FEATHERID_MYSQL_TYPE
                                                             ", " FEATHERID_MYSQL_REDO_LOG,
     "innodb_redo_log",
     {"SHOW CREATE TABLE id_segments", "SHOW CREATE TABLE id_leader"},
     [](std::chrono::seconds) { return std::string(); },
     [](const std::string& text) { return sql_literal(Engine::kMysql, text); }},
    {FEATHERID_LEADS(FEATHERID_MYSQL_SERVER), "START TRANSACTION", "COMMIT AND NO CHAIN NO RELEASE",
     FEATHERID_MYSQL_SERVER, kFurthest, kTerm, kLockedRecord, FEATHERID_SKIP,
     " AND NOT EXISTS (SELECT 1 FROM id_tags t WHERE " FEATHERID_BOUND_LEAD
     " AND " FEATHERID_SAME_TAG_IN_MYSQL("id_segments") ")",
     "UPDATE id_segments s JOIN id_tags t ON " FEATHERID_SAME_TAG_IN_MYSQL(
         "s") " SET s.max_id = " FEATHERID_SKIP_LEAD("DIV") " WHERE " FEATHERID_BOUND_LEAD
                                                            " AND " FEATHERID_MAY_SKIP,
     kMysqlNow, kPeriods, kNoteFailovers, kRecordLeader, kMysqlReplications, kGaleraMark},
    nullptr,
    kMysqlSchema,
    nullptr};

// The tables of one name in the schemas of the search path: first the one that the name refers to,
// then those that it hides. Each as kind, persistence and schema.
#define FEATHERID_POSTGRESQL_TABLES(name)                                                \
  "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace " \
  "WHERE c.relname = '" name                                                             \
  "' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "                                        \
  "AND n.nspname = ANY (pg_catalog.current_schemas(true))"
#define FEATHERID_POSTGRESQL_PLACE \
  "ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)"
// With a "t" if a trigger may change the row before it is updated.
#define FEATHERID_POSTGRESQL_LIST(name)                                                    \
  "(SELECT COALESCE(pg_catalog.string_agg(pg_catalog.concat(c.relkind, c.relpersistence, " \
  "CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid "       \
  "AND t.tgenabled <> 'D' AND t.tgtype & 19 = 19) THEN 't' ELSE ' ' END, n.nspname), "     \
  "';' " FEATHERID_POSTGRESQL_PLACE "), '') " FEATHERID_POSTGRESQL_TABLES(name) ")"

#define FEATHERID_POSTGRESQL_TYPE                                                         \
  "COALESCE((SELECT pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute " \
  "WHERE attrelid = pg_catalog.to_regclass('\"id_segments\"') AND attname = 'max_id'), '')"

// Empty if the URL names a schema, which is searched instead.
#define FEATHERID_POSTGRESQL_OTHERS_PATH                                                     \
  "(SELECT CASE WHEN setting = reset_val OR NOT 'pg_catalog' = ANY "                         \
  "(pg_catalog.current_schemas(true)) THEN '' ELSE setting END FROM pg_catalog.pg_settings " \
  "WHERE name = 'search_path')"

// Makes a table's schema the search path of the transaction, if the path has the table.
#define FEATHERID_POSTGRESQL_GO_TO(name)                                            \
  "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname), " \
  "true) " FEATHERID_POSTGRESQL_TABLES(name) " " FEATHERID_POSTGRESQL_PLACE " LIMIT 1;\n"

// Keeps remote_apply, which is stronger.
#define FEATHERID_POSTGRESQL_SYNCHRONOUSLY                                     \
  "pg_catalog.set_config('synchronous_commit', "                               \
  "CASE pg_catalog.current_setting('synchronous_commit') WHEN 'remote_apply' " \
  "THEN 'remote_apply' ELSE 'on' END, true)"

const char* const kPostgresqlSettingNames[] = {"fsync", "full_page_writes", "tables", nullptr};

std::vector<std::string> postgresql_pins(std::chrono::seconds call_timeout) {
  const std::string timeout_ms =
      std::to_string(std::chrono::milliseconds(call_timeout).count() * 3 / 4);
  return {
      "SELECT pg_catalog.set_config('default_transaction_isolation', 'read committed', false), "
      "pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false), "
      "pg_catalog.set_config('default_transaction_deferrable', 'off', false), "
      "pg_catalog.set_config('statement_timeout', '" +
      timeout_ms + "', false)"};
}

// The server reports by a warning that a commit did not wait for its standby. The lock's timeout
// ends before the statement's, so that the error names the lock.
std::string postgresql_durably(std::chrono::seconds call_timeout) {
  const std::string timeout_ms =
      std::to_string(std::chrono::milliseconds(call_timeout).count() / 2);
  return FEATHERID_POSTGRESQL_SYNCHRONOUSLY
         " IS NOT NULL AND pg_catalog.set_config('client_min_messages', 'warning', true) IS NOT "
         "NULL "
         "AND pg_catalog.set_config('lock_timeout', '" +
         timeout_ms + "', true) IS NOT NULL AND ";
}

#define FEATHERID_POSTGRESQL_FIND(options)                                 \
  "SELECT CAST(biz_tag AS text), COALESCE(CAST(max_id AS text), 'NULL'), " \
  "COALESCE(CAST(step AS text), 'NULL'), " options " FROM id_segments WHERE biz_tag = :tag"

// The clock in ms of Unix time. No setting changes it, and it goes on within a transaction.
#define FEATHERID_POSTGRESQL_NOW \
  "CAST(FLOOR(EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()) * 1000) AS bigint)"

#define FEATHERID_SAME_TAG_IN_POSTGRESQL(row) \
  "CAST(t.biz_tag AS text) COLLATE \"C\" = CAST(" row ".biz_tag AS text) COLLATE \"C\""

const char kPostgresqlNow[] = "SELECT " FEATHERID_POSTGRESQL_NOW;

const SociDialect kPostgresqlDialect = {
    nullptr,
    nullptr,
    SociDialect::Leased::kReturnedRow,
    "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_POSTGRESQL_ROW " AND max_id >= 0 AND max_id <= :limit",
    " RETURNING max_id",
    FEATHERID_POSTGRESQL_FIND("'', '', '', ''"),
    "SELECT CAST(biz_tag AS text), COALESCE(CAST(max_id AS text), 'NULL'), "
    "COALESCE(CAST(step AS text), 'NULL'), '', '', '', '' FROM id_segments "
    "WHERE " FEATHERID_POSTGRESQL_BYTES
    " > :after AND pg_catalog.left(CAST(biz_tag AS text), "
    "pg_catalog.length(CAST(:prefix AS text))) COLLATE \"C\" = :prefix "
    "ORDER BY " FEATHERID_POSTGRESQL_BYTES " LIMIT :count",
    "INSERT INTO id_segments (biz_tag, max_id, step) "
    "SELECT CAST(:tag AS text), CAST(:max_id AS bigint), CAST(:step AS integer) WHERE 1 = 1",
    "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_POSTGRESQL_ROW,
    "UPDATE id_segments SET max_id = GREATEST(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_POSTGRESQL_ROW,
    "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_POSTGRESQL_ROW " AND max_id = :expected",
    "DELETE FROM id_segments WHERE " FEATHERID_POSTGRESQL_ROW,
    "pg_catalog.txid_current()",
    {FEATHERID_POSTGRESQL_FIND(FEATHERID_OPTIONS(
         "text", FEATHERID_CONCAT_FLOOR(FEATHERID_POSTGRESQL_NOW),
         FEATHERID_CONCAT_PERIOD(FEATHERID_POSTGRESQL_NOW), FEATHERID_POSTGRESQL_ROW)),
     FEATHERID_PERMITTED(FEATHERID_POSTGRESQL_ROW),
     FEATHERID_VERSION("CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) AS bigint)"),
     kCountChange,
     kListRecords,
     FEATHERID_POSTGRESQL_ROW,
     FEATHERID_POSTGRESQL_BYTES " BETWEEN :first AND :last",
     "INSERT INTO id_tags (biz_tag, version) VALUES (:tag, 0)",
     FEATHERID_WRITE_RECORD("", FEATHERID_POSTGRESQL_ROW),
     {"UPDATE id_segments SET max_id = " FEATHERID_RAISED(
          FEATHERID_POSTGRESQL_NOW, "/", "GREATEST",
          "LEAST") ", update_time = CURRENT_TIMESTAMP WHERE " FEATHERID_POSTGRESQL_ROW
                   " AND max_id >= 0 AND max_id <= :limit",
      FEATHERID_FLOOR_CONDITION(FEATHERID_POSTGRESQL_NOW, "/", FEATHERID_POSTGRESQL_ROW),
      kPostgresqlNow},
     FEATHERID_PERIOD_CONDITION(FEATHERID_POSTGRESQL_NOW, FEATHERID_POSTGRESQL_ROW_OF(":base"))},
    {"SELECT pg_catalog.pg_backend_pid()",
     "RESET extra_float_digits",
     postgresql_pins,
     kPostgresqlSettingNames,
     nullptr,
     nullptr,
     // The tables by their numbers. A table that becomes UNLOGGED gets another file.
     "pg_catalog.concat_ws(';', pg_catalog.current_setting('fsync'), "
     "pg_catalog.current_setting('full_page_writes'), "
     "CAST(pg_catalog.to_regclass('\"id_segments\"') AS oid), "
     "CAST(pg_catalog.to_regclass('\"id_leader\"') AS oid), "
     "pg_catalog.pg_relation_filenode(pg_catalog.to_regclass('\"id_segments\"')), "
     "pg_catalog.pg_relation_filenode(pg_catalog.to_regclass('\"id_leader\"')))",
     "SELECT " FEATHERID_POSTGRESQL_LIST("id_segments") ", " FEATHERID_POSTGRESQL_LIST(
         "id_leader") ", " FEATHERID_POSTGRESQL_LIST("id_tags") ", " FEATHERID_POSTGRESQL_TYPE ","
                                                                " " FEATHERID_POSTGRESQL_OTHERS_PATH,
     "search_path",  // empty, unless another program has set it
     {nullptr, nullptr},
     postgresql_durably,
     [](const std::string& text) { return sql_literal(Engine::kPostgresql, text); }},
    {FEATHERID_LEADS(FEATHERID_POSTGRESQL_SERVER),
     // In one round trip: otherwise a very short timeout could end the transaction in between.
     "START TRANSACTION ISOLATION LEVEL READ COMMITTED; "
     "SET LOCAL idle_in_transaction_session_timeout = 0",
     "COMMIT",
     FEATHERID_POSTGRESQL_SERVER,
     kFurthest,
     kTerm,
     kLockedRecord,
     FEATHERID_SKIP,
     " AND NOT EXISTS (SELECT 1 FROM id_tags t WHERE " FEATHERID_BOUND_LEAD
     " AND " FEATHERID_SAME_TAG_IN_POSTGRESQL("id_segments") ")",
     "UPDATE id_segments AS s SET max_id = " FEATHERID_SKIP_LEAD(
         "/") " FROM id_tags t WHERE " FEATHERID_SAME_TAG_IN_POSTGRESQL("s") " AND"
                                                                             " " FEATHERID_BOUND_LEAD
                                                                             " AND"
                                                                             " " FEATHERID_MAY_SKIP,
     kPostgresqlNow,
     kPeriods,
     kNoteFailovers,
     kRecordLeader,
     nullptr,
     {}},
    // IF NOT EXISTS checks only the first schema of the search path: new tables there would hide
    // those that ids were leased from.
    "START TRANSACTION ISOLATION LEVEL READ COMMITTED;\n"
    "SELECT " FEATHERID_POSTGRESQL_SYNCHRONOUSLY ";\n" FEATHERID_POSTGRESQL_GO_TO("id_segments")
        FEATHERID_POSTGRESQL_GO_TO("id_leader"),
    kPostgresqlSchema,
    "COMMIT;\n"};

// As FEATHERID_MYSQL_ROW: the table may be another program's, with a collation of its own.
#define FEATHERID_SQLITE3_BYTES "CAST(biz_tag AS BLOB)"
#define FEATHERID_SQLITE3_ROW_OF(tag) \
  "biz_tag = " tag " AND " FEATHERID_SQLITE3_BYTES " = CAST(" tag " AS BLOB)"
#define FEATHERID_SQLITE3_ROW FEATHERID_SQLITE3_ROW_OF(":tag")

// SQLite keeps any value in any column. Adding to a real number above 2^53 may not change it.
#define FEATHERID_SQLITE3_COUNTABLE FEATHERID_SQLITE3_ROW " AND typeof(max_id) = 'integer'"

// A value as a text that reads as a number only if it is stored as one.
#define FEATHERID_SQLITE3_NUMBER(column)                                   \
  "CASE WHEN typeof(" column ") IN ('integer', 'real') OR (typeof(" column \
  ") = 'text' AND " column " GLOB '*[^0-9]*') THEN " column " ELSE quote(" column ") END"
#define FEATHERID_SQLITE3_SELECT \
  "SELECT biz_tag, " FEATHERID_SQLITE3_NUMBER("max_id") ", " FEATHERID_SQLITE3_NUMBER("step") ", "
#define FEATHERID_SQLITE3_FIND(options) \
  FEATHERID_SQLITE3_SELECT options " FROM id_segments WHERE biz_tag = :tag"
#define FEATHERID_SQLITE3_FLOOR                                                                  \
  "floor_rate || ';' || floor_epoch || ';' || floor_lead_max || ';' || floor_only_warns || ';' " \
  "|| floor_since"

const SociDialect kSqlite3Dialect = {
    // Not plain BEGIN, whose later upgrade to a writer fails without waiting. Never without a
    // transaction: SOCI would not see that the commit after a RETURNING failed.
    "BEGIN IMMEDIATE",
    "COMMIT",
    SociDialect::Leased::kReturnedRow,
    "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id >= 0 AND max_id <= :limit",
    " RETURNING max_id",
    FEATHERID_SQLITE3_FIND("'', '', '', ''"),
    FEATHERID_SQLITE3_SELECT "'', '', '', '' FROM id_segments WHERE " FEATHERID_SQLITE3_BYTES
                             " > CAST(:after AS BLOB) AND substr(" FEATHERID_SQLITE3_BYTES
                             ", 1, length(CAST(:prefix AS BLOB))) = CAST(:prefix AS BLOB) "
                             "ORDER BY " FEATHERID_SQLITE3_BYTES " LIMIT :count",
    "INSERT INTO id_segments (biz_tag, max_id, step) SELECT :tag, :max_id, :step WHERE 1 = 1",
    "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_ROW,
    "UPDATE id_segments SET max_id = MAX(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE,
    "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
    "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id = :expected",
    "DELETE FROM id_segments WHERE " FEATHERID_SQLITE3_ROW,
    nullptr,
    {FEATHERID_SQLITE3_FIND(FEATHERID_OPTIONS("TEXT", FEATHERID_SQLITE3_FLOOR,
                                              "period_kind || ';' || period_offset",
                                              FEATHERID_SQLITE3_ROW)),
     FEATHERID_PERMITTED(FEATHERID_SQLITE3_ROW),
     FEATHERID_VERSION("CAST(strftime('%s', 'now') AS INTEGER)"),
     kCountChange,
     kListRecords,
     FEATHERID_SQLITE3_ROW,
     FEATHERID_SQLITE3_BYTES " BETWEEN CAST(:first AS BLOB) AND CAST(:last AS BLOB)",
     "INSERT INTO id_tags (biz_tag, version) VALUES (:tag, 0)",
     FEATHERID_WRITE_RECORD("", FEATHERID_SQLITE3_ROW),
     {"UPDATE id_segments SET max_id = " FEATHERID_RAISED(
          ":own_ms", "/", "MAX",
          "MIN") ", update_time = CURRENT_TIMESTAMP WHERE " FEATHERID_SQLITE3_COUNTABLE
                 " AND max_id >= 0 AND max_id <= :limit",
      FEATHERID_FLOOR_CONDITION(":own_ms", "/", FEATHERID_SQLITE3_ROW), nullptr},
     FEATHERID_PERIOD_CONDITION(":own_ms", FEATHERID_SQLITE3_ROW_OF(":base"))},
    {nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     {nullptr, nullptr},
     nullptr,
     nullptr},
    {nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     nullptr,
     {}},
    nullptr,
    kSqlite3Schema,
    nullptr};

}  // namespace

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

NamedDialect::NamedDialect(const DatabaseUrl& url) : dialect_(dialect_of(url.engine)) {
  const TableNames names(url);
  SettingsSql& settings = dialect_.settings;
  LeaderSql& leader = dialect_.leader;
  for (const char** text : {&dialect_.lease,
                            &dialect_.find,
                            &dialect_.list,
                            &dialect_.create,
                            &dialect_.update,
                            &dialect_.advance,
                            &dialect_.exchange_max_id,
                            &dialect_.remove,
                            &dialect_.tags.find,
                            &dialect_.tags.condition,
                            &dialect_.tags.version,
                            &dialect_.tags.count,
                            &dialect_.tags.list,
                            &dialect_.tags.add,
                            &dialect_.tags.write,
                            &dialect_.tags.floor.lease,
                            &dialect_.tags.floor.condition,
                            &dialect_.tags.in_period,
                            &leader.skip_unless_floor,
                            &leader.skip_with_floor,
                            &leader.periods,
                            &leader.note_failovers,
                            &dialect_.schema_begin,
                            &dialect_.schema,
                            &settings.text,
                            &settings.tables,
                            &settings.show[0],
                            &settings.show[1],
                            &leader.condition,
                            &leader.furthest,
                            &leader.term,
                            &leader.locked_record,
                            &leader.skip,
                            &leader.record,
                            &leader.mark.condition,
                            &leader.mark.add,
                            &leader.mark.look,
                            &leader.mark.schema}) {
    if (*text != nullptr) *text = texts_.emplace_front(names.in(*text)).c_str();
  }
}

// Strict: otherwise a max_id that is too large for its column would be cut to the largest and
// leased again.
const char* const kMysqlSqlMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";

namespace sqlite3_sql {
// WAL is not used: SQLite 3.40 has a known bug that resets it, and with synchronous=NORMAL it may
// undo a commit.
const char* const kSetJournalMode = "PRAGMA journal_mode = TRUNCATE";
const char* const kJournalMode = "PRAGMA journal_mode";
const char* const kJournalModeWanted = "truncate";
const char* const kSetSynchronous = "PRAGMA synchronous = FULL";
const char* const kSynchronous = "PRAGMA synchronous";
// The application can change every new connection with sqlite3_auto_extension().
const char* const kSetWritable = "PRAGMA query_only = OFF";
const char* const kSchemaVersion = "PRAGMA schema_version";
}  // namespace sqlite3_sql

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

}  // namespace featherid
