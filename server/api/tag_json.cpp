// SPDX-License-Identifier: MIT
#include "server/api/tag_json.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdint>

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

}  // namespace

std::string tag_json(const TagInfo& tag, bool quoted) {
  return fmt::format(R"({{"biz_tag":{},"max_id":{},"step":{},"cap":{},"order":"{}",)"
                     R"("format":{},"scramble":{},"description":{},"owner":{},)"
                     R"("created_by":{},"created_at":{},"changed_by":{},"changed_at":{}}})",
                     json_string(tag.tag), number(tag.max_id, quoted), tag.step,
                     tag.cap < kIdMax ? number(tag.cap, quoted) : "null", order_word(tag.order),
                     text_or_null(tag.format), text_or_null(tag.scramble),
                     json_string(tag.description), json_string(tag.owner),
                     json_string(tag.created_by), recorded(tag.created_at),
                     json_string(tag.changed_by), recorded(tag.changed_at));
}

}  // namespace featherid
