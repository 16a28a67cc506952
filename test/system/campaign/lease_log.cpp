// SPDX-License-Identifier: MIT
#include "test/system/campaign/lease_log.h"

namespace featherid::campaign {

const LeaseLogSql kNoLeaseLog = {};

const LeaseLogSql kSqlite3LeaseLog = {
    "CREATE TABLE lease_log (entry INTEGER PRIMARY KEY AUTOINCREMENT, biz_tag varchar(64), "
    "from_id bigint, to_id bigint)",
    {"DROP TRIGGER IF EXISTS %s_log",
     "CREATE TRIGGER %s_log AFTER UPDATE OF max_id ON %s WHEN NEW.max_id <> OLD.max_id BEGIN "
     "INSERT INTO lease_log (biz_tag, from_id, to_id) "
     "VALUES (NEW.biz_tag, OLD.max_id, NEW.max_id); END"}};

const LeaseLogSql kPostgresqlLeaseLog = {
    "CREATE TABLE lease_log (entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "biz_tag varchar(64), from_id bigint, to_id bigint)",
    {"CREATE OR REPLACE FUNCTION log_lease() RETURNS trigger SECURITY DEFINER AS $$ BEGIN "
     "INSERT INTO lease_log (biz_tag, from_id, to_id) "
     "VALUES (NEW.biz_tag, OLD.max_id, NEW.max_id); RETURN NULL; END $$ LANGUAGE plpgsql",
     "DROP TRIGGER IF EXISTS %s_log ON %s",
     "CREATE TRIGGER %s_log AFTER UPDATE ON %s FOR EACH ROW "
     "WHEN (NEW.max_id <> OLD.max_id) EXECUTE FUNCTION log_lease()"}};

void make_lease_log(test::RawSql& sql, const LeaseLogSql& dialect) {
  sql.run(dialect.table);
  make_triggers(sql, dialect, "id_segments");
}

void make_triggers(test::RawSql& sql, const LeaseLogSql& dialect, const std::string& table) {
  for (std::string text : dialect.triggers) {
    for (std::size_t at; (at = text.find("%s")) != std::string::npos;) text.replace(at, 2, table);
    sql.run(text);
  }
}

std::vector<Move> read_lease_log(test::RawSql& sql) {
  std::vector<Move> moves;
  std::string tag;
  long long from = 0;
  long long to = 0;
  sql.for_each_row(
      "SELECT biz_tag, from_id, to_id FROM lease_log ORDER BY entry",
      [&] {
        moves.push_back({tag, from, to});
      },
      soci::into(tag), soci::into(from), soci::into(to));
  return moves;
}

}  // namespace featherid::campaign
