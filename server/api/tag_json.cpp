// SPDX-License-Identifier: MIT
#include "server/api/tag_json.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdint>

#include "lib/store/period_rules.h"
#include "server/log/json.h"
#include "server/store/order.h"

namespace featherid {

namespace {

std::string number(std::int64_t id, bool quoted) {
  const std::string digits = std::to_string(id);
  return quoted ? '"' + digits + '"' : digits;
}

// null for the time 0, which means that nobody has recorded it.
std::string recorded(std::chrono::system_clock::time_point at) {
  return at.time_since_epoch().count() == 0 ? "null" : json_time(at);
}

std::string text_or_null(const std::string& text) {
  return text.empty() ? "null" : json_string(text);
}

std::string floor_json(const TagInfo& tag, bool quoted) {
  const TimeFloor& floor = tag.floor;
  if (!floor.is_set()) return "null";
  const bool known = tag.read_at != WallTime();
  return fmt::format(
      R"({{"rate":{},"epoch":{},"lead_max":{},"lead_only_warns":{},"since_id":{},"lead_seconds":{}}})",
      floor.rate, floor.epoch_s, floor.lead_max_s, floor.lead_only_warns,
      number(floor.since_id, quoted),
      known ? fmt::format("{:.3f}", lead_seconds(floor, tag.max_id, tag.read_at)) : "null");
}

// With milliseconds.
std::string exact_time(WallTime at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  std::string json = json_time(second);
  json.insert(json.size() - 2, fmt::format(".{:03}", (at - second).count()));  // before Z"
  return json;
}

}  // namespace

std::string lease_time_json(const std::string& tag, std::int64_t id, const LeaseTime& time,
                            bool quoted) {
  return fmt::format(R"({{"biz_tag":{},"id":{},"from":{},"until":{}}})", json_string(tag),
                     number(id, quoted), exact_time(time.from), exact_time(time.until));
}

std::string tag_json(const TagInfo& tag, bool quoted) {
  return fmt::format(R"({{"biz_tag":{},"max_id":{},"step":{},"cap":{},"order":"{}",)"
                     R"("format":{},"scramble":{},"description":{},"owner":{},)"
                     R"("created_by":{},"created_at":{},"changed_by":{},"changed_at":{},)"
                     R"("floor":{},"period":{},"period_offset":{}}})",
                     json_string(tag.tag), number(tag.max_id, quoted), tag.step,
                     tag.cap < kIdMax ? number(tag.cap, quoted) : "null", order_word(tag.order),
                     text_or_null(tag.format), text_or_null(tag.scramble),
                     json_string(tag.description), json_string(tag.owner),
                     json_string(tag.created_by), recorded(tag.created_at),
                     json_string(tag.changed_by), recorded(tag.changed_at), floor_json(tag, quoted),
                     tag.period.is_set() ? json_string(period_word(tag.period.kind)) : "null",
                     tag.period.offset_minutes);
}

}  // namespace featherid
