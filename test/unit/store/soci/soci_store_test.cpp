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

TEST_CASE("rows come in the order of their bytes, whatever the column's collation",
          "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  test::RawSql(url).run(
      "CREATE TABLE id_segments (biz_tag TEXT COLLATE NOCASE PRIMARY KEY, max_id INTEGER, step "
      "INTEGER)");
  test::RawSql(url).run("INSERT INTO id_segments VALUES ('b', 1, 1), ('C', 2, 2), ('a', 3, 3)");
  const std::vector<TagInfo> rows = (*open_soci_store(url))->list().value();
  std::string order;
  for (const TagInfo& row : rows) order += row.tag;
  CHECK(order == "Cab");
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

TEST_CASE("a file of an older version works without options, with one warning", "[soci_store]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  test::RawSql(url).run("DROP TABLE id_tags");
  int warnings = 0;
  SociStoreOptions options;
  options.log = [&](LogLevel, std::string_view line) {
    warnings += line.find("id_tags") != std::string_view::npos;
  };
  const auto store = *open_soci_store(url, options);
  CHECK(store->lease("order", 5)->first == 1);
  CHECK(store->create("new", 10).ok());
  CHECK(store->update("new", 20).ok());
  CHECK(store->info("new")->step == 20);
  CHECK(store->advance("new", 7, "ann").ok());
  CHECK(store->info("new")->max_id == 7);
  CHECK(store->list()->size() == 4);
  CHECK(store->rewind("order", 5, 2).value());
  CHECK(store->changes(7)->version == 0);
  // Nothing would remember where it was.
  CHECK(store->remove("new").code() == StatusCode::kFailedPrecondition);
  test::RawSql(url).run("DELETE FROM id_segments WHERE biz_tag = 'new'");
  NewTag tag(10);
  tag.options.owner = "ann";
  const Status refused = store->create("new", tag);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Contains("id_tags") && Contains("featherid init"));
  TagChange change;
  change.cap = 100;
  CHECK(store->update("order", change).code() == StatusCode::kFailedPrecondition);
  NewTag automatic(10);
  automatic.automatic = true;
  CHECK(store->create("new", automatic).code() == StatusCode::kFailedPrecondition);
  CHECK(store->find("new").status().code() == StatusCode::kNotFound);
  CHECK(warnings == 1);

  REQUIRE(init_soci_schema(url).ok());
  CHECK(store->update("order", change).ok());
  CHECK(store->lease("order", 101).status().code() == StatusCode::kExhausted);
  test::RawSql(url).run("DROP TABLE id_tags");  // while it is used
  CHECK(store->lease("order", 10).status().code() == StatusCode::kUnavailable);
  CHECK(store->lease("order", 101)->first == 3);
  CHECK(warnings == 2);
}

}  // namespace featherid
