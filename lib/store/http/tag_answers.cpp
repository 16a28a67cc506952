// SPDX-License-Identifier: MIT
#include "lib/store/http/tag_answers.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>

#include "lib/store/http/api_answer.h"
#include "lib/store/period_rules.h"
#include "lib/store/store_arguments.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

namespace {

using Json = nlohmann::json;
using Parameters = ApiClient::Parameters;

constexpr const char* kStrict = "strict";
constexpr const char* kPlain = "plain";

const char* order_text(TagOrder order) { return order == TagOrder::kStrict ? kStrict : kPlain; }
std::string cap_text(std::int64_t cap) { return cap == kIdMax ? "none" : std::to_string(cap); }

std::chrono::system_clock::time_point time_at(const Json& object, const char* name) {
  std::tm parts{};
  const std::string text = text_at(object, name);
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// A time by the store's clock. Later ones are in no period.
WallTime clock_at(double ms) {
  constexpr double kEndOfYear9999Ms = 253402300800000;
  if (!(ms >= 0 && ms < kEndOfYear9999Ms)) throw NotOfThisApi();
  return WallTime(std::chrono::milliseconds(std::llround(ms)));
}

// The members of a row that both calls have.
void read_row(const Json& tag, SegmentRow* row) {
  row->tag = tag.at("biz_tag").get<std::string>();
  row->max_id = integer_at(tag, "max_id");
  row->step = integer_at(tag, "step");
  const auto cap = tag.find("cap");
  row->cap = cap != tag.end() && !cap->is_null() ? integer_at(tag, "cap") : kIdMax;
  row->order = text_at(tag, "order") == kStrict ? TagOrder::kStrict : TagOrder::kPlain;
  const Result<PeriodKind> period = parse_period_kind(text_at(tag, "period"));
  if (period.ok()) {
    row->period =
        to_period_rule(static_cast<std::int64_t>(*period), integer_at(tag, "period_offset"));
  }
  const auto floor = tag.find("floor");
  if (floor == tag.end() || !floor->is_object()) return;
  row->floor = {integer_at(*floor, "rate"), integer_at(*floor, "epoch"),
                integer_at(*floor, "lead_max"), floor->at("lead_only_warns").get<bool>(),
                integer_at(*floor, "since_id")};
}

// The time at which the floor was as far behind max_id as the answer says.
void read_lead(const Json& tag, TagInfo* info) {
  if (!info->floor.is_set()) return;
  const Json& lead = tag.at("floor").at("lead_seconds");
  if (!lead.is_number()) return;
  const double reached = static_cast<double>(info->max_id) / static_cast<double>(info->floor.rate);
  const double since_epoch = reached - lead.get<double>();
  info->read_at = clock_at(1000 * (static_cast<double>(info->floor.epoch_s) + since_epoch));
}

void add_floor(const TimeFloorChange& change, Parameters* parameters) {
  const auto add = [&](const char* name, const std::optional<std::int64_t>& number) {
    if (number) parameters->emplace_back(name, std::to_string(*number));
  };
  add("floor_rate", change.rate);
  add("floor_epoch", change.epoch_s);
  add("floor_lead_max", change.lead_max_s);
  if (change.lead_only_warns) {
    parameters->emplace_back("floor_only_warns", *change.lead_only_warns ? "yes" : "no");
  }
}

}  // namespace

TagInfo tag_info_of(const Json& tag) {
  TagInfo info;
  read_row(tag, &info);
  read_lead(tag, &info);
  info.format = text_at(tag, "format");
  info.scramble = text_at(tag, "scramble");
  info.description = text_at(tag, "description");
  info.owner = text_at(tag, "owner");
  info.created_by = text_at(tag, "created_by");
  info.created_at = time_at(tag, "created_at");
  info.changed_by = text_at(tag, "changed_by");
  info.changed_at = time_at(tag, "changed_at");
  return info;
}

SegmentRow row_of(const Json& row) {
  SegmentRow read;
  read_row(row, &read);
  if (!row.at("read_at_ms").is_null()) {
    read.read_at = clock_at(static_cast<double>(integer_at(row, "read_at_ms")));
  }
  return read;
}

StoreIdentity store_of(const Json& data) {
  StoreIdentity store;
  store.name = data.at("store").get<std::string>();
  store.term = integer_at(data, "term");
  // Without a name, no other store would be noticed.
  const bool named = !store.name.empty() && check_text("store", store.name).ok();
  if (!named || !data.at("term").is_string() || store.term < 0) throw NotOfThisApi();
  return store;
}

Parameters parameters_of(std::string_view tag, const NewTag& made) {
  Parameters parameters = {{"biz_tag", std::string(tag)}, {"step", std::to_string(made.step)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  const TagOptions& options = made.options;
  if (options.cap != kIdMax) add("cap", cap_text(options.cap));
  if (options.order != TagOrder::kPlain) add("order", order_text(options.order));
  add("format", options.format);
  add("scramble", options.scramble);
  add("description", options.description);
  add("owner", options.owner);
  add_floor(as_change(options.floor), &parameters);
  if (options.period.is_set()) {
    add("period", period_word(options.period.kind));
    add("period_offset", std::to_string(options.period.offset_minutes));
  }
  if (made.max_id > 0) add("max_id", std::to_string(made.max_id));
  if (made.automatic) add("automatic", "yes");
  return parameters;
}

Parameters parameters_of(std::string_view tag, const TagChange& change) {
  Parameters parameters = {{"biz_tag", std::string(tag)}};
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    if (value) parameters.emplace_back(name, *value);
  };
  if (change.step) add("step", std::to_string(*change.step));
  if (change.cap) add("cap", cap_text(*change.cap));
  if (change.order) add("order", order_text(*change.order));
  add("format", change.format);
  add("scramble", change.scramble);
  add("description", change.description);
  add("owner", change.owner);
  add_floor(change.floor, &parameters);
  return parameters;
}

}  // namespace featherid
