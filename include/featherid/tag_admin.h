// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TAG_ADMIN_H_
#define FEATHERID_TAG_ADMIN_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/internal/export.h"
#include "featherid/segment_store.h"
#include "featherid/status.h"

namespace featherid {

// The longest text of an option, in characters.
constexpr int kOptionCharsMax = 255;

// The options of a tag besides its step. Uniqueness never depends on them, because older versions
// and other programs do not know them. Texts are well-formed UTF-8 without control characters.
struct TagOptions {
  std::string description;
  std::string owner;
  // No lease passes it; kIdMax: none. 1 to kIdMax. It binds every process of this version.
  std::int64_t cap = kIdMax;
  // Processes obey it within a minute.
  TagOrder order = TagOrder::kPlain;
  // How ids are written as text: a pattern of id_format.h. Empty: in decimal.
  std::string format = {};
  // The domain of id_scramble.h that ids are scrambled in before they are written as text:
  // `9digits` or `40bits`. Empty: they are not. The cap must be at most its largest id.
  std::string scramble = {};
  TimeFloor floor = {};  // its since_id is ignored
  // Only create() sets it. Such a tag has no time floor, and a name of at most kPeriodTagCharsMax
  // characters. Cap, order and step are those of each period.
  PeriodRule period = {};
};

// The tag that create() makes.
struct NewTag {
  NewTag(std::int64_t step_ids)  // NOLINT(google-explicit-constructor): create("order", 1000)
      : step(step_ids) {}

  std::int64_t step;        // 1 to kStepMax
  std::int64_t max_id = 0;  // 0 to kIdMax: every id up to it is taken already
  TagOptions options = {};
  std::string by = {};  // who creates it
  // Set it if a program creates the tag because somebody asked for its ids, so that nobody knows
  // whether the tag existed before. create() then never starts a series again that a deletion, a
  // failover or a restore has removed.
  bool automatic = false;
};

// A change of a time floor: members that are set here replace those of the tag. The rate may only
// rise, and the epoch may only move earlier. Otherwise the floor would fall below ids that were
// leased already. A floor cannot be removed.
struct TimeFloorChange {
  std::optional<std::int64_t> rate;
  std::optional<std::int64_t> epoch_s;
  std::optional<std::int64_t> lead_max_s;
  std::optional<bool> lead_only_warns;

  bool empty() const { return !rate && !epoch_s && !lead_max_s && !lead_only_warns; }
};

// A change for update(). It changes the members that are set here, and the others stay as they are.
struct TagChange {
  TagChange() = default;
  TagChange(std::int64_t step_ids)  // NOLINT(google-explicit-constructor): update("order", 2000)
      : step(step_ids) {}

  std::optional<std::int64_t> step;  // 1 to kStepMax
  std::optional<std::string> description;
  std::optional<std::string> owner;
  std::optional<std::int64_t> cap;
  std::optional<TagOrder> order;
  std::optional<std::string> format;
  std::optional<std::string> scramble;
  std::string by;  // who changes it
  TimeFloorChange floor;
};

// A row, with the facts that are only for people. Times are 0 and texts are empty if nobody has
// recorded them.
struct TagInfo : SegmentRow {
  std::string description;
  std::string owner;
  std::string format = {};
  std::string scramble = {};
  std::string created_by;
  std::chrono::system_clock::time_point created_at;
  std::string changed_by;
  std::chrono::system_clock::time_point changed_at;
};

// Which tags list() returns: those that begin with `prefix` and come after `after`, and of these
// the first `count_max`.
struct TagQuery {
  std::string prefix = {};
  std::string after = {};
  std::int64_t count_max = std::numeric_limits<std::int64_t>::max();
};

// Administration of the tags of a store. The allocator does not need it, and your own store may
// leave it out.
//
// Threads, blocking, tags and errors: as in SegmentStore. A call that fails has changed nothing.
// Only after kUnavailable the change may have been made. No change is half done.
//
// Processes learn of changes from SegmentStore::changes(), within a minute.
class FEATHERID_EXPORT TagAdmin {
 public:
  TagAdmin() = default;
  TagAdmin(const TagAdmin&) = delete;
  TagAdmin& operator=(const TagAdmin&) = delete;
  virtual ~TagAdmin();

