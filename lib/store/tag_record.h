// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_TAG_RECORD_H_
#define FEATHERID_LIB_STORE_TAG_RECORD_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/id_format.h"
#include "featherid/tag_admin.h"
#include "lib/format/scramble_domain.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

// What a store keeps of a tag beside its row: a row of the table id_tags. A tag without one is
// plain. The record of a tag that was removed stays.
struct TagRecord {
  std::string tag;
  std::int64_t version = 0;   // the number of its last change
  std::int64_t recalled = 0;  // of the last one that made processes drop what they held; 0: none
  std::int64_t cap = kIdMax;
  std::int64_t removed_max_id = -1;  // where the row was when it was removed; -1: it exists
  std::string description;
  std::string owner;
  std::string created_by;
  std::int64_t created_at = 0;  // Unix time, in seconds; 0: nobody has recorded it
  std::string changed_by;
  std::int64_t changed_at = 0;
  TagOrder order = TagOrder::kPlain;
  std::string format = {};
  std::string scramble = {};
  TimeFloor floor = {};
  PeriodRule period = {};
  // Of a tag with periods: the newest one whose row was removed because it is old, as a number();
  // how many failovers are noted here, and when the last of them was, in ms of Unix time.
  std::int64_t period_gone = 0;
  std::int64_t period_failovers = 0;
  std::int64_t period_lost_at = 0;
};

// Adds what the record says to processes that know the changes up to `after`.
inline void add_limit(const TagRecord& record, std::int64_t after, TagChanges* changes) {
  const std::int64_t limit = record.recalled > after ? 0 : record.cap;
  if (record.version > after && limit < kIdMax) changes->limits.push_back({record.tag, limit});
}

// After which change to look for what a process that knows `version` does not know. A store that
// went backwards counts some numbers again.
inline std::int64_t known_change(std::int64_t version, std::int64_t newest) {
  return version > newest ? 0 : version;
}

inline TagInfo tag_info(const SegmentRow& row, const TagRecord& record) {
  using std::chrono::seconds;
  using Time = std::chrono::system_clock::time_point;
  return {row,
          record.description,
          record.owner,
          record.format,
          record.scramble,
          record.created_by,
          Time(seconds(record.created_at)),
          record.changed_by,
          Time(seconds(record.changed_at))};
}

// Whether the row of a removed tag, which somebody made past the store, would begin its series
// again.
inline bool is_below_removed(const TagRecord& record, const SegmentRow& row) {
  return record.removed_max_id > row.max_id;
}

// `table`: what messages call the table of the rows.
inline Status below_removed(const TagRecord& record, const SegmentRow& row,
                            const std::string& table = "id_segments") {
  const std::string at = std::to_string(record.removed_max_id);
  return {StatusCode::kFailedPrecondition,
          "tag '" + row.tag + "' was removed at " + at + ", and its new row in " + table +
              " starts at " + std::to_string(row.max_id) +
              "; move it past its old ids: featherid advance TAG " + at};
}

inline Status cap_below(std::string_view tag, std::int64_t cap, std::int64_t max_id) {
  return {StatusCode::kInvalidArgument, "the cap " + std::to_string(cap) + " of tag '" +
                                            std::string(tag) + "' is below its max_id " +
                                            std::to_string(max_id) + "; use a higher one"};
}

// The max_id of a new row. `record`: of the tag's name, if it has one. `after_failovers`: as many
// ids as the failovers so far may have lost.
inline Result<std::int64_t> first_max_id(std::string_view tag, const NewTag& made,
                                         const std::optional<TagRecord>& record,
                                         std::int64_t after_failovers) {
  if (made.automatic && record) {
    return Status(StatusCode::kNotFound, "tag '" + std::string(tag) +
                                             "' was removed, so it is not created automatically; "
                                             "create it: featherid tag create");
  }
  const std::int64_t max_id = std::max(
      {made.max_id, made.automatic ? after_failovers : 0, record ? record->removed_max_id : 0});
  if (made.options.cap < max_id) return cap_below(tag, made.options.cap, max_id);
  return max_id;
}

// Processes that hold ids of the tag drop them: under strict order none are held.
inline void set_order(TagRecord& record, TagOrder order) {
  if (order == TagOrder::kStrict && record.order != order) record.recalled = record.version;
  record.order = order;
}

inline void create_in(TagRecord& record, const NewTag& made, std::int64_t now) {
  record.cap = made.options.cap;
  set_order(record, made.options.order);
  record.removed_max_id = -1;
  record.description = made.options.description;
  record.owner = made.options.owner;
  record.format = made.options.format;
  record.scramble = made.options.scramble;
  record.period = made.options.period;
  record.created_by = record.changed_by = made.by;
  record.created_at = record.changed_at = now;
}

