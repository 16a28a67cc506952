// SPDX-License-Identifier: MIT
#include "lib/store/etcd/stored_tag.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "lib/store/period_rules.h"

namespace featherid {

namespace {

using Json = nlohmann::json;

constexpr const char* kStrict = "strict";

struct Malformed : std::runtime_error {
  Malformed() : std::runtime_error("not a value of FeatherID") {}
};

std::int64_t number_at(const Json& object, const char* name, std::int64_t otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!found->is_number_integer()) throw Malformed();
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > kMax) throw Malformed();
  return found->get<std::int64_t>();
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  if (!found->is_string()) throw Malformed();
  return found->get<std::string>();
}

TimeFloor floor_at(const Json& object) {
  TimeFloor floor;
  const auto found = object.find("floor");
  if (found == object.end()) return floor;
  if (!found->is_object()) throw Malformed();
  floor.rate = number_at(*found, "rate", 0);
  floor.epoch_s = number_at(*found, "epoch", 0);
  floor.lead_max_s = number_at(*found, "lead_max", floor.lead_max_s);
  floor.lead_only_warns = found->value("lead_only_warns", false);
  floor.since_id = number_at(*found, "since_id", 0);
  if (!check_floor_change(as_change(floor)).ok()) throw Malformed();
  return floor;
}

TagRecord record_of(std::string_view tag, const Json& json) {
  TagRecord record;
  record.tag = tag;
  record.version = number_at(json, "change", 0);
  record.recalled = number_at(json, "recalled", 0);
  record.cap = number_at(json, "cap", kIdMax);
  record.removed_max_id = number_at(json, "removed_max_id", -1);
  record.description = text_at(json, "description");
  record.owner = text_at(json, "owner");
  record.created_by = text_at(json, "created_by");
  record.created_at = number_at(json, "created_at", 0);
  record.changed_by = text_at(json, "changed_by");
  record.changed_at = number_at(json, "changed_at", 0);
  record.order = text_at(json, "order") == kStrict ? TagOrder::kStrict : TagOrder::kPlain;
  record.format = text_at(json, "format");
  record.scramble = text_at(json, "scramble");
  record.floor = floor_at(json);
  if (const std::string word = text_at(json, "period"); !word.empty()) {
    const Result<PeriodKind> kind = parse_period_kind(word);
    if (!kind.ok()) throw Malformed();
    record.period =
        to_period_rule(static_cast<std::int64_t>(*kind), number_at(json, "period_offset", 0));
  }
  record.period_gone = number_at(json, "period_gone", 0);
  return record;
}

// Sets the member, or removes it if it says what its absence does.
template <typename T>
void put(Json& json, const char* name, const T& value, const T& otherwise) {
  if (value == otherwise) {
    json.erase(name);
  } else {
    json[name] = value;
  }
}

void put_record(Json& json, const TagRecord& record) {
  const std::string none;
  const std::int64_t zero = 0;
  json["change"] = record.version;
  put(json, "recalled", record.recalled, zero);
  put(json, "cap", record.cap, kIdMax);
  put<std::int64_t>(json, "removed_max_id", record.removed_max_id, -1);
  put(json, "description", record.description, none);
  put(json, "owner", record.owner, none);
  put(json, "created_by", record.created_by, none);
  put(json, "created_at", record.created_at, zero);
  put(json, "changed_by", record.changed_by, none);
  put(json, "changed_at", record.changed_at, zero);
  put<std::string>(json, "order", record.order == TagOrder::kStrict ? kStrict : "", none);
  put(json, "format", record.format, none);
  put(json, "scramble", record.scramble, none);
  const TimeFloor& floor = record.floor;
  if (floor.is_set()) {
    json["floor"] = {{"rate", floor.rate},
                     {"epoch", floor.epoch_s},
                     {"lead_max", floor.lead_max_s},
                     {"lead_only_warns", floor.lead_only_warns},
                     {"since_id", floor.since_id}};
  }
  if (record.period.is_set()) {
    json["period"] = period_word(record.period.kind);
    json["period_offset"] = record.period.offset_minutes;
  }
  put(json, "period_gone", record.period_gone, zero);
}

}  // namespace

std::string StoredTag::text() const {
  Json now = json;
  if (row) {
    now["max_id"] = row->max_id;
    now["step"] = row->step;
  } else {
    now.erase("max_id");
    now.erase("step");
  }
  if (record) put_record(now, *record);
  return now.dump();
}

Result<StoredTag> read_stored_tag(std::string_view tag, const std::string& value,
                                  const std::string& key) {
  StoredTag stored;
  stored.tag = tag;
  try {
    stored.json = Json::parse(value);
    if (!stored.json.is_object()) throw Malformed();
    const TagRecord record = record_of(tag, stored.json);
    if (stored.json.contains("max_id")) {
      SegmentRow row{std::string(tag),
                     number_at(stored.json, "max_id", 0),
                     number_at(stored.json, "step", 0),
                     record.cap,
                     record.order,
                     record.floor};
      row.period = record.period;
      stored.row = std::move(row);
    }
    // Whatever else the value says is the record's, also if a person wrote it.
    const std::size_t of_row = stored.json.count("max_id") + stored.json.count("step");
    if (stored.json.size() > of_row) stored.record = record;
    return stored;
  } catch (const Json::exception&) {
  } catch (const Malformed&) {
  }
  return Status(
      StatusCode::kFailedPrecondition,
      "the value of the key " + key +
          R"( is not one of FeatherID's; correct it, such as {"max_id":12000,"step":1000})");
}

}  // namespace featherid
