// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_STORE_ARGUMENTS_H_
#define FEATHERID_LIB_STORE_STORE_ARGUMENTS_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "featherid/segment_store.h"
#include "lib/base/bounds.h"

namespace featherid {

// What every store refuses before it looks at a row: OK, or kInvalidArgument that names the bound.

inline Status check_lease(std::string_view tag, LeaseSize size) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_bounds("most_ids", size.most_ids, 1, kLeaseIdsMax); !status.ok()) {
    return status;
  }
  return check_bounds("least_ids", size.least_ids, 1, size.most_ids);
}

inline Status check_step(std::string_view tag, std::int64_t step) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return check_bounds("step", step, 1, kStepMax);
}

inline Status check_advance(std::string_view tag, std::int64_t max_id) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return check_bounds("max_id", max_id, 0, kIdMax);
}

inline Status check_give_back(std::string_view tag, IdRange tail) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_bounds("first", tail.first, 1, kIdMax); !status.ok()) return status;
  if (!tail.empty()) return {};
  return {StatusCode::kInvalidArgument, "the tail to give back is empty"};
}

inline Status check_rewind(std::string_view tag, std::int64_t from, std::int64_t to) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = check_bounds("to", to, 0, kIdMax); !status.ok()) return status;
  return check_bounds("from", from, to + 1, std::numeric_limits<std::int64_t>::max());
}

// How many ids of `size` the row can grant; 0: not even the least.
inline std::int64_t ids_to_grant(const SegmentRow& row, LeaseSize size) {
  if (row.max_id < 0 || row.max_id > kIdMax - size.least_ids) return 0;
  return std::min(size.most_ids, kIdMax - row.max_id);
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
  if (row.max_id > kIdMax - size.least_ids) {
    const std::string tag = "tag '" + row.tag + "' has ";
    if (row.max_id >= kIdMax) {
      return {StatusCode::kExhausted, tag + "reached the end of its ids; use another tag"};
    }
    return {StatusCode::kExhausted,
            tag + std::to_string(kIdMax - row.max_id) + " ids left, fewer than a lease of " +
                std::to_string(size.least_ids) + "; use another tag, or ask for fewer"};
  }
  return changed_meanwhile(row.tag);
}

inline Status no_such_tag(std::string_view tag) {
  return {StatusCode::kNotFound, "no such tag '" + std::string(tag) + "'; create its row"};
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
