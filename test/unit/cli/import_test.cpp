// SPDX-License-Identifier: MIT
#include "cli/import.h"

#include <string>

#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

namespace {

std::string max_id_of(const Commands& commands, const std::string& tag) {
  const std::string json = commands.run({"tag", "show", tag, "--json"}).out;
  const std::size_t begin = json.find("\"max_id\":") + 9;
  return json.substr(begin, json.find(',', begin) - begin);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("import moves tags past the rows of another service, and never back", "[cli][import]") {
  const Commands commands;
  RawSql sql(commands.url());
  sql.run("CREATE TABLE tiny_id_info (biz_type TEXT, max_id INTEGER, step INTEGER)");
  sql.run("INSERT INTO tiny_id_info VALUES ('order', 5000, 200), ('new', 7, NULL), ('user', 0, 9)");
  CHECK(commands.run({"advance", "user", "100"}).exit_code == 0);
  const CommandResult dry = commands.run({"import", "tinyid", "--dry-run", "--json"});
  CHECK(dry.exit_code == 0);
  CHECK(has(dry.out, R"("tag":"order","max_id_before":0,"max_id":5000,"action":"advance")"));
  CHECK(has(dry.out, R"("tag":"new","max_id_before":null,"max_id":7,"action":"create")"));
  CHECK(has(dry.out, R"("tag":"user","max_id_before":100,"max_id":100,"action":"none")"));
  CHECK(max_id_of(commands, "order") == "0");
  CHECK(commands.run({"tag", "show", "new"}).exit_code == 4);

  CHECK(commands.run({"import", "tinyid"}).exit_code == 0);
  CHECK(max_id_of(commands, "order") == "5000");
  CHECK(max_id_of(commands, "new") == "7");
  CHECK(max_id_of(commands, "user") == "100");
  const CommandResult again = commands.run({"import", "tinyid", "--json"});
  CHECK(again.exit_code == 0);
  CHECK_FALSE(has(again.out, "\"advance\""));
  CHECK_FALSE(has(again.out, "\"create\""));
}

TEST_CASE("import takes one row, another table and other names", "[cli][import]") {
  const Commands commands;
  RawSql sql(commands.url());
  sql.run("CREATE TABLE mine (name TEXT, last_max_id INTEGER)");
  sql.run("INSERT INTO mine VALUES ('shop.order', 40), ('shop.user', 50)");
  const std::vector<std::string> import = {"import", "cosid", "--table", "mine", "--only"};
  std::vector<std::string> one = import;
  one.insert(one.end(), {"shop.user", "--prefix", "cosid-"});
  CHECK(commands.run(one).exit_code == 0);
  CHECK(max_id_of(commands, "cosid-shop.user") == "50");
  CHECK(commands.run({"tag", "show", "shop.order"}).exit_code == 4);
  std::vector<std::string> none = import;
  none.emplace_back("nix");
  CHECK(commands.run(none).exit_code == 4);
}

TEST_CASE("an import that is not possible as a whole changes nothing", "[cli][import]") {
  struct Case {
    std::string row;
    int exit_code;
    std::string says;
  };
  for (const Case& bad : {
           Case{"('" + std::string(65, 'x') + "', 5, 1)", 2, "import the others with --only"},
           Case{"('bad', NULL, 1)", 1, "-1 is not an id of FeatherID"},
           Case{"('bad', -2, 1)", 1, "-2 is not an id of FeatherID"},
           Case{"('bad', 9223372036854775807, 1)", 1, "9223372036854775807 is not an id"},
           Case{"('bad', 'many', 1)", 1, "does not begin with an id"},
       }) {
    const Commands commands;
    RawSql sql(commands.url());
    sql.run("CREATE TABLE leaf_alloc (biz_tag TEXT, max_id INTEGER, step INTEGER)");
    sql.run("INSERT INTO leaf_alloc VALUES ('order', 5000, 200), " + bad.row);
    const CommandResult result = commands.run({"import", "leaf"});
    CAPTURE(result.err);
    CHECK(result.exit_code == bad.exit_code);
    CHECK(has(result.err, bad.says));
    CHECK(max_id_of(commands, "order") == "0");
  }
  const Commands commands;
  CHECK(commands.run({"import", "leaf"}).exit_code == 1);  // no table
  for (const char* name : {"a\"; DROP TABLE id_segments; --", "a'b", "a`b", "a:b", "a\\b", ""}) {
    CAPTURE(name);
    CHECK(commands.run({"import", "leaf", "--table", name}).exit_code != 0);
    CHECK(commands.run({"import", "column", name, "id", "order"}).exit_code == 2);
    CHECK(commands.run({"import", "column", "id_segments", name, "order"}).exit_code == 2);
  }
  CHECK(commands.run({"import", "leaf", "--from", "sqlite3:/nonexistent"}).exit_code == 1);
  CHECK(commands.run({"import", "max", "order", "9223372036854775807"}).exit_code == 2);
}

TEST_CASE("import reads a column, SQLite's AUTOINCREMENT or a number", "[cli][import]") {
  const Commands commands;
  RawSql sql(commands.url());
  sql.run("CREATE TABLE bill (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT)");
  CHECK(commands.run({"import", "column", "bill", "id", "bill"}).exit_code == 0);
  CHECK(max_id_of(commands, "bill") == "0");
  sql.run("INSERT INTO bill VALUES (90, ''), (80, '')");
  CHECK(commands.run({"import", "column", "bill", "id", "bill"}).exit_code == 0);
  CHECK(max_id_of(commands, "bill") == "90");
  sql.run("DELETE FROM bill WHERE id = 90");
  CHECK(commands.run({"import", "sequence", "bill", "bill2"}).exit_code == 0);
  CHECK(max_id_of(commands, "bill2") == "90");
  CHECK(commands.run({"import", "max", "bill", "123"}).exit_code == 0);
  CHECK(commands.run({"import", "max", "bill", "5"}).exit_code == 0);
  CHECK(max_id_of(commands, "bill") == "123");
}

}  // namespace featherid::test
