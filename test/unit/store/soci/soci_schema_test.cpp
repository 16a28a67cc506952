// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_schema.h"

#include <string>

#include "lib/store/soci/soci_dialect.h"
#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

namespace featherid {

TEST_CASE("each engine's schema makes its tables and the three tags", "[soci_schema]") {
  for (const std::string schema : {kMysqlSchema, kPostgresqlSchema, kSqlite3Schema}) {
    CHECK_THAT(schema, Contains("CREATE TABLE IF NOT EXISTS") && Contains("id_segments") &&
                           Contains("id_tags") && Contains("'user'") && Contains("'order'") &&
                           Contains("'health'"));
  }
  for (const std::string schema : {kMysqlSchema, kPostgresqlSchema}) {
    CHECK_THAT(schema, Contains("id_leader"));
  }
  CHECK_THAT(std::string(kGaleraSchema),
             Contains("CREATE TABLE IF NOT EXISTS `id_mark`") && Contains("ENGINE=MEMORY"));
}

TEST_CASE("each dialect runs the whole schema of its engine", "[soci_schema]") {
  CHECK(dialect_of(Engine::kMysql).schema == kMysqlSchema);
  CHECK(dialect_of(Engine::kPostgresql).schema == kPostgresqlSchema);
  CHECK(dialect_of(Engine::kSqlite3).schema == kSqlite3Schema);
  CHECK(dialect_of(Engine::kMysql).leader.mark.schema == kGaleraSchema);
  // Every statement ends in a semicolon. Text after the last one would not be run.
  for (const std::string schema :
       {kMysqlSchema, kGaleraSchema, kPostgresqlSchema, kSqlite3Schema}) {
    CHECK(schema.substr(schema.find_last_not_of('\n')) == ";\n");
  }
}

TEST_CASE("the schema of SQLite may run twice", "[soci_schema]") {
  const test::ScratchDir scratch;
  test::RawSql sql("sqlite3:" + scratch.file("ids.db"));
  for (int i = 0; i < 2; ++i) {
    for (const std::string& statement : split_statements(kSqlite3Schema)) sql.run(statement);
    CHECK(sql.number("SELECT count(*) FROM id_segments") == 3);
    sql.run("UPDATE id_segments SET max_id = 5");
  }
  CHECK(sql.number("SELECT step FROM id_segments WHERE biz_tag = 'order'") == 1000);
  CHECK(sql.number("SELECT min(max_id) FROM id_segments") == 5);
}

}  // namespace featherid
