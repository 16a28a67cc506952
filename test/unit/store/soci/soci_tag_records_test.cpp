// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_tag_records.h"

#include <string>
#include <vector>

#include "lib/store/soci/soci_schema.h"
#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

// Over SQLite. Other engines: test/system/conformance and test/system/integration.
namespace featherid {

namespace {

struct Fixture {
  Fixture() {
    for (const std::string& statement : split_statements(kSqlite3Schema)) session.run(statement);
  }
  SociTagRecords records() {
    return {dialect_of(Engine::kSqlite3).tags, Engine::kSqlite3,
            [this](LogLevel, std::string_view line) { lines.emplace_back(line); }, TableNames(url)};
  }

  const test::ScratchDir scratch;
  const DatabaseUrl url = *parse_database_url("sqlite3:" + scratch.file("ids.db"));
  SociSession session{url, std::chrono::seconds(1), std::chrono::seconds(1)};
  std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("a record is written and found with all its members", "[soci_tag_records]") {
  Fixture f;
  const SociTagRecords records = f.records();
  CHECK_FALSE(records.find(f.session, "order"));
  TagRecord full;
  full.tag = "order";
  full.version = 3;
  full.recalled = 2;
  full.cap = 70;
  full.description = "bills";
  full.owner = "ann";
  full.created_by = "a";
  full.created_at = 10;
  full.changed_by = "b";
  full.changed_at = 20;
  full.order = TagOrder::kStrict;
  full.format = "INV-{id}";
  full.scramble = "9digits";
  full.floor = {1000, 50, 20, true, 7};
  full.period = {PeriodKind::kMonth, -330};
  full.period_gone = 20261100;
  full.period_failovers = 3;
  full.period_lost_at = 1800000000123;
  TagRecord removed;
  removed.tag = "order";
  removed.version = removed.recalled = 4;
  removed.removed_max_id = 55;
  for (const TagRecord& record : {full, removed}) {
    records.write(f.session, record);
    const std::optional<TagRecord> found = records.find(f.session, "order");
    REQUIRE(found);
    CHECK(found->version == record.version);
    CHECK(found->recalled == record.recalled);
    CHECK(found->cap == record.cap);
    CHECK(found->removed_max_id == record.removed_max_id);
    CHECK(found->description == record.description);
    CHECK(found->owner == record.owner);
    CHECK(found->created_by == record.created_by);
    CHECK(found->created_at == record.created_at);
    CHECK(found->changed_by == record.changed_by);
    CHECK(found->changed_at == record.changed_at);
    CHECK(found->order == record.order);
    CHECK(found->format == record.format);
    CHECK(found->scramble == record.scramble);
    CHECK(found->floor.rate == record.floor.rate);
    CHECK(found->floor.epoch_s == record.floor.epoch_s);
    CHECK(found->floor.lead_max_s == record.floor.lead_max_s);
    CHECK(found->floor.lead_only_warns == record.floor.lead_only_warns);
    CHECK(found->floor.since_id == record.floor.since_id);
    CHECK(found->period == record.period);
    CHECK(found->period_gone == record.period_gone);
    CHECK(found->period_failovers == record.period_failovers);
    CHECK(found->period_lost_at == record.period_lost_at);
  }
  CHECK(records.changed(f.session, 3, 4).size() == 1);
  CHECK(records.changed(f.session, 4, 9).empty());
}

TEST_CASE("a change has the next number, if its conditions hold", "[soci_tag_records]") {
  Fixture f;
  const SociTagRecords records = f.records();
  CHECK(records.head(f.session).version == 0);
  CHECK_FALSE(records.begin_change(f.session, " AND 1 = 0"));
  CHECK(records.head(f.session).version == 0);
  CHECK(records.begin_change(f.session, ""));
  CHECK(records.head(f.session).version == 1);
  CHECK(records.head(f.session).now > 1700000000);
}

TEST_CASE("a table of another version is named with the column that it lacks",
          "[soci_tag_records]") {
  Fixture f;
  SociTagRecords records = f.records();
  f.session.run("ALTER TABLE id_tags RENAME COLUMN floor_rate TO other");
  CHECK_FALSE(records.look(f.session, /*ask=*/true));
  REQUIRE(f.lines.size() == 1);
  CHECK_THAT(f.lines.front(), Contains("floor_rate") && Contains("lacks a column"));
}

TEST_CASE("a table that cannot be used is one warning, and no condition", "[soci_tag_records]") {
  Fixture f;
  SociTagRecords records = f.records();
  CHECK(records.look(f.session));
  CHECK(records.condition(f.session) != "");
  CHECK(records.not_recalled(f.session, 5) != "");
  CHECK(f.lines.empty());
  for (const char* sql : {"DELETE FROM id_tags", "DROP TABLE id_tags"}) {
    f.session.run(sql);
    CHECK(records.look(f.session));  // it looks once a minute
    CHECK_FALSE(records.look(f.session, /*ask=*/true));
    CHECK(records.condition(f.session).empty());
    CHECK(records.not_recalled(f.session, 5).empty());
    CHECK(records.refuse_unread(f.session, "order").ok());  // nobody keeps it from the user
    CHECK(f.lines.size() == 1);
    CHECK_THAT(f.lines.front(), Contains("id_tags cannot be used"));
    f.session.settings().has_records = true;
  }
}

}  // namespace featherid
