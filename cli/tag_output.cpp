// SPDX-License-Identifier: MIT
#include "cli/tag_output.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <limits>

#include "lib/store/period_rules.h"
#include "lib/store/time_floor_rules.h"
#include "server/store/order.h"

namespace featherid {

namespace {

Value share_of(std::int64_t max_id, std::int64_t last_id) {
  const auto id = static_cast<double>(std::max<std::int64_t>(0, max_id));
  const auto last = static_cast<double>(last_id);
  return Value::fraction(id / last, max_id > last_id ? "passed" : percent_text(id, last));
}

Value cap_of(const SegmentRow& row) { return row.cap == kIdMax ? Value::none() : Value(row.cap); }

// The second, in UTC.
std::string second_of(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts)};
}

Value time_of(std::chrono::system_clock::time_point time) {
  if (time.time_since_epoch().count() == 0) return Value::none();
  return second_of(time) + 'Z';
}

Value text_of(const std::string& text) { return text.empty() ? Value::none() : Value(text); }

// How far the tag is ahead of its floor.
Value lead_of(const TagInfo& row) {
  if (row.read_at == WallTime()) return Value::none();
  const double lead = lead_seconds(row.floor, row.max_id, row.read_at);
  return Value::fraction(lead, seconds_text(lead));
}

void add_floor(const TagInfo& row, Record* record) {
  const TimeFloor& floor = row.floor;
  if (!floor.is_set()) {
    record->emplace_back("floor_rate", Value::none());
    return;
  }
  record->insert(record->end(), {{"floor_rate", floor.rate},
                                 {"floor_epoch", floor.epoch_s},
                                 {"floor_lead_max", floor.lead_max_s},
                                 {"floor_only_warns", floor.lead_only_warns},
                                 {"floor_since_id", floor.since_id},
                                 {"floor_lead_seconds", lead_of(row)}});
}

Value exact_time(WallTime at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>((at - second).count()));
  return second_of(second) + fraction;
}

}  // namespace

Record summary_of(const TagInfo& row) {
  return {{"tag", row.tag},
          {"max_id", row.max_id},
          {"step", row.step},
          {"cap", cap_of(row)},
          {"of_cap", row.cap == kIdMax ? Value::none() : share_of(row.max_id, row.cap)},
          {"of_int32", share_of(row.max_id, std::numeric_limits<std::int32_t>::max())},
          {"of_2^53", share_of(row.max_id, std::int64_t{1} << 53)}};
}

Record record_of(const TagInfo& row) {
  Record record = summary_of(row);
  record.insert(record.end(), {{"order", order_word(row.order)},
                               {"format", text_of(row.format)},
                               {"scramble", text_of(row.scramble)},
                               {"description", text_of(row.description)},
                               {"owner", text_of(row.owner)},
                               {"created_by", text_of(row.created_by)},
                               {"created_at", time_of(row.created_at)},
                               {"changed_by", text_of(row.changed_by)},
                               {"changed_at", time_of(row.changed_at)}});
  add_floor(row, &record);
  const bool has_period = row.period.is_set();
  record.emplace_back("period", has_period ? Value(period_word(row.period.kind)) : Value::none());
  if (has_period) record.emplace_back("period_offset", std::int64_t{row.period.offset_minutes});
  return record;
}

Record lease_time_record(const std::string& tag, std::int64_t id, const LeaseTime& time) {
  return {
      {"tag", tag}, {"id", id}, {"from", exact_time(time.from)}, {"until", exact_time(time.until)}};
}

}  // namespace featherid
