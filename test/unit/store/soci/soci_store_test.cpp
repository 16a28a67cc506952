// SPDX-License-Identifier: MIT
#include "featherid/soci_store.h"

#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

// test/system/conformance tests what every store does with rows.
namespace featherid {

TEST_CASE("opening does not connect: errors show at the first call and may be fixed",
          "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string folder = scratch.file("later");
  const auto store = open_soci_store("sqlite3:" + folder + "/ids.db");
  REQUIRE(store.ok());
  const Status status = (*store)->lease("order", 1).status();
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains(folder));
  std::filesystem::create_directory(folder);
  CHECK((*store)->lease("order", 1)->first == 1);
}

TEST_CASE("the schema is created if it is missing and changes nothing that exists",
          "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  const auto store = open_soci_store(url);
  REQUIRE((*store)->lease("order", 10).ok());
  REQUIRE((*store)->update("user", 77).ok());
  test::RawSql(url).run("DELETE FROM id_segments WHERE biz_tag = 'health'");
  REQUIRE(init_soci_schema(std::vector<std::string>{url}).ok());
  const std::vector<TagInfo> rows = (*store)->list().value();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].tag == "health");
  CHECK(rows[1].max_id == 10);
  CHECK(rows[2].step == 77);
}

TEST_CASE("the store has its name before the first lease, and a copy of the file has it too",
          "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  const std::string sql = "SELECT description FROM id_tags WHERE biz_tag = ''";
  const std::string name = test::RawSql(url).text(sql);
  CHECK(name.size() == 32);
  CHECK((*open_soci_store(url))->identity()->name == name);
  REQUIRE(init_soci_schema(url).ok());
  CHECK(test::RawSql(url).text(sql) == name);
  std::filesystem::copy_file(scratch.file("ids.db"), scratch.file("copy.db"));
  CHECK((*open_soci_store("sqlite3:" + scratch.file("copy.db")))->identity()->name == name);
  CHECK((*open_soci_store("sqlite3:" + scratch.file("other.db")))->identity()->name != name);
}

TEST_CASE("a file of an older version has no place for a name", "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  test::RawSql(url).run(
      "CREATE TABLE id_segments (biz_tag TEXT PRIMARY KEY, max_id INTEGER, step "
      "INTEGER)");
  const Status status = (*open_soci_store(url))->identity().status();
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains("run featherid init"));
}

TEST_CASE("a failover means nothing to SQLite, which needs no id_leader", "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  SociStoreOptions options;
  options.failover = Failover::kStop;
  const auto store = open_soci_store(url, options);
  REQUIRE(store.ok());
  CHECK((*store)->lease("order", 5)->first == 1);
  CHECK((*store)->give_back("order", {3, 6}).value());
  CHECK((*store)->lease("order", 5)->first == 3);
}

}  // namespace featherid
