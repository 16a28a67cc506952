// SPDX-License-Identifier: MIT
#include "test/system/hostile/tables.h"

#include <algorithm>

#include "test/support/raw_sql.h"

namespace featherid::test {

namespace {

bool lists(const std::vector<TagInfo>& rows, const std::string& tag) {
  return std::any_of(rows.begin(), rows.end(), [&](const TagInfo& row) { return row.tag == tag; });
}

}  // namespace

void check_all_operations(Store& store, const std::string& tag, const std::string& created) {
  INFO(tag);
  const Result<IdRange> first = store.lease(tag, 10);
  INFO(first.status());
  REQUIRE(first.ok());
  CHECK(*first == IdRange{1, 11});
  const Result<IdRange> second = store.lease(tag, 10);
  REQUIRE(second.ok());
  CHECK(*second == IdRange{11, 21});
  const Result<bool> given = store.give_back(tag, {16, 21});
  CHECK((given.ok() && *given));
  CHECK(store.update(tag, 7).ok());
  CHECK(store.advance(tag, 100).ok());
  const Result<SegmentRow> row = store.find(tag);
  REQUIRE(row.ok());
  CHECK(row->tag == tag);
  CHECK(row->max_id == 100);
  CHECK(row->step == 7);
  const Status made = store.create(created, 20);
  INFO(made);
  REQUIRE(made.ok());
  CHECK(store.create(created, 20).code() == StatusCode::kAlreadyExists);
  CHECK(store.lease(created, 10)->first == 1);
  const Result<std::vector<TagInfo>> rows = store.list();
  REQUIRE(rows.ok());
  CHECK(lists(*rows, tag));
  CHECK(lists(*rows, created));
}

void check_no_such_tag(Store& store, const std::string& tag) {
  INFO(tag);
  const Stopwatch stopwatch;
  const auto is_not_there = [](const Status& status) {
    INFO(status);
    CHECK(status.code() == StatusCode::kNotFound);
  };
  is_not_there(store.lease(tag, 10).status());
  is_not_there(store.find(tag).status());
  is_not_there(store.update(tag, 10));
  is_not_there(store.advance(tag, 10));
  const Result<bool> given = store.give_back(tag, {1, 2});
  CHECK((given.ok() && !*given));
  const Status made = store.create(tag, 10);
  INFO(made);
  CHECK_FALSE(made.ok());
  CHECK(made.code() != StatusCode::kUnavailable);
  CHECK(stopwatch.elapsed().count() < 1);
}

void check_not_taken_for(Store& store, const std::string& absent, const std::string& present) {
  const SegmentRow before = store.find(present).value();
  const auto says_so = [&](const Status& status, StatusCode code) {
    INFO(status);
    CHECK(status.code() == code);
    CHECK(says(status, "'" + absent + "'"));
    CHECK(says(status, "'" + present + "'"));
    CHECK(says(status, "collation"));
  };
  says_so(store.lease(absent, 10).status(), StatusCode::kNotFound);
  says_so(store.find(absent).status(), StatusCode::kNotFound);
  says_so(store.create(absent, 10), StatusCode::kAlreadyExists);
  CHECK(store.update(absent, 99).code() == StatusCode::kNotFound);
  CHECK(store.advance(absent, before.max_id + 1000).code() == StatusCode::kNotFound);
  const Result<bool> given = store.give_back(absent, {before.max_id, before.max_id + 1});
  CHECK((given.ok() && !*given));
  const SegmentRow after = store.find(present).value();
  CHECK(after.max_id == before.max_id);
  CHECK(after.step == before.step);
}

void check_bad_rows(const std::string& url, const std::vector<BadRow>& bad_rows) {
  const Status made = init_soci_schema(url);
  INFO(made);
  REQUIRE(made.ok());
  Watched watched(url);
  Store& store = *watched.store;
  CHECK(store.advance("user", 50).ok());
  CHECK(store.create("new", 10).ok());
  CHECK(store.lease("order", 10).ok());
  // A failover moves only the other rows.
  RawSql sql(url);
  sql.run("UPDATE id_leader SET server = 'another server'");
  const Result<IdRange> skipped = store.lease("order", 10);
  INFO(skipped.status());
  REQUIRE(skipped.ok());
  CHECK(skipped->first > patient_options().failover_guard_ids);
  for (const BadRow& bad : bad_rows) {
    INFO(bad.tag);
    const auto names_it = [&](const Status& refused) {
      INFO(refused);
      CHECK(refused.code() == StatusCode::kFailedPrecondition);
      CHECK(says(refused, "'" + bad.tag + "'"));
      CHECK(says(refused, bad.column));
      CHECK(says(refused, bad.value));
    };
    names_it(store.find(bad.tag).status());
    // A lease does not read the step.
    if (bad.column == "max_id") names_it(store.lease(bad.tag, 1).status());
    const std::string where = " FROM id_segments WHERE biz_tag = '" + bad.tag + "'";
    CHECK(sql.text("SELECT COALESCE(CAST(" + bad.column + " AS char(40)), 'NULL')" + where)
              .substr(0, bad.value.size()) == bad.value);
  }
  const Result<std::vector<TagInfo>> rows = store.list();
  INFO(rows.status());
  REQUIRE(rows.ok());
  for (const char* tag : {"new", "order", "user"}) CHECK(lists(*rows, tag));
  for (const BadRow& bad : bad_rows) {
    CHECK(watched.warnings.find("'" + bad.tag + "'") != std::string::npos);
  }
}

}  // namespace featherid::test
