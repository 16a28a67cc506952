// SPDX-License-Identifier: MIT
#include "lib/store/tag_record.h"

#include "test/support/catch.h"

namespace featherid {

namespace {

TagRecord record_of(std::int64_t version, std::int64_t recalled, std::int64_t cap) {
  TagRecord record;
  record.tag = "order";
  record.version = version;
  record.recalled = recalled;
  record.cap = cap;
  return record;
}

// The limit that a process hears of which knows the changes up to `after`; -1: none.
std::int64_t limit(const TagRecord& record, std::int64_t after) {
  TagChanges changes;
  add_limit(record, after, &changes);
  return changes.limits.empty() ? -1 : changes.limits.front().max_id;
}

}  // namespace

TEST_CASE("a process hears of caps and recalls that it does not know", "[tag_record]") {
  CHECK(limit(record_of(5, 0, 70), 4) == 70);
  CHECK(limit(record_of(5, 0, 70), 5) == -1);
  CHECK(limit(record_of(5, 0, kIdMax), 4) == -1);
  CHECK(limit(record_of(5, 5, kIdMax), 4) == 0);
  CHECK(limit(record_of(5, 3, 70), 4) == 70);  // it knows of that recall
  CHECK(limit(record_of(5, 3, 70), 2) == 0);
  CHECK(known_change(7, 9) == 7);
  CHECK(known_change(9, 7) == 0);  // the store went backwards
}

TEST_CASE("what is held of a tag is recalled when it becomes strict", "[tag_record]") {
  TagRecord record = record_of(5, 0, kIdMax);
  TagChange change;
  change.order = TagOrder::kPlain;
  change_in(record, change, 0);
  CHECK(record.recalled == 0);
  change.order = TagOrder::kStrict;
  change_in(record, change, 0);
  CHECK(record.recalled == 5);
  record.version = 6;
  change_in(record, change, 0);
  CHECK(record.recalled == 5);  // it was strict
  NewTag made(10);
  record.version = 7;
  create_in(record, made, 0);
  CHECK(record.order == TagOrder::kPlain);
  CHECK(record.recalled == 5);
  made.options.order = TagOrder::kStrict;
  record.version = 8;
  create_in(record, made, 0);
  CHECK(record.recalled == 8);  // a row without a record may have been deleted by hand
}

TEST_CASE("a new tag starts past everything that is known of its name", "[tag_record]") {
  NewTag made(10);
  CHECK(*first_max_id("order", made, std::nullopt, 500) == 0);
  made.max_id = 30;
  CHECK(*first_max_id("order", made, std::nullopt, 500) == 30);
  TagRecord removed;
  removed.removed_max_id = 40;
  CHECK(*first_max_id("order", made, removed, 500) == 40);
  made.options.cap = 39;
  CHECK(first_max_id("order", made, removed, 0).status().code() == StatusCode::kInvalidArgument);
  made.options.cap = kIdMax;
  made.automatic = true;
  CHECK(first_max_id("order", made, removed, 0).status().code() == StatusCode::kNotFound);
  CHECK(*first_max_id("order", made, std::nullopt, 500) == 500);
}

TEST_CASE("a row below the ids of a removed tag is told from others", "[tag_record]") {
  SegmentRow row;
  row.tag = "order";
  row.max_id = 39;
  TagRecord record;
  CHECK_FALSE(is_below_removed(record, row));
  remove_in(record, 40, "ann", 7);
  CHECK(record.recalled == record.version);
  CHECK(is_below_removed(record, row));
  CHECK_THAT(below_removed(record, row).message(),
             Contains("was removed at 40") && Contains("starts at 39"));
  row.max_id = 40;
  CHECK_FALSE(is_below_removed(record, row));
  create_in(record, 10, 8);
  row.max_id = 0;
  CHECK_FALSE(is_below_removed(record, row));
}

}  // namespace featherid
