// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SEGMENT_STORE_H_
#define FEATHERID_SEGMENT_STORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/export.h"
#include "featherid/id_range.h"
#include "featherid/status.h"

namespace featherid {

// The longest tag, in characters (code points), and the largest lease, in ids.
constexpr int kTagCharsMax = 64;
constexpr std::int64_t kLeaseIdsMax = std::int64_t{1} << 30;
constexpr std::int64_t kStepMax = 2147483647;  // what the column `step int` holds

// OK when `tag` is 1 to kTagCharsMax characters of well-formed UTF-8 without control characters and
// without white space at either end (engines differ on whether they ignore it); else
// kInvalidArgument with the reason.
FEATHERID_EXPORT Status validate_tag(std::string_view tag);

// One row of `id_segments`: every id up to and including max_id is taken.
struct SegmentRow {
  std::string biz_tag;
  std::int64_t max_id = 0;
  std::int64_t step = 0;  // base segment size, in ids; a row with step <= 0 cannot be served
};

// The durable home of the series: the one seam between FeatherID and the outside world.
//
// Threads: every method may be called from several threads at once, and one store may serve several
// allocators. Blocking: every call ends within the store's own stated time-out, whatever the
// network does. Tags: every method answers kInvalidArgument to a tag that validate_tag() refuses.
//
// Errors of every method, besides those it names: kUnavailable when the store cannot serve now (it
// may be tried again), kInvalidArgument, and kFailedPrecondition when it cannot serve before
// somebody has mended what the message names, and in a child after fork().
class FEATHERID_EXPORT SegmentStore {
 public:
  SegmentStore() = default;
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;
  virtual ~SegmentStore();

  // Moves the tag's max_id = m forward to m + count_ids and returns [m + 1, m + count_ids + 1),
  // computed from the one statement that moved it, and only after that is durable. 1 <= count_ids
  // <= kLeaseIdsMax. After an error the range may have been consumed all the same: no one may use
  // it, and a retry costs a gap, never a duplicate. kNotFound: no such row. kExhausted: m +
  // count_ids would pass kIdMax; nothing was changed. kFailedPrecondition: a row with max_id < 0.
  virtual Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) = 0;

  // The row as it is, without judging its step. kNotFound: no such row.
  virtual Result<SegmentRow> find(std::string_view tag) = 0;

  // All rows, in ascending byte order of the tag.
  virtual Result<std::vector<SegmentRow>> list() = 0;

  // Makes a row with max_id 0. 1 <= step <= kStepMax. kAlreadyExists: there is one; it is
  // unchanged.
  virtual Status create(std::string_view tag, std::int64_t step) = 0;

  // Sets the base segment size of an existing row. 1 <= step <= kStepMax. kNotFound: no such row.
  virtual Status set_step(std::string_view tag, std::int64_t step) = 0;

  // Makes max_id at least `max_id` (0 <= max_id <= kIdMax); a row that is there already or further
  // stays as it is, and that is success. kNotFound: no such row.
  virtual Status advance(std::string_view tag, std::int64_t max_id) = 0;

  // Gives back the unused tail of a lease: if the tag's max_id is still tail.last(), sets it to
  // tail.first - 1 and returns true; else changes nothing and returns false (somebody leased after,
  // or there is no such row). The caller has handed out no id of the tail and never will. After an
  // error the tail may or may not have been given back: the caller may not use it.
  virtual Result<bool> give_back(std::string_view tag, IdRange tail) = 0;
};

}  // namespace featherid

#endif  // FEATHERID_SEGMENT_STORE_H_
