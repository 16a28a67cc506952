// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

// test/system/conformance tests what every store does with tags.
namespace featherid {

TEST_CASE("rows come in the order of their bytes, whatever the column's collation",
          "[soci_tag_admin]") {
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

TEST_CASE("a file of an older version works without options, with one warning",
          "[soci_tag_admin]") {
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
