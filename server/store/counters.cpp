// SPDX-License-Identifier: MIT
#include "server/store/counters.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace featherid {

namespace {

// The table of a service, and what it says about the ids that were handed out. A last id that is
// NULL is none, which refuses the import.
//
// Leaf hands out [max_id - step, max_id), so max_id itself is free. One id is given up for the
// forks of Leaf that hand out (max_id - step, max_id], as TinyID and CosId do.
struct Service {
  CounterSource::Kind kind;
  const char* table;
  // Its columns. The step is "0" if the service has none.
  std::string last_id;
  std::string step;
  std::string name;
};
const std::vector<Service>& services() {
  static const std::vector<Service> services = {
      {CounterSource::Kind::kLeaf, "leaf_alloc", "max_id", "step", "biz_tag"},
      {CounterSource::Kind::kTinyId, "tiny_id_info", "max_id", "step", "biz_type"},
      {CounterSource::Kind::kCosId, "cosid", "last_max_id", "0", "name"},
  };
  return services;
}

Status invalid(const std::string& message) { return {StatusCode::kInvalidArgument, message}; }

// Takes the digits before `end` off the front of `text`.
Result<std::int64_t> take_number(std::string* text, char end) {
  std::int64_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), last, number);
  const bool ended = end == '\0' ? stop == last : stop != last && *stop == end;
  if (error != std::errc() || !ended) {
    return Status(StatusCode::kFailedPrecondition,
                  "'" + *text + "' does not begin with an id that FeatherID can hold");
  }
  text->erase(0, static_cast<std::size_t>(stop - text->data()) + (end == '\0' ? 0 : 1));
  return number;
}

// "a.b" with each part in quotes. Refuses what no sane name contains, instead of escaping it.
Result<std::string> quoted_name(const std::string& name, char quote) {
  std::string text(1, quote);
  for (const char c : name) {
    const bool strange = static_cast<unsigned char>(c) < ' ' ||
                         std::string_view("'\"`\\:;").find(c) != std::string_view::npos;
    if (strange) return invalid("'" + name + "' cannot be the name of a table or column");
    if (c == '.') {
      text.append(1, quote).append(1, '.').append(1, quote);
    } else {
      text += c;
    }
  }
  if (name.empty()) return invalid("the name of the table or column is empty");
  return text + quote;
}

Result<std::vector<Counter>> read_service(const StoreOptions& options, const CounterSource& source,
                                          const Service& service, const CounterSql& sql) {
  const Result<std::string> table =
      quoted_name(source.table.empty() ? service.table : source.table, sql.quote);
  if (!table.ok()) return table.status();
  const Result<std::vector<std::string>> rows = query_database(
      options,
      "SELECT " +
          sql.joined({"COALESCE(" + service.last_id + ", -1)", "COALESCE(" + service.step + ", 0)",
                      "COALESCE(" + service.name + ", '')"}) +
          " FROM " + *table);
  if (!rows.ok()) return rows.status();
  std::vector<Counter> counters;
  for (std::string row : *rows) {
    const Result<std::int64_t> last = take_number(&row, ';');
    if (!last.ok()) return last.status();
    const Result<std::int64_t> step = take_number(&row, ';');
    if (!step.ok()) return step.status();
    counters.push_back({row, *last, *step});
  }
  return counters;
}

Result<std::vector<Counter>> read_highest(const StoreOptions& options, const std::string& name,
                                          const std::vector<std::string>& queries) {
  Counter counter{name, 0, 0};
  for (const std::string& query : queries) {
    const Result<std::vector<std::string>> answers = query_database(options, query);
    if (!answers.ok()) return answers.status();
    for (std::string answer : *answers) {
      const Result<std::int64_t> last = take_number(&answer, '\0');
      if (!last.ok()) return last.status();
      counter.last_id = std::max(counter.last_id, *last);
    }
  }
  return std::vector<Counter>{std::move(counter)};
}

