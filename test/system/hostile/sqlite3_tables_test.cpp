// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/system/hostile/tables.h"

using namespace featherid;
using namespace featherid::test;

namespace {

std::string make_table(const ScratchDir& scratch, const std::string& key_type,
                       const std::string& table_options, const std::string& tag) {
  std::string url = "sqlite3:" + scratch.file("ids.db");
  RawSql sql(url);
  sql.run("CREATE TABLE id_segments (biz_tag " + key_type +
          " PRIMARY KEY, max_id INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 1000, "
          "update_time TEXT)" +
          table_options);
  insert_row(sql, {tag, 0, 1000});
  REQUIRE(init_soci_schema(url).ok());
  return url;
}

}  // namespace

TEST_CASE("SQLite: any table that holds tags serves", "[sqlite3][tables]") {
  const ScratchDir scratch;
  const std::string options = GENERATE("", " STRICT", " WITHOUT ROWID");
  const std::string url = make_table(scratch, "TEXT", options, "文件");
  check_all_operations(*Watched(url).store, "文件", "文本 😀");
}

TEST_CASE("SQLite: an error names a tag that a collation equates with another",
          "[sqlite3][tables]") {
  const ScratchDir scratch;
  Watched watched(make_table(scratch, "TEXT COLLATE NOCASE", "", "order"));
  REQUIRE(watched.store->lease("order", 10).ok());
  check_not_taken_for(*watched.store, "Order", "order");
}
