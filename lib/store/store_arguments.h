// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_STORE_ARGUMENTS_H_
#define FEATHERID_LIB_STORE_STORE_ARGUMENTS_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/id_format.h"
#include "featherid/segment_store.h"
#include "featherid/tag_admin.h"
#include "lib/base/bounds.h"
#include "lib/base/utf8.h"
#include "lib/format/scramble_domain.h"
#include "lib/store/period_rules.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

// What every store refuses before it looks at a row: OK, or kInvalidArgument that names the bound.

inline Status check_lease(std::string_view tag, LeaseSize size) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_bounds("most_ids", size.most_ids, 1, kLeaseIdsMax); !status.ok()) {
    return status;
  }
  return check_bounds("least_ids", size.least_ids, 1, size.most_ids);
}

inline Status check_lease_in_period(std::string_view tag, const Period& period, LeaseSize size) {
  if (Status status = check_lease(tag, size); !status.ok()) return status;
  const std::string name = period_row(tag, period);
  const std::optional<PeriodRow> row = parse_period_row(name);
  if (row && row->period == period) return {};
  return {StatusCode::kInvalidArgument, "'" + name + "' names no period of a tag"};
}

inline Status check_step(std::string_view tag, std::int64_t step) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return check_bounds("step", step, 1, kStepMax);
}

inline Status check_text(const char* name, std::string_view text) {
  const auto refused = [&](const std::string& reason) {
    return Status(StatusCode::kInvalidArgument, std::string(name) + " " + reason + "; use up to " +
                                                    std::to_string(kOptionCharsMax) +
                                                    " characters of UTF-8");
  };
  for (int chars = 1; !text.empty(); ++chars) {
    const Utf8Char first = utf8_char(text);
    if (first.bytes == 0) return refused("is not well-formed UTF-8");
    if (is_control(first.code_point)) return refused("contains a control character");
    if (chars > kOptionCharsMax) return refused("is too long");
    text.remove_prefix(first.bytes);
  }
  return {};
}

// Whether there are no options, or none that change: then no record is required.
inline bool is_plain(const TagOptions& options) {
  return options.description.empty() && options.owner.empty() && options.cap == kIdMax &&
         options.order == TagOrder::kPlain && options.format.empty() && options.scramble.empty() &&
         !options.floor.is_set() && !options.period.is_set();
}
inline bool is_plain(const TagChange& change) {
  return !change.description && !change.owner && !change.cap && !change.order && !change.format &&
         !change.scramble && change.floor.empty();
}

inline Status check_new_tag(std::string_view tag, const NewTag& made) {
  if (Status status = check_step(tag, made.step); !status.ok()) return status;
  if (Status s = check_bounds("max_id", made.max_id, 0, kIdMax); !s.ok()) return s;
  const TagOptions& options = made.options;
  if (Status s = check_text("description", options.description); !s.ok()) return s;
  if (Status s = check_text("owner", options.owner); !s.ok()) return s;
  if (Status s = check_text("by", made.by); !s.ok()) return s;
  if (!options.format.empty()) {
    if (Status s = IdFormat::make(options.format).status(); !s.ok()) return s;
  }
  if (!options.scramble.empty()) {
    if (Status s = parse_scramble_domain(options.scramble).status(); !s.ok()) return s;
  }
  if (Status s = check_floor_change(as_change(options.floor)); !s.ok()) return s;
  if (Status s = check_period(tag, options.period); !s.ok()) return s;
  if (options.period.is_set() && made.max_id != 0) {
    return {StatusCode::kInvalidArgument, "a tag with periods has max_id 0; leave it out"};
  }
  return check_bounds("cap", options.cap, 1, kIdMax);
}

inline Status check_change(std::string_view tag, const TagChange& change) {
  NewTag changed(change.step.value_or(1));
  changed.options.description = change.description.value_or("");
  changed.options.owner = change.owner.value_or("");
  changed.options.cap = change.cap.value_or(kIdMax);
  changed.options.format = change.format.value_or("");
  changed.options.scramble = change.scramble.value_or("");
  changed.by = change.by;
  if (Status s = check_floor_change(change.floor); !s.ok()) return s;
  return check_new_tag(tag, changed);
}

