// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TAG_ADMIN_H_
#define FEATHERID_TAG_ADMIN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "featherid/internal/export.h"
#include "featherid/segment_store.h"
#include "featherid/status.h"

namespace featherid {

// Administration of the tags of a store. The allocator does not need it, and your own store may
// leave it out.
//
// Threads, blocking, tags and errors: as in SegmentStore.
class FEATHERID_EXPORT TagAdmin {
 public:
  TagAdmin() = default;
  TagAdmin(const TagAdmin&) = delete;
  TagAdmin& operator=(const TagAdmin&) = delete;
  virtual ~TagAdmin();

  // All rows, in ascending byte order of the tag.
  virtual Result<std::vector<SegmentRow>> list() = 0;

  // Creates a row with max_id 0. 1 <= step <= kStepMax. kAlreadyExists: the row exists; it is
  // unchanged.
  virtual Status create(std::string_view tag, std::int64_t step) = 0;

  // Sets the step of an existing row. 1 <= step <= kStepMax. kNotFound: no such row.
  virtual Status update(std::string_view tag, std::int64_t step) = 0;

  // Raises the row's max_id to `max_id` (0 <= max_id <= kIdMax). If it is already there or past it,
  // changes nothing and returns OK. kNotFound: no such row.
  virtual Status advance(std::string_view tag, std::int64_t max_id) = 0;

  // Moves the series backwards. If max_id is still `from`, sets it to `to` and returns true.
  // Otherwise, or if there is no such row, changes nothing and returns false. 0 <= to < from. The
  // ids after `to` will be leased again, so no process may be using the tag.
  virtual Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to) = 0;

  // Deletes the row. If it is created again, its ids start at 1 again, so no process may be using
  // the tag until then: one that still holds ids would issue them a second time, or give them back.
  // kNotFound: no such row.
  virtual Status remove(std::string_view tag) = 0;

  // OK if the store would grant leases now: it can be written to, and the server that answers is
  // the leader of the rows. Requires no tag and uses no id.
  virtual Status probe() = 0;
};

// The interface of the stores that come with FeatherID.
class FEATHERID_EXPORT Store : public SegmentStore, public TagAdmin {
 public:
  ~Store() override;
};

}  // namespace featherid

#endif  // FEATHERID_TAG_ADMIN_H_
