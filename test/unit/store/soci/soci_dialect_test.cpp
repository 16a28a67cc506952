// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_dialect.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

using featherid::dialect_of;
using featherid::Engine;
using featherid::split_statements;

TEST_CASE("a schema file is split into its statements", "[soci_dialect]") {
  CHECK(split_statements("-- one; two\nA (\n  'x;y'\n);\n\nB;\n") ==
        std::vector<std::string>{"A (\n  'x;y'\n)", "B"});
  CHECK(split_statements("").empty());
  for (const Engine engine : {Engine::kMysql, Engine::kPostgresql, Engine::kSqlite3}) {
    const std::vector<std::string> statements = split_statements(dialect_of(engine).schema);
    // id_segments, id_tags and, for servers, id_leader.
    REQUIRE(statements.size() == (engine == Engine::kSqlite3 ? 4 : 6));
    for (std::size_t i = 0; i < statements.size(); i += 2) {
      CHECK(statements[i].rfind("CREATE TABLE IF NOT EXISTS", 0) == 0);
      CHECK(statements[i + 1].rfind("INSERT ", 0) == 0);
    }
  }
}

TEST_CASE("names and values in statements are quoted", "[soci_dialect]") {
  const featherid::SettingsSql& mysql = dialect_of(Engine::kMysql).settings;
  CHECK(mysql.literal("a'b\\c") == "_utf8mb4'a''b\\\\c'");
  CHECK(dialect_of(Engine::kPostgresql).settings.literal("a'b\\c") == "E'a''b\\\\c'");
}
