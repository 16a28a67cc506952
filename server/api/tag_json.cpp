// SPDX-License-Identifier: MIT
#include "server/api/tag_json.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdint>
#include <ctime>

#include "server/log/json.h"

namespace featherid {

namespace {

std::string number(std::int64_t id, bool quoted) {
  const std::string digits = std::to_string(id);
  return quoted ? '"' + digits + '"' : digits;
}

// RFC 3339, or null for the time 0, which means that nobody has recorded it.
std::string time_json(std::chrono::system_clock::time_point at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  if (seconds == 0 || ::gmtime_r(&seconds, &utc) == nullptr) return "null";
  return fmt::format("\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z\"", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string tag_json(const TagInfo& tag, bool quoted) {
  return fmt::format(R"({{"biz_tag":{},"max_id":{},"step":{},"cap":{},"description":{},"owner":{},)"
                     R"("created_by":{},"created_at":{},"changed_by":{},"changed_at":{}}})",
                     json_string(tag.tag), number(tag.max_id, quoted), tag.step,
                     tag.cap < kIdMax ? number(tag.cap, quoted) : "null",
                     json_string(tag.description), json_string(tag.owner),
                     json_string(tag.created_by), time_json(tag.created_at),
                     json_string(tag.changed_by), time_json(tag.changed_at));
}

}  // namespace featherid