  // Rows in ascending byte order of the tag: all of them, or a page. kInvalidArgument: also a
  // count_max below 1.
  virtual Result<std::vector<TagInfo>> list(const TagQuery& query = {}) = 0;

  // One row. kNotFound: no such row.
  virtual Result<TagInfo> info(std::string_view tag) = 0;

  // Creates a row. If the tag was removed before, the row starts at the larger of
  // `tag_to_make.max_id` and the max_id at the removal, so that no id is leased again. With
  // `automatic`, a tag that was removed is refused with kNotFound, and after a change of leader the
  // row starts past the ids that the failovers may have lost. kAlreadyExists: the row exists; it is
  // unchanged. kInvalidArgument: also for a cap below max_id, a malformed format or scramble, a cap
  // above the largest id of the scramble, a time floor that a change would refuse, and a name that
  // parse_period_row() accepts. kFailedPrecondition: also if the database user may not read the
  // table that remembers removed tags.
  virtual Status create(std::string_view tag, const NewTag& tag_to_make) = 0;

  // Changes an existing row. kNotFound: no such row. kInvalidArgument: also as in create(), and for
  // a time floor that would fall, that is about to reach the cap, or that is more than lead_max
  // behind max_id. A new rate or epoch makes processes drop the ids that they hold.
  // kFailedPrecondition: also if the store has no place for the option.
  virtual Status update(std::string_view tag, const TagChange& change) = 0;

  // Raises the row's max_id to `max_id` (0 <= max_id <= kIdMax), also past the cap. If it is
  // already there or past it, changes nothing and returns OK. `by`: who advances it; recorded if
  // there is a place for that. kNotFound: no such row.
  virtual Status advance(std::string_view tag, std::int64_t max_id, std::string_view by = "") = 0;

  // Moves the series backwards. If max_id is still `from`, sets it to `to` and returns true.
  // Otherwise, or if there is no such row, changes nothing and returns false. 0 <= to < from. The
  // ids after `to` will be leased again, so no process may be using the tag. If this process is,
  // call SegmentAllocator::drop() first. `by`: as above. kFailedPrecondition: a period's row.
  virtual Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                              std::string_view by = "") = 0;

  // Deletes the row, and remembers its max_id for create(). Processes that hold ids of the tag drop
  // them within a minute. The rows of its periods stay, in case the tag is created again. `by`: who
  // deletes it. kNotFound: no such row. kFailedPrecondition: also for the row of a period, and if
  // the store has no place to remember max_id.
  virtual Status remove(std::string_view tag, std::string_view by = "") = 0;

  // OK if the store would grant leases now: it can be written to, and the server that answers is
  // the leader of the rows. Needs no tag and uses no id.
  virtual Status probe() = 0;
};

// Identifies the rows of a store. A process that leases through servers compares it, and so notices
// other or older rows.
struct StoreIdentity {
  std::string name;       // random, and kept with the rows: a copy or a backup has it too
  std::int64_t term = 0;  // of the leader on record (id_leader); 0: there are no leaders
};

// The interface of the stores that come with FeatherID.
class FEATHERID_EXPORT Store : public SegmentStore, public TagAdmin {
 public:
  ~Store() override;

  // The next three calls are for a server that leases to other processes. By default they return
  // kFailedPrecondition.
  //
  // Reads the name and the term of the rows. The first call for new rows gives them their name.
  virtual Result<StoreIdentity> identity();
  // changes(), but for a process other than this one.
  virtual Result<TagChanges> changes_for_other(std::int64_t version);
  // give_back(), but for a process that has applied the changes up to `applied`.
  virtual Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                           std::int64_t applied);

  // The database server that leases come from, as this process saw it last. Empty if it has not
  // seen any, or if the store has no leaders. Does not call the database.
  virtual std::string leader() const;
};

}  // namespace featherid

#endif  // FEATHERID_TAG_ADMIN_H_
