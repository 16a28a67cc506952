// SPDX-License-Identifier: MIT
#include "lib/store/etcd/stored_tag.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

StoredTag read(const std::string& value) {
  Result<StoredTag> stored = read_stored_tag("order", value, "/x/tags/order");
  INFO(stored.status());
  REQUIRE(stored.ok());
  return *std::move(stored);
}

}  // namespace

TEST_CASE("a value that a person writes is a row", "[stored_tag]") {
  const StoredTag stored = read(R"({"max_id": 12000, "step": 1000})");
  REQUIRE(stored.row);
  CHECK(stored.row->tag == "order");
  CHECK(stored.row->max_id == 12000);
  CHECK(stored.row->step == 1000);
  CHECK(stored.row->cap == kIdMax);
  CHECK_FALSE(stored.record);
  CHECK(stored.text() == R"({"max_id":12000,"step":1000})");
  CHECK(read(R"({"max_id":1,"cap":7})").record->cap == 7);
  CHECK(read(R"({"max_id":1,"cap":7})").row->cap == 7);
}

TEST_CASE("row and record come back as they went in", "[stored_tag]") {
  StoredTag stored;
  stored.tag = "order";
  stored.row = SegmentRow{"order", 77, 5};
  TagRecord record;
  record.tag = "order";
  record.version = 12;
  record.recalled = 11;
  record.cap = 1000000;
  record.description = "号 \"x\"";
  record.owner = "them";
  record.created_by = "a";
  record.created_at = 5;
  record.changed_by = "b";
  record.changed_at = 6;
  record.order = TagOrder::kStrict;
  record.format = "{id}";
  record.scramble = "9digits";
  record.floor = {10, 20, 30, true, 40};
  record.period = {PeriodKind::kMonth, -60};
  record.period_gone = 20260100;
  stored.record = record;
  const std::string text = stored.text();
  const StoredTag again = read(text);
  CHECK(again.text() == text);
  REQUIRE(again.record);
  CHECK(again.record->version == 12);
  CHECK(again.record->recalled == 11);
  CHECK(again.record->removed_max_id == -1);
  CHECK(again.record->description == "号 \"x\"");
  CHECK(again.record->order == TagOrder::kStrict);
  CHECK(again.record->floor.since_id == 40);
  CHECK(again.record->floor.lead_only_warns);
  CHECK(again.record->period == record.period);
  CHECK(again.record->period_gone == 20260100);
  CHECK(again.row->cap == 1000000);
  CHECK(again.row->order == TagOrder::kStrict);
  CHECK(again.row->floor.rate == 10);
  CHECK(again.row->period == record.period);
}

TEST_CASE("a removed tag is remembered without a row", "[stored_tag]") {
  StoredTag stored = read(R"({"max_id":500,"step":10,"change":3})");
  stored.row.reset();
  stored.record->removed_max_id = 500;
  const StoredTag again = read(stored.text());
  CHECK_FALSE(again.row);
  CHECK(again.record->removed_max_id == 500);
}

TEST_CASE("what a later version adds stays", "[stored_tag]") {
  StoredTag stored = read(R"({"max_id":1,"step":2,"change":1,"colour":["red"],"owner":"x"})");
  stored.row->max_id = 9;
  stored.record->owner = "";
  CHECK(stored.text() == R"({"change":1,"colour":["red"],"max_id":9,"step":2})");
}

TEST_CASE("a value of another kind is refused", "[stored_tag]") {
  for (const char* const value :
       {"", "5", "[]", "null", "{", "{\"max_id\":\"5\"}", "{\"max_id\":5.0,\"step\":1}",
        "{\"max_id\":9223372036854775808,\"step\":1}", "{\"max_id\":null}",
        "{\"max_id\":5,\"step\":1,\"cap\":\"none\"}", "{\"max_id\":5,\"owner\":7}",
        "{\"max_id\":5,\"floor\":7}", "{\"max_id\":5,\"floor\":{\"rate\":-5}}",
        "{\"max_id\":5,\"floor\":{\"rate\":9000000000000000000}}",
        "{\"max_id\":5,\"floor\":{\"rate\":5,\"epoch\":9000000000000000000}}",
        "{\"max_id\":5,\"period\":\"week\"}", "\xFF"}) {
    CAPTURE(value);
    const Status status = read_stored_tag("order", value, "/x/tags/order").status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(status.message().find("/x/tags/order") != std::string::npos);
  }
  CHECK(read(R"({"max_id":-9223372036854775808,"step":-1})").row->step == -1);
}

}  // namespace featherid
