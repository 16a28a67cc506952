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
    // id_segments; then, each with its row, id_tags and, for servers, id_leader; then three tags.
    REQUIRE(statements.size() == (engine == Engine::kSqlite3 ? 6 : 8));
    const std::size_t tags = statements.size() - 3;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const bool creates = i < tags && (i == 0 || i % 2 == 1);
      CHECK(statements[i].rfind(creates ? "CREATE TABLE IF NOT EXISTS" : "INSERT ", 0) == 0);
    }
  }
}

TEST_CASE("names and values in statements are quoted", "[soci_dialect]") {
  const featherid::SettingsSql& mysql = dialect_of(Engine::kMysql).settings;
  CHECK(mysql.literal("a'b\\c") == "_utf8mb4'a''b\\\\c'");
  CHECK(dialect_of(Engine::kPostgresql).settings.literal("a'b\\c") == "E'a''b\\\\c'");
}
