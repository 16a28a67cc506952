// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_dialect_texts.h"
#include "lib/store/soci/soci_schema.h"

namespace featherid {

namespace {

// As FEATHERID_MYSQL_ROW in mysql_dialect.cpp: the table may be another program's, with a collation
// of its own.
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

FloorSql floor_sql() {
  FloorSql sql;
  sql.lease = "UPDATE id_segments SET max_id = " FEATHERID_RAISED(
      ":own_ms", "/", "MAX",
      "MIN") ", update_time = CURRENT_TIMESTAMP WHERE " FEATHERID_SQLITE3_COUNTABLE
             " AND max_id >= 0 AND max_id <= :limit";
  sql.condition = FEATHERID_FLOOR_CONDITION(":own_ms", "/", FEATHERID_SQLITE3_ROW);
  return sql;
}

TagsSql tags_sql() {
  TagsSql sql;
  sql.find = FEATHERID_SQLITE3_FIND(FEATHERID_OPTIONS("TEXT", FEATHERID_SQLITE3_FLOOR,
                                                      "period_kind || ';' || period_offset",
                                                      FEATHERID_SQLITE3_ROW));
  sql.condition = FEATHERID_PERMITTED(FEATHERID_SQLITE3_ROW);
  sql.version = FEATHERID_VERSION("CAST(strftime('%s', 'now') AS INTEGER)");
  sql.count = kCountChange;
  sql.list = kListRecords;
  sql.is_tag = FEATHERID_SQLITE3_ROW;
  sql.between = FEATHERID_SQLITE3_BYTES " BETWEEN CAST(:first AS BLOB) AND CAST(:last AS BLOB)";
  sql.add = "INSERT INTO id_tags (biz_tag, version) VALUES (:tag, 0)";
  sql.write = FEATHERID_WRITE_RECORD("", FEATHERID_SQLITE3_ROW);
  sql.in_period = FEATHERID_PERIOD_CONDITION(":own_ms", FEATHERID_SQLITE3_ROW_OF(":base"));
  sql.floor = floor_sql();
  return sql;
}

}  // namespace

SociDialect sqlite3_dialect() {
  SociDialect sql;
  // Not plain BEGIN, whose later upgrade to a writer fails without waiting. Never without a
  // transaction: SOCI would not see that the commit after a RETURNING failed.
  sql.begin = "BEGIN IMMEDIATE";
  sql.commit = "COMMIT";
  sql.leased = SociDialect::Leased::kReturnedRow;
  sql.lease =
      "UPDATE id_segments SET max_id = max_id + :count, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id >= 0 AND max_id <= :limit";
  sql.lease_returning = " RETURNING max_id";
  sql.find = FEATHERID_SQLITE3_FIND("'', '', '', ''");
  sql.list =
      FEATHERID_SQLITE3_SELECT "'', '', '', '' FROM id_segments WHERE " FEATHERID_SQLITE3_BYTES
                               " > CAST(:after AS BLOB) AND substr(" FEATHERID_SQLITE3_BYTES
                               ", 1, length(CAST(:prefix AS BLOB))) = CAST(:prefix AS BLOB) "
                               "ORDER BY " FEATHERID_SQLITE3_BYTES " LIMIT :count";
  sql.create =
      "INSERT INTO id_segments (biz_tag, max_id, step) SELECT :tag, :max_id, :step WHERE 1 = 1";
  sql.update =
      "UPDATE id_segments SET step = :step, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_SQLITE3_ROW;
  sql.advance =
      "UPDATE id_segments SET max_id = MAX(max_id, :max_id), update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_SQLITE3_COUNTABLE;
  sql.exchange_max_id =
      "UPDATE id_segments SET max_id = :max_id, update_time = CURRENT_TIMESTAMP "
      "WHERE " FEATHERID_SQLITE3_COUNTABLE " AND max_id = :expected";
  sql.remove = "DELETE FROM id_segments WHERE " FEATHERID_SQLITE3_ROW;
  sql.schema = kSqlite3Schema;
  sql.tags = tags_sql();
  return sql;
}

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

}  // namespace featherid