inline void change_in(TagRecord& record, const TagChange& change, std::int64_t now) {
  if (change.cap) record.cap = *change.cap;
  if (change.order) set_order(record, *change.order);
  if (change.description) record.description = *change.description;
  if (change.owner) record.owner = *change.owner;
  if (change.format) record.format = *change.format;
  if (change.scramble) record.scramble = *change.scramble;
  record.changed_by = change.by;
  record.changed_at = now;
}

inline Date first_day_of(const Period& period) {
  return {period.year, std::max(period.month, 1), std::max(period.day, 1)};
}

// The finest part of a date that texts of the format show; kNone: none.
inline PeriodKind date_shown_by(const IdFormat& format) {
  const auto differs = [&](const Date& other) {
    return *format.format(1, {2027, 1, 1}) != *format.format(1, other);
  };
  if (differs({2027, 1, 2})) return PeriodKind::kDay;
  if (differs({2027, 2, 1})) return PeriodKind::kMonth;
  return differs({2028, 1, 1}) ? PeriodKind::kYear : PeriodKind::kNone;
}

// A text shows no more of the date than its period says. A scrambled one shows all of that, because
// it can only be read back with the period.
inline Status check_period_format(const TagRecord& record) {
  const std::string pattern = record.format.empty() ? "{id}" : record.format;
  const Result<IdFormat> format = IdFormat::make(pattern);
  if (!format.ok()) return format.status();
  const PeriodKind shown = date_shown_by(*format);
  const bool finer = shown != PeriodKind::kNone && shown < record.period.kind;
  if (!finer && (record.scramble.empty() || shown == record.period.kind)) return {};
  const std::string parts = record.period.kind == PeriodKind::kDay     ? "{year}, {month} and {day}"
                            : record.period.kind == PeriodKind::kMonth ? "{year} and {month}"
                                                                       : "{year}";
  return {StatusCode::kInvalidArgument,
          "the format '" + pattern + "' of tag '" + record.tag + "' must contain " + parts +
              (finer ? ", and no other part of a date" : ", because its ids are scrambled")};
}

// Whether the options of a changed record fit together. kInvalidArgument: the message says what to
// change.
inline Status check_options(const TagRecord& record) {
  if (record.period.is_set() && record.floor.is_set()) {
    return {
        StatusCode::kInvalidArgument,
        "tag '" + record.tag +
            "' cannot have a period, after which ids begin again, and a time floor, under which "
            "they never do; choose one"};
  }
  if (record.period.is_set()) {
    if (Status misfit = check_period_format(record); !misfit.ok()) return misfit;
  } else if (!record.format.empty() && !record.floor.is_set()) {
    const Result<IdFormat> format = IdFormat::make(record.format);
    // Only a format with a date cannot write an id alone.
    if (format.ok() && !format->format(1).ok()) {
      return {
          StatusCode::kInvalidArgument,
          "the format '" + record.format +
              "' has parts of a date, which only ids under a time floor or of a period have; set "
              "floor_rate, or create the tag with a period"};
    }
  }
  if (record.scramble.empty()) return {};
  const Result<ScrambleDomain> domain = parse_scramble_domain(record.scramble);
  if (!domain.ok()) return domain.status();
  constexpr std::size_t kTweakBytesMax = 64;  // of IdScramble: the name is the tweak
  const std::string tweak =
      record.period.is_set() ? period_row(record.tag, {9999, 12, 31}) : record.tag;
  if (tweak.size() > kTweakBytesMax) {
    return {StatusCode::kInvalidArgument,
            "the name of a tag with a scramble has at most 64 bytes, or 53 with a period; use a "
            "shorter one"};
  }
  if (record.cap <= domain->id_max()) return {};
  const std::string id_max = std::to_string(domain->id_max());
  return {StatusCode::kInvalidArgument,
          "a scramble of " + record.scramble + " has no numbers for ids above " + id_max +
              "; set the cap of tag '" + record.tag + "' to " + id_max + " or less"};
}

inline void move_in(TagRecord& record, std::string_view by, std::int64_t now) {
  record.changed_by = by;
  record.changed_at = now;
}

// The record's floor after a change of it or of the cap, which the record has already; or why it is
// refused. `row`: the tag as it is or will be created. `now`: by the store's clock.
inline Status change_floor_in(TagRecord& record, const SegmentRow& row,
                              const TimeFloorChange& change, WallTime now) {
  const Result<TimeFloor> floor = changed_floor(row, change, now);
  if (!floor.ok()) return floor.status();
  if (Status s = check_floor_below_cap(row.tag, *floor, record.cap, now); !s.ok()) return s;
  record.floor = *floor;
  return {};
}

// Ids that are held now would not sort with those under a floor that has moved.
inline void recall_if_moved(TagRecord& record, const TimeFloor& before) {
  if (moves_floor(before, record.floor)) record.recalled = record.version;
}

inline void remove_in(TagRecord& record, std::int64_t max_id, std::string_view by,
                      std::int64_t now) {
  record.removed_max_id = std::max<std::int64_t>(max_id, 0);
  record.recalled = record.version;
  record.changed_by = by;
  record.changed_at = now;
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_TAG_RECORD_H_
