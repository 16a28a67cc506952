// SPDX-License-Identifier: MIT
#include "lib/store/soci/table_names.h"

#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"

using namespace featherid;

namespace {

TableNames names(const std::string& url) { return TableNames(*parse_database_url(url)); }

std::string refusal(const std::string& url) {
  const Status status = parse_database_url(url).status();
  CHECK(status.code() == StatusCode::kInvalidArgument);
  return status.message();
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("the usual names leave a statement as it is", "[table_names]") {
  const std::string sql = "UPDATE `id_segments` SET x = '\"id_leader\"' || 'id_segments'";
  CHECK(TableNames().in(sql) == sql);
  CHECK(names("postgresql://h/d?table=id_segments").in(sql) == sql);
}

TEST_CASE("names are quoted for the engine, in statements and in their texts", "[table_names]") {
  CHECK(
      names("mysql://h/d?table=a`b%22").in("SELECT 'id_segments' FROM `id_segments`, id_leader") ==
      "SELECT _utf8mb4'a`b\"' FROM `a``b\"`, `a``b\"_leader`");
  CHECK(names("sqlite3:f?table=it's%20%22a%22").in("FROM id_segments WHERE n = 'id_segments'") ==
        "FROM \"it's \"\"a\"\"\" WHERE n = 'it''s \"a\"'");
  CHECK(names("postgresql://h/d?schema=S%5C&table=t")
            .in("'\"id_segments\"', 'id_leader', id_leader, pg_catalog.current_schemas(true)") ==
        "E'\"S\\\\\".\"t\"', E't_leader', \"S\\\".\"t_leader\", ARRAY[CAST(E'S\\\\' AS name)]");
  // Also in a message that says where the table is.
  CHECK(names("postgresql://h/d?schema=s").in("the table s.id_segments is") ==
        "the table \"s\".\"id_segments\" is");
  // A name that holds the usual one.
  CHECK(names("mysql://h/d?table=my_id_segments").in("id_segments") == "`my_id_segments`");
}

TEST_CASE("names that an engine would change are refused", "[table_names]") {
  const std::vector<std::pair<std::string, const char*>> wrong = {
      {"mysql://h/d?table=", "is empty"},
      {"mysql://h/d?table=ID_Leader", "failover guard's own tables"},
      {"mysql://h/d?table=my_MARK", "failover guard's own tables"},
      {"mysql://h/d?table=" + std::string(58, 'a'), "leaves no room for _leader"},
      {"postgresql://h/d?table=" + std::string(57, 'a'), "63 bytes"},
      {"mysql://h/d?table=%20a", "is not a name"},
      {"mysql://h/d?table=a%20", "is not a name"},
      {"mysql://h/d?table=%C3%28", "is not a name"},
      {"mysql://h/d?table=" + std::string(65, 'a'), "is not a name"},
      {"mysql://h/d?table=it's", "contains a '"},
      {"mysql://h/d?table=a:b", "contains a '"},
      {"mysql://h/d?table=%23sql", "starts with a #"},
      {"mysql://h/d?table=%F0%9F%98%80", "above U+FFFF"},
      {"mysql://h/d?schema=s", "unknown option 'schema'"},
      {"postgresql://h/d?table=" + std::string(64, 'a'), "no room for _leader"},
      {"postgresql://h/d?table=" + repeated("号", 22), "63 bytes"},
      {"postgresql://h/d?schema=" + std::string(64, 'a'), "63 bytes"},
      {"postgresql://h/d?schema=pg_temp", "starts with pg_"},
      {"postgresql://h/d?schema=", "is empty"},
      {"sqlite3:f?table=SQLITE_master", "starts with sqlite_"},
      {"sqlite3:f?schema=main", "unknown option 'schema'"}};
  for (const auto& [url, words] : wrong) {
    INFO(url);
    CHECK_THAT(refusal(url), Contains(words));
  }
  for (const std::string& url :
       {"mysql://h/d?table=" + repeated("号", 57), "postgresql://h/d?table=" + repeated("号", 18),
        std::string("postgresql://h/d?table=it's:x"), std::string("sqlite3:f?table=it's:x")}) {
    CHECK(parse_database_url(url).ok());
  }
}
