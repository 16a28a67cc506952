// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_dialect_texts.h"
#include "lib/store/soci/soci_schema.h"

namespace featherid {

namespace {

// As FEATHERID_MYSQL_ROW in mysql_dialect.cpp.
#define FEATHERID_POSTGRESQL_BYTES "CAST(biz_tag AS text) COLLATE \"C\""
#define FEATHERID_POSTGRESQL_ROW_OF(tag) \
  "biz_tag = " tag " AND " FEATHERID_POSTGRESQL_BYTES " = " tag
#define FEATHERID_POSTGRESQL_ROW FEATHERID_POSTGRESQL_ROW_OF(":tag")

// A replica keeps the system identifier; promoting it begins a timeline, which pg_walfile_name()
// shows from the first write on (pg_control_checkpoint() only after a checkpoint).
#define FEATHERID_POSTGRESQL_SERVER                            \
  "(SELECT 'system ' || system_identifier || ' timeline ' || " \
  "left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system())"

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

FloorSql floor_sql() {
  FloorSql sql;
  sql.lease = "UPDATE id_segments SET max_id = " FEATHERID_RAISED(
      FEATHERID_POSTGRESQL_NOW, "/", "GREATEST",
      "LEAST") ", update_time = CURRENT_TIMESTAMP WHERE " FEATHERID_POSTGRESQL_ROW
               " AND max_id >= 0 AND max_id <= :limit";
  sql.condition =
      FEATHERID_FLOOR_CONDITION(FEATHERID_POSTGRESQL_NOW, "/", FEATHERID_POSTGRESQL_ROW);
  sql.now = kPostgresqlNow;
  return sql;
}

TagsSql tags_sql() {
  TagsSql sql;
  sql.find = FEATHERID_POSTGRESQL_FIND(FEATHERID_OPTIONS(
      "text", FEATHERID_CONCAT_FLOOR(FEATHERID_POSTGRESQL_NOW),
      FEATHERID_CONCAT_PERIOD(FEATHERID_POSTGRESQL_NOW), FEATHERID_POSTGRESQL_ROW));
  sql.condition = FEATHERID_PERMITTED(FEATHERID_POSTGRESQL_ROW);
  sql.version = FEATHERID_VERSION("CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) AS bigint)");
  sql.count = kCountChange;
  sql.list = kListRecords;
  sql.is_tag = FEATHERID_POSTGRESQL_ROW;
  sql.between = FEATHERID_POSTGRESQL_BYTES " BETWEEN :first AND :last";
  sql.add = "INSERT INTO id_tags (biz_tag, version) VALUES (:tag, 0)";
  sql.write = FEATHERID_WRITE_RECORD("", FEATHERID_POSTGRESQL_ROW);
  sql.in_period =
      FEATHERID_PERIOD_CONDITION(FEATHERID_POSTGRESQL_NOW, FEATHERID_POSTGRESQL_ROW_OF(":base"));
  sql.floor = floor_sql();
  return sql;
}

SettingsSql settings_sql() {
  SettingsSql sql;
  sql.server_process = "SELECT pg_catalog.pg_backend_pid()";
  sql.unpin = "RESET extra_float_digits";
  sql.pin = postgresql_pins;
  sql.names = kPostgresqlSettingNames;
  // The tables by their numbers. A table that becomes UNLOGGED gets another file.
  sql.text =
      "pg_catalog.concat_ws(';', pg_catalog.current_setting('fsync'), "
      "pg_catalog.current_setting('full_page_writes'), "
      "CAST(pg_catalog.to_regclass('\"id_segments\"') AS oid), "
      "CAST(pg_catalog.to_regclass('\"id_leader\"') AS oid), "
      "pg_catalog.pg_relation_filenode(pg_catalog.to_regclass('\"id_segments\"')), "
      "pg_catalog.pg_relation_filenode(pg_catalog.to_regclass('\"id_leader\"')))";
  sql.tables = "SELECT " FEATHERID_POSTGRESQL_LIST("id_segments") ", " FEATHERID_POSTGRESQL_LIST(
      "id_leader") ", " FEATHERID_POSTGRESQL_LIST("id_tags") ", " FEATHERID_POSTGRESQL_TYPE
                                                             ","
                                                             " " FEATHERID_POSTGRESQL_OTHERS_PATH;
  // empty, unless another program has set it
  sql.further = "search_path";
  sql.durably = postgresql_durably;
  sql.literal = [](const std::string& text) { return sql_literal(Engine::kPostgresql, text); };
  return sql;
}

LeaderSql leader_sql() {
  LeaderSql sql;
  sql.condition = FEATHERID_LEADS(FEATHERID_POSTGRESQL_SERVER);
  // In one round trip: otherwise a very short timeout could end the transaction in between.
  sql.begin =
      "START TRANSACTION ISOLATION LEVEL READ COMMITTED; "
      "SET LOCAL idle_in_transaction_session_timeout = 0";
  sql.commit = "COMMIT";
  sql.server = FEATHERID_POSTGRESQL_SERVER;
  sql.furthest = kFurthest;
  sql.term = kTerm;
  sql.locked_record = kLockedRecord;
  sql.skip = FEATHERID_SKIP;
  sql.skip_unless_floor = " AND NOT EXISTS (SELECT 1 FROM id_tags t WHERE " FEATHERID_BOUND_LEAD
                          " AND " FEATHERID_SAME_TAG_IN_POSTGRESQL("id_segments") ")";
  sql.skip_with_floor = "UPDATE id_segments AS s SET max_id = " FEATHERID_SKIP_LEAD(
         "/") " FROM id_tags t WHERE " FEATHERID_SAME_TAG_IN_POSTGRESQL("s") " AND"
                                                                             " " FEATHERID_BOUND_LEAD
                                                                             " AND"
                                                                             " " FEATHERID_MAY_SKIP;
  sql.now = kPostgresqlNow;
  sql.periods = kPeriods;
  sql.note_failovers = kNoteFailovers;
  sql.record = kRecordLeader;
  return sql;
}

}  // namespace

SociDialect postgresql_dialect() {
  SociDialect sql;
  sql.leased = SociDialect::Leased::kReturnedRow;
  sql.lease =
      "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_POSTGRESQL_ROW " AND max_id >= 0 AND max_id <= :limit";
  sql.lease_returning = " RETURNING max_id";
  sql.find = FEATHERID_POSTGRESQL_FIND("'', '', '', ''");
  sql.list =
      "SELECT CAST(biz_tag AS text), COALESCE(CAST(max_id AS text), 'NULL'), "
      "COALESCE(CAST(step AS text), 'NULL'), '', '', '', '' FROM id_segments "
      "WHERE " FEATHERID_POSTGRESQL_BYTES
      " > :after AND pg_catalog.left(CAST(biz_tag AS text), "
      "pg_catalog.length(CAST(:prefix AS text))) COLLATE \"C\" = :prefix "
      "ORDER BY " FEATHERID_POSTGRESQL_BYTES " LIMIT :count";
  sql.create =
      "INSERT INTO id_segments (biz_tag, max_id, step) "
      "SELECT CAST(:tag AS text), CAST(:max_id AS bigint), CAST(:step AS integer) WHERE 1 = 1";
  sql.update =
      "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_POSTGRESQL_ROW;
  sql.advance =
      "UPDATE id_segments SET max_id = GREATEST(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_POSTGRESQL_ROW;
  sql.exchange_max_id =
      "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_POSTGRESQL_ROW " AND max_id = :expected";
  sql.remove = "DELETE FROM id_segments WHERE " FEATHERID_POSTGRESQL_ROW;
  sql.transaction = "pg_catalog.txid_current()";
  // IF NOT EXISTS checks only the first schema of the search path: new tables there would hide
  // those that ids were leased from.
  sql.schema_begin =
      "START TRANSACTION ISOLATION LEVEL READ COMMITTED;\n"
      "SELECT " FEATHERID_POSTGRESQL_SYNCHRONOUSLY ";\n" FEATHERID_POSTGRESQL_GO_TO("id_segments")
          FEATHERID_POSTGRESQL_GO_TO("id_leader");
  sql.schema = kPostgresqlSchema;
  sql.schema_end = "COMMIT;\n";
  sql.tags = tags_sql();
  sql.settings = settings_sql();
  sql.leader = leader_sql();
  return sql;
}

}  // namespace featherid
