// SPDX-License-Identifier: MIT
#include "lib/store/soci/table_names.h"

#include <strings.h>

#include <algorithm>

#include "featherid/segment_store.h"

namespace featherid {

namespace {

constexpr const char* kSegments = "id_segments";
constexpr const char* kLeader = "id_leader";
constexpr const char* kMark = "id_mark";
constexpr const char* kOwnEndings[] = {"_leader", "_mark"};
// Not refused at the end of a table's name: an installation may have chosen such a name before
// there was this table.
constexpr const char* kTags = "id_tags";
constexpr const char* kTagsEnding = "_tags";

std::string quoted(std::string_view name, char quote) {
  std::string text(1, quote);
  for (const char c : name) {
    if (c == quote) text += quote;
    text += c;
  }
  return text + quote;
}

std::string identifier(Engine engine, std::string_view name) {
  return quoted(name, engine == Engine::kMysql ? '`' : '"');
}

bool begins(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && ::strncasecmp(text.data(), part.data(), part.size()) == 0;
}

bool ends(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && begins(text.substr(text.size() - part.size()), part);
}

// For any engine: a name in UTF-8, with the rules of a tag.
std::string wrong_name(const std::string& name) {
  if (validate_tag(name).ok()) return "";
  return "is not a name of 1 to 64 characters in UTF-8, without a space at either end";
}

std::string wrong_mysql_table(const std::string& name) {
  // Such names stand for files of the server.
  if (name.front() == '#') return "starts with a #, which MySQL keeps for itself";
  // SOCI reads them as the end of a text and as a parameter, whatever the quotes.
  if (name.find_first_of("':") != std::string::npos) {
    return "contains a ' or a :, which the driver for MySQL cannot send in a name; rename the "
           "table, or use a view of it";
  }
  const bool beyond =
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return c >= 0xF0; });
  if (beyond) return "contains a character above U+FFFF, which MySQL allows in no name";
  return "";
}

std::string wrong_table(Engine engine, const std::string& name) {
  if (std::string wrong = wrong_name(name); !wrong.empty()) return wrong;
  for (const char* const ending : kOwnEndings) {
    if (ends(name, ending)) {
      return std::string("ends in ") + ending + ", as the failover guard's own tables do";
    }
    if (name != kSegments && !validate_tag(name + ending).ok()) {
      return std::string("leaves no room for ") + ending + " in 64 characters";
    }
  }
  if (engine == Engine::kMysql) return wrong_mysql_table(name);
  if (engine == Engine::kSqlite3 && begins(name, "sqlite_")) {
    return "starts with sqlite_, which SQLite keeps for itself";
  }
  return "";
}

constexpr std::size_t kPostgresqlBytesMax = 63;  // it cuts a longer name off

std::string wrong_length(const DatabaseUrl& url, const std::string& name) {
  if (url.engine != Engine::kPostgresql || name.size() <= kPostgresqlBytesMax) return "";
  return "has more than the 63 bytes of a name in PostgreSQL";
}

std::string wrong_schema(const std::string& name) {
  if (std::string wrong = wrong_name(name); !wrong.empty()) return wrong;
  if (begins(name, "pg_")) return "starts with pg_, which PostgreSQL keeps for itself";
  return "";
}

}  // namespace

TableNames::TableNames(const DatabaseUrl& url) {
  const std::string& schema = url.options.schema;
  const std::string& table = url.options.table;
  leader_ = table == kSegments ? kLeader : table + kOwnEndings[0];
  mark_ = table == kSegments ? kMark : table + kOwnEndings[1];
  tags_ = table == kSegments ? kTags : table + kTagsEnding;
  if (schema.empty() && table == kSegments) return;
  name(kSegments, url, table);
  name(kLeader, url, leader_);
  name(kMark, url, mark_);
  name(kTags, url, tags_);
  if (schema.empty()) return;
  replacements_.push_back({"pg_catalog.current_schemas(true)",
                           "ARRAY[CAST(" + sql_literal(url.engine, schema) + " AS name)]"});
}

void TableNames::name(const std::string& usual, const DatabaseUrl& url, const std::string& name) {
  const std::string& schema = url.options.schema;
  std::string full = identifier(url.engine, name);
  if (!schema.empty()) {
    full.insert(0, identifier(url.engine, schema) + ".");
    replacements_.push_back({schema + "." + usual, full});  // in messages
  }
  replacements_.push_back({"'\"" + usual + "\"'", sql_literal(url.engine, full)});
  replacements_.push_back({"'" + usual + "'", sql_literal(url.engine, name)});
  replacements_.push_back({"`" + usual + "`", full});
  replacements_.push_back({usual, full});
}

std::string TableNames::in(std::string_view text) const {
  std::string named;
  while (!text.empty()) {
    const auto found =
        std::find_if(replacements_.begin(), replacements_.end(),
                     [&](const Replacement& r) { return text.substr(0, r.from.size()) == r.from; });
    const bool replaced = found != replacements_.end();
    if (replaced) {
      named += found->to;
    } else {
      named += text.front();
    }
    text.remove_prefix(replaced ? found->from.size() : 1);
  }
  return named;
}

std::string sql_literal(Engine engine, std::string_view text) {
  std::string literal = engine == Engine::kMysql        ? "_utf8mb4'"
                        : engine == Engine::kPostgresql ? "E'"
                                                        : "'";
  for (const char c : text) {
    if (c == '\'' || (c == '\\' && engine != Engine::kSqlite3)) literal += c;
    literal += c;
  }
  return literal + "'";
}

std::string check_table_names(const DatabaseUrl& url) {
  const UrlOptions& options = url.options;
  const auto check = [&](const char* option, const std::string& name, std::string wrong) {
    if (wrong.empty()) wrong = wrong_length(url, name);
    return wrong.empty() ? "" : std::string("has an option ") + option + " that " + wrong;
  };
  std::string wrong = check("table", options.table, wrong_table(url.engine, options.table));
  if (wrong.empty()) wrong = check("table", TableNames(url).leader(), "");
  if (!wrong.empty() || options.schema.empty()) return wrong;
  return check("schema", options.schema, wrong_schema(options.schema));
}

}  // namespace featherid