std::string concatenated(const std::vector<std::string>& columns, const std::string& begin,
                         const std::string& between, const std::string& end) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? begin : between) + column;
  return text + end;
}

std::string call_concat(const std::vector<std::string>& columns) {
  return concatenated(columns, "CONCAT(", ", ';', ", ")");
}

// Without its quotes, as a string.
std::string literal(std::string name) {
  name.erase(std::remove(name.begin(), name.end(), '`'), name.end());
  return "'" + name + "'";
}

}  // namespace

Result<std::vector<Counter>> read_database_counters(const StoreOptions& options,
                                                    const CounterSource& source,
                                                    const CounterSql& sql) {
  for (const Service& service : services()) {
    if (service.kind == source.kind) return read_service(options, source, service, sql);
  }
  const Result<std::string> table = quoted_name(source.table, sql.quote);
  if (!table.ok()) return table.status();
  if (source.kind == CounterSource::Kind::kSequence) {
    return read_highest(options, source.table, sql.of_sequence(*table));
  }
  const Result<std::string> column = quoted_name(source.column, sql.quote);
  if (!column.ok()) return column.status();
  return read_highest(options, source.table, sql.of_column(*table, *column));
}

// AUTO_INCREMENT is the next id. MySQL 8 remembers it for a day, so the column counts as well.
const CounterSql& mysql_counters() {
  static const CounterSql sql = {
      call_concat, '`',
      [](const std::string& table, const std::string& column) -> std::vector<std::string> {
        const std::size_t at = table.find("`.`");
        const std::string schema =
            at == std::string::npos ? "DATABASE()" : literal(table.substr(0, at + 1));
        const std::string name = literal(at == std::string::npos ? table : table.substr(at + 2));
        return {"SELECT auto_increment - 1 FROM information_schema.tables WHERE table_schema = " +
                    schema + " AND table_name = " + name,
                "SELECT MAX(" + column + ") FROM " + table};
      },
      // Of MariaDB; values in the cache are behind it.
      [](const std::string& name) -> std::vector<std::string> {
        return {"SELECT next_not_cached_value - 1 FROM " + name};
      }};
  return sql;
}

#define FEATHERID_SEQUENCE_IS                                                    \
  "SELECT last_value FROM pg_catalog.pg_sequences WHERE CAST(pg_catalog.format(" \
  "'%I.%I', schemaname, sequencename) AS regclass) = "

// last_value is NULL before the first use, and includes what sessions hold in their caches.
const CounterSql& postgresql_counters() {
  static const CounterSql sql = {
      call_concat, '"',
      [](const std::string& table, const std::string& column) -> std::vector<std::string> {
        const std::string name = column.substr(1, column.size() - 2);
        return {FEATHERID_SEQUENCE_IS "CAST(pg_catalog.pg_get_serial_sequence('" + table + "', '" +
                    name + "') AS regclass)",
                "SELECT MAX(" + column + ") FROM " + table};
      },
      [](const std::string& name) -> std::vector<std::string> {
        return {FEATHERID_SEQUENCE_IS "CAST('" + name + "' AS regclass)"};
      }};
  return sql;
}

// A table with AUTOINCREMENT counts in sqlite_sequence, under its name. Without such a table there
// is no sqlite_sequence either, so only `sequence` reads it.
const CounterSql& sqlite3_counters() {
  static const CounterSql sql = {
      [](const std::vector<std::string>& columns) {
        return concatenated(columns, "", " || ';' || ", "");
      },
      '"',
      [](const std::string& table, const std::string& column) -> std::vector<std::string> {
        return {"SELECT MAX(" + column + ") FROM " + table};
      },
      [](const std::string& name) -> std::vector<std::string> {
        return {"SELECT seq FROM sqlite_sequence WHERE name = '" + name.substr(1, name.size() - 2) +
                "'"};
      }};
  return sql;
}

}  // namespace featherid
