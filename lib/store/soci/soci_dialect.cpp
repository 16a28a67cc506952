// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"

#include <algorithm>
#include <utility>

namespace featherid {

const SociDialect& dialect_of(Engine engine) {
  static const SociDialect mysql = mysql_dialect();
  static const SociDialect postgresql = postgresql_dialect();
  static const SociDialect sqlite3 = sqlite3_dialect();
  switch (engine) {
    case Engine::kMysql:
      return mysql;
    case Engine::kPostgresql:
      return postgresql;
    case Engine::kSqlite3:
      break;
  }
  return sqlite3;
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
