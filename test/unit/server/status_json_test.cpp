// SPDX-License-Identifier: MIT
#include "server/console/status_json.h"

#include <nlohmann/json.hpp>

#include "featherid/id_range.h"
#include "test/support/catch.h"

namespace featherid {

namespace {

using nlohmann::json;

TagStats stats_of(const std::string& tag, std::int64_t held_ids, double burn) {
  TagStats stats;
  stats.tag = tag;
  stats.held_ids = held_ids;
  stats.burn_ids_per_second = burn;
  return stats;
}

}  // namespace

TEST_CASE("the worst tag is the one that runs out first", "[status_json]") {
  const TagTotals totals =
      total({stats_of("idle", 10, 0), stats_of("slow", 1000, 1), stats_of("fast", 1000, 100)});
  CHECK(totals.tags == 3);
  CHECK(totals.worst_tag == "fast");
  CHECK(totals.survivable_seconds.value() == 10.0);
  CHECK(totals.ids_per_second == 101.0);
  CHECK(totals.held_ids == 2010);
  CHECK_FALSE(total({stats_of("idle", 10, 0)}).survivable_seconds);
}

TEST_CASE("a tag that has ended is failing, and not the worst of an outage", "[status_json]") {
  TagStats ended = stats_of("ended", 0, 5);
  ended.last_error = {StatusCode::kExhausted, "it has reached its cap"};
  const TagTotals totals = total({ended, stats_of("order", 50, 5)});
  CHECK(totals.worst_tag == "order");
  CHECK(totals.failing_count == 1);
  REQUIRE(totals.failing.size() == 1);
  CHECK(totals.failing[0].tag == "ended");
}

TEST_CASE("only the first few failing tags are named", "[status_json]") {
  TagStats failing = stats_of("a", 1, 1);
  failing.last_error = {StatusCode::kUnavailable, "down"};
  const TagTotals totals = total(std::vector<TagStats>(50, failing));
  CHECK(totals.failing_count == 50);
  CHECK(totals.failing.size() == TagTotals::kShown);
}

TEST_CASE("a tag's end is at the rate of all processes", "[status_json]") {
  TagStats tag = stats_of("order", 5, 1);
  tag.max_id = 1000;
  tag.cap = 4000;
  CHECK_FALSE(seconds_to_end(tag));
  tag.series_ids_per_second = 2;
  CHECK(seconds_to_end(tag).value() == 1500.0);
  const std::chrono::system_clock::time_point now{};
  CHECK(json::parse(tag_json(tag, IdsAs::kNumber, now))["ends_at"] == "1970-01-01T00:25:00Z");
  tag.cap = kIdMax;
  CHECK(json::parse(tag_json(tag, IdsAs::kNumber, now))["ends_at"].is_null());
  CHECK(json::parse(tag_json(tag, IdsAs::kNumber, now))["cap"].is_null());
}

TEST_CASE("tags near an end are named, those first of which most is used", "[status_json]") {
  const auto at = [](const std::string& name, std::int64_t max_id, std::int64_t cap) {
    TagStats tag = stats_of(name, 5, 1);
    tag.max_id = max_id;
    tag.cap = cap;
    return tag;
  };
  TagStats ended = at("ended", 100, 100);
  ended.last_error = {StatusCode::kExhausted, "it has reached its cap"};
  TagStats removed = at("removed", 95, 100);
  removed.last_error = {StatusCode::kNotFound, "no such tag"};
  ServerStatus status;
  TagStats capped = at("capped", 90, 100);
  capped.series_ids_per_second = 2;
  status.totals =
      total({at("far", 74, 100), at("int", 2000000000, kIdMax), capped, ended, removed});
  const json parsed = json::parse(status_json(status, IdsAs::kText));
  CHECK(parsed["failing"] == 1);  // what has ended is no warning any more
  CHECK(parsed["failing_tags"][0]["state"] == "exhausted");
  CHECK(parsed["ending"] == 2);
  REQUIRE(parsed["ending_tags"].size() == 2);
  CHECK(parsed["ending_tags"][0]["biz_tag"] == "int");
  CHECK(parsed["ending_tags"][0]["end"] == "int32");
  CHECK(parsed["ending_tags"][0]["last_id"] == "2147483647");
  CHECK(parsed["ending_tags"][0]["ends_at"].is_null());
  CHECK(parsed["ending_tags"][1]["end"] == "cap");
  CHECK(parsed["ending_tags"][1]["share"] == 0.9);
  CHECK(parsed["ending_tags"][1]["ends_at"] == "1970-01-01T00:00:05Z");
  std::vector<TagStats> many;
  for (int i = 0; i < 50; ++i) many.push_back(at(std::to_string(i), 750 + i, 1000));
  const TagTotals totals = total(many);
  CHECK(totals.ending_count == 50);
  REQUIRE(totals.ending.size() == TagTotals::kShown);
  CHECK(totals.ending.front().tag == "49");
  CHECK(totals.ending.back().tag == "40");
}

TEST_CASE("a tag without a lease has no latency, and is not said to have one of 0",
          "[status_json]") {
  TagStats tag = stats_of("order", 0, 0);
  CHECK(json::parse(tag_json(tag, IdsAs::kNumber, {}))["lease_ms"].is_null());
  tag.leases = 1;
  tag.last_lease_latency = std::chrono::microseconds(2500);
  CHECK(json::parse(tag_json(tag, IdsAs::kNumber, {}))["lease_ms"] == 2.5);
}

TEST_CASE("each error has its state", "[status_json]") {
  TagStats tag = stats_of("order", 0, 1);
  const auto state = [&](StatusCode code) {
    tag.last_error = code == StatusCode::kOk ? Status() : Status(code, "why");
    return json::parse(tag_json(tag, IdsAs::kText, {}))["state"].get<std::string>();
  };
  CHECK(state(StatusCode::kOk) == "ok");
  CHECK(state(StatusCode::kExhausted) == "exhausted");
  CHECK(state(StatusCode::kDataLoss) == "stopped");
  CHECK(state(StatusCode::kNotFound) == "deleted");
  CHECK(state(StatusCode::kUnavailable) == "failing");
}

TEST_CASE("a long warning is cut", "[status_json]") {
  ServerStatus status;
  status.warnings.push_back({{}, spdlog::level::warn, std::string(5000, 'x') + "\xE4"});
  const json parsed = json::parse(status_json(status, IdsAs::kNumber));
  CHECK(parsed["warnings"][0]["text"].get<std::string>().size() == 2000);
  CHECK(parsed["warnings"][0]["level"] == "warn");
}

}  // namespace featherid