inline Status check_query(const TagQuery& query) {
  if (Status status = check_text("prefix", query.prefix); !status.ok()) return status;
  if (Status status = check_text("after", query.after); !status.ok()) return status;
  return check_bounds("count_max", query.count_max, 1, std::numeric_limits<std::int64_t>::max());
}

inline Status check_remove(std::string_view tag, std::string_view by) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return check_text("by", by);
}

inline Status check_advance(std::string_view tag, std::int64_t max_id, std::string_view by = "") {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_text("by", by); !status.ok()) return status;
  return check_bounds("max_id", max_id, 0, kIdMax);
}

inline Status check_give_back(std::string_view tag, IdRange tail) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_bounds("first", tail.first, 1, kIdMax); !status.ok()) return status;
  if (!tail.empty()) return {};
  return {StatusCode::kInvalidArgument, "the tail to give back is empty"};
}

inline Status check_rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                           std::string_view by = "") {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_text("by", by); !status.ok()) return status;
  if (Status status = check_bounds("to", to, 0, kIdMax); !status.ok()) return status;
  return check_bounds("from", from, to + 1, std::numeric_limits<std::int64_t>::max());
}

// How many ids the row has left; negative if it is past its end.
inline std::int64_t ids_left(const SegmentRow& row) {
  return std::clamp<std::int64_t>(row.cap, 0, kIdMax) - raised_max_id(row);
}

// How many ids of `size` the row can grant; 0: not even the least.
inline std::int64_t ids_to_grant(const SegmentRow& row, LeaseSize size) {
  const std::int64_t left = std::min(ids_left(row), lead_ids_left(row));
  return row.max_id < 0 || left < size.least_ids ? 0 : std::min(size.most_ids, left);
}

// A lease of so many ids, by a store that keeps its rows in memory.
inline IdRange lease_from(SegmentRow& row, std::int64_t count_ids) {
  const std::int64_t first = raised_max_id(row) + 1;
  row.max_id = first + count_ids - 1;
  return {first, first + count_ids};
}

inline Status changed_meanwhile(std::string_view tag) {
  return {StatusCode::kUnavailable,
          "tag '" + std::string(tag) +
              "' was changed during the call, or the settings of the database were; try again"};
}

// Why a lease found no row to move, from the row as it is now.
// `table`: what messages call the table of the rows.
inline Status refused_lease(const SegmentRow& row, LeaseSize size,
                            const std::string& table = "id_segments") {
  if (row.max_id < 0) {
    return {StatusCode::kFailedPrecondition, "tag '" + row.tag + "' has max_id " +
                                                 std::to_string(row.max_id) + " in " + table +
                                                 "; set it to 0 or more"};
  }
  const std::int64_t left = ids_left(row);
  if (left < size.least_ids) {
    const std::string tag = "tag '" + row.tag + "' has ";
    const bool capped = row.cap < kIdMax;
    const std::string end = capped ? "its cap " + std::to_string(row.cap) : "the end of its ids";
    const char* const advice = capped ? "; raise the cap, or use another tag" : "; use another tag";
    if (left <= 0) return {StatusCode::kExhausted, tag + "reached " + end + advice};
    return {StatusCode::kExhausted,
            tag + std::to_string(left) + " ids left" + (capped ? " up to " + end : "") +
                ", fewer than a lease of " + std::to_string(size.least_ids) + advice +
                ", or ask for fewer"};
  }
  if (lead_ids_left(row) < size.least_ids) return refuse_lead(row, size.least_ids);
  return changed_meanwhile(row.tag);
}

inline Status no_such_tag(std::string_view tag) {
  return {StatusCode::kNotFound,
          "no such tag '" + std::string(tag) + "'; create it: featherid tag create"};
}

// `twin` exists, and the column's collation treats it as equal to `tag`.
inline Status only_its_twin(std::string_view tag, std::string_view twin) {
  return {StatusCode::kNotFound,
          "tag '" + std::string(tag) + "' does not exist; '" + std::string(twin) +
              "' does, and the collation of the column biz_tag treats them as equal: use '" +
              std::string(twin) + "', or give the column a binary collation"};
}

inline Status tag_exists(std::string_view tag) {
  return {StatusCode::kAlreadyExists, "tag '" + std::string(tag) + "' already exists"};
}

inline Status store_was_forked() {
  return {StatusCode::kFailedPrecondition,
          "this store belongs to the parent process; open a new one after fork()"};
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_STORE_ARGUMENTS_H_
