// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_
#define FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "lib/store/soci/database_url.h"

namespace featherid {

// The names of a URL's tables, from its options `schema` and `table`. All statements and messages
// are written for `id_segments` and `id_leader`; in() replaces these by the URL's names.
class TableNames {
 public:
  TableNames() : TableNames(DatabaseUrl()) {}  // the usual ones
  explicit TableNames(const DatabaseUrl& url);

  // id_segments becomes an identifier, quoted, after the schema; 'id_segments' a string constant of
  // the name alone; '"id_segments"' one of the identifier. The same for id_leader. With a schema,
  // PostgreSQL's statements search only that schema. The usual names leave the text as it is.
  std::string in(std::string_view text) const;

 private:
  struct Replacement {
    std::string from;
    std::string to;
  };
  void name(const std::string& usual, const DatabaseUrl& url, const std::string& name);

  std::vector<Replacement> replacements_;  // the longest first, of those that begin alike
};

// A string constant of the engine; for MySQL in UTF-8, whatever the session's character set.
std::string sql_literal(Engine engine, std::string_view text);

// What is wrong with the names in the options of `url`, as "has an option table that …"; or empty.
std::string check_table_names(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_TABLE_NAMES_H_
