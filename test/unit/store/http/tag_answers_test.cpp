// SPDX-License-Identifier: MIT
#include "lib/store/http/tag_answers.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

using nlohmann::json;

namespace {

std::string text_of(const ApiClient::Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" + value;
  }
  return text;
}

}  // namespace

TEST_CASE("a tag is read from an answer", "[tag_answers]") {
  const TagInfo tag = tag_info_of(json::parse(R"({"biz_tag":"号","max_id":9223372036854775806,
      "step":-7,"cap":2147483647,"order":"strict","format":"A{id}","scramble":"9digits",
      "description":"d","owner":"o","created_by":"ann","created_at":"2026-11-29T19:00:00Z",
      "changed_by":"bob","changed_at":null,
      "floor":{"rate":1000,"epoch":1700000000,"lead_max":20,"lead_only_warns":true,"since_id":5,
               "lead_seconds":null}})"));
  CHECK(tag.tag == "号");
  CHECK(tag.max_id == kIdMax);
  CHECK(tag.step == -7);
  CHECK(tag.cap == 2147483647);
  CHECK(tag.order == TagOrder::kStrict);
  CHECK(tag.format == "A{id}");
  CHECK(tag.scramble == "9digits");
  CHECK(tag.description == "d");
  CHECK(tag.owner == "o");
  CHECK(tag.created_by == "ann");
  CHECK(std::chrono::system_clock::to_time_t(tag.created_at) == 1795978800);
  CHECK(tag.changed_by == "bob");
  CHECK(tag.changed_at == std::chrono::system_clock::time_point());
  CHECK(tag.floor.rate == 1000);
  CHECK(tag.floor.epoch_s == 1700000000);
  CHECK(tag.floor.lead_max_s == 20);
  CHECK(tag.floor.lead_only_warns);
  CHECK(tag.floor.since_id == 5);
  CHECK(tag.read_at == WallTime());
}

TEST_CASE("what an older server does not know is as it is by default", "[tag_answers]") {
  const TagInfo tag = tag_info_of(json::parse(R"({"biz_tag":"a","max_id":5,"step":10})"));
  CHECK(tag.cap == kIdMax);
  CHECK(tag.order == TagOrder::kPlain);
  CHECK_FALSE(tag.floor.is_set());
  CHECK(tag.format.empty());
  CHECK_THROWS_AS(tag_info_of(json::parse(R"({"biz_tag":"a"})")), json::exception);
}

TEST_CASE("the time of a tag with a floor follows from its lead", "[tag_answers]") {
  const TagInfo tag = tag_info_of(json::parse(R"({"biz_tag":"a","max_id":61000,"step":10,
      "floor":{"rate":1000,"epoch":1700000000,"lead_max":20,"lead_only_warns":false,"since_id":0,
               "lead_seconds":1.5}})"));
  CHECK(tag.read_at.time_since_epoch().count() == 1700000059500);
}

TEST_CASE("a row and a store are read from answers about leases", "[tag_answers]") {
  const SegmentRow row = row_of(json::parse(R"({"biz_tag":"a","max_id":5,"step":10,"cap":null,
      "order":"plain","floor":{"rate":1000,"epoch":1700000000,"lead_max":20,
      "lead_only_warns":false,"since_id":0},"read_at_ms":1700000059500})"));
  CHECK(row.tag == "a");
  CHECK(row.max_id == 5);
  CHECK(row.floor.rate == 1000);
  CHECK(row.read_at.time_since_epoch().count() == 1700000059500);
  const StoreIdentity store = store_of(json::parse(R"({"store":"abc","term":"9007199254740993"})"));
  CHECK(store.name == "abc");
  CHECK(store.term == 9007199254740993);
  CHECK_THROWS_AS(store_of(json::parse(R"({"store":"abc","term":5})")), json::exception);
  CHECK_THROWS_AS(store_of(json::parse(R"({"store":"abc","term":"x"})")), json::exception);
}

TEST_CASE("a clock that no store shows is refused", "[tag_answers]") {
  const auto row = [](const std::string& read_at) {
    return json::parse(R"({"biz_tag":"a","max_id":"5","step":"10","cap":"7","order":"plain",
        "period":"day","period_offset":0,"floor":null,"read_at_ms":)" +
                       read_at + "}");
  };
  CHECK(row_of(row("253402300799999")).read_at.time_since_epoch().count() == 253402300799999);
  CHECK(row_of(row("\"5\"")).cap == 7);
  CHECK(row_of(row("null")).read_at == WallTime());
  for (const char* bad : {"253402300800000", "9223372036854775807", "-1", "1.5", "true"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(row_of(row(bad)), json::exception);
  }
  const auto info = [](const std::string& epoch, const std::string& lead) {
    return json::parse(R"({"biz_tag":"a","max_id":61000,"step":10,"floor":{"rate":1000,"epoch":)" +
                       epoch + R"(,"lead_max":20,"lead_only_warns":false,"since_id":0,
        "lead_seconds":)" +
                       lead + "}}");
  };
  CHECK_THROWS_AS(tag_info_of(info("9223372036854775807", "0")), json::exception);
  CHECK_THROWS_AS(tag_info_of(info("0", "1e300")), json::exception);
}

TEST_CASE("a new tag and a change are asked for with what they set", "[tag_answers]") {
  CHECK(text_of(parameters_of("a", NewTag(10))) == "biz_tag=a step=10");
  NewTag made(10);
  made.max_id = 5;
  made.automatic = true;
  made.options = {"d", "o", 100, TagOrder::kStrict, "A{id}", "9digits"};
  made.options.floor.rate = 1000;
  CHECK(text_of(parameters_of("a", made)) ==
        "biz_tag=a step=10 cap=100 order=strict format=A{id} scramble=9digits description=d "
        "owner=o floor_rate=1000 floor_epoch=0 floor_lead_max=10 floor_only_warns=no max_id=5 "
        "automatic=yes");
  TagChange change;
  CHECK(text_of(parameters_of("a", change)) == "biz_tag=a");
  change = TagChange(7);
  change.cap = kIdMax;
  change.owner = "";
  change.order = TagOrder::kPlain;
  change.floor.lead_only_warns = true;
  CHECK(text_of(parameters_of("a", change)) ==
        "biz_tag=a step=7 cap=none order=plain owner= floor_only_warns=yes");
}

}  // namespace featherid
