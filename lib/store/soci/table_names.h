// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_
#define FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "lib/store/soci/database_url.h"

namespace featherid {

// The names of a URL's tables, from its options `schema` and `table`. All statements and messages
// are written for `id_segments`, `id_leader`, `id_mark` and `id_tags`; in() replaces these by the
// URL's names. A table NAME has its own NAME_leader, NAME_mark and NAME_tags: if two tables shared
// a record of the leader, the first process to follow a failover would hide it from the other
// table.
class TableNames {
 public:
  TableNames() : TableNames(DatabaseUrl()) {}  // the usual ones
  explicit TableNames(const DatabaseUrl& url);

  // id_segments becomes an identifier, quoted, after the schema; 'id_segments' a string constant of
  // the name alone; '"id_segments"' one of the identifier. The same for the others. With a schema,
  // PostgreSQL's statements search only that schema. The usual names leave the text as it is.
  std::string in(std::string_view text) const;

  // The names alone.
  const std::string& leader() const { return leader_; }
  const std::string& mark() const { return mark_; }
  const std::string& tags() const { return tags_; }

 private:
  struct Replacement {
    std::string from;
    std::string to;
  };
  void name(const std::string& usual, const DatabaseUrl& url, const std::string& name);

  std::string leader_;
  std::string mark_;
  std::string tags_;
  std::vector<Replacement> replacements_;  // the longest first, of those that begin alike
};

// A string constant of the engine; for MySQL in UTF-8, whatever the session's character set.
std::string sql_literal(Engine engine, std::string_view text);

// What is wrong with the names in the options of `url`, as "has an option table that …"; or empty.
std::string check_table_names(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_
