// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SEGMENT_STORE_H_
#define FEATHERID_SEGMENT_STORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/internal/export.h"
#include "featherid/period.h"
#include "featherid/status.h"
#include "featherid/time_floor.h"

namespace featherid {

// The longest tag, in characters (code points), and the largest lease, in ids.
constexpr int kTagCharsMax = 64;
constexpr std::int64_t kLeaseIdsMax = std::int64_t{1} << 30;
constexpr std::int64_t kStepMax = 2147483647;  // what the column `step int` holds

// OK if `tag` is 1 to kTagCharsMax characters of well-formed UTF-8 without control characters and
// without white space at either end (engines differ on whether they ignore it); else
// kInvalidArgument with the reason.
FEATHERID_EXPORT Status validate_tag(std::string_view tag);

// In which order the ids of a tag are handed out.
enum class TagOrder {
  kPlain,   // they increase in each process. Ids of different processes interleave
  kStrict,  // a call that starts after another has ended gets a larger id, also across processes.
            // No ids are held in memory: each call waits for the store
};

// One row of `id_segments`: every id up to and including max_id is taken. Later versions may add
// options of the tag, each with a default that means "none".
struct SegmentRow {
  std::string tag;
  std::int64_t max_id = 0;
  std::int64_t step = 0;      // base size of a lease, in ids; a row with step <= 0 cannot be served
  std::int64_t cap = kIdMax;  // no lease passes it
  TagOrder order = TagOrder::kPlain;
  TimeFloor floor = {};  // a lease raises max_id to it
  // When the row was read, by the store's clock. Only known for a tag with a floor or periods.
  WallTime read_at = {};
  // If it is set, each period has a row of its own, from which lease_in_period() leases. No id is
  // leased from this row.
  PeriodRule period = {};
};

// A lease should have `most_ids` ids. A store may grant fewer for its own reasons, such as the end
// of the tag's ids, but never fewer than `least_ids`. 1 <= least_ids <= most_ids <= kLeaseIdsMax.
struct LeaseSize {
  LeaseSize(std::int64_t exactly)  // NOLINT(google-explicit-constructor)
      : least_ids(exactly), most_ids(exactly) {}
  LeaseSize(std::int64_t least, std::int64_t most) : least_ids(least), most_ids(most) {}

  std::int64_t least_ids;
  std::int64_t most_ids;
};

// Changes of tags, for the processes that hold ids of them.
struct TagChanges {
  // A process that holds an id of the tag above `max_id` drops all ids that it holds of the tag.
  struct Limit {
    std::string tag;
    std::int64_t max_id = 0;
  };

  std::int64_t version = 0;  // the number of the last change
  std::vector<Limit> limits;
};

// Durable storage for the ids. This is all that the allocator needs, and its three pure methods are
// all that your own store must implement. FeatherID's stores also implement TagAdmin.
//
// Threads: every method may be called from several threads at once, and one store may serve several
// allocators. Blocking: every call ends within the store's own stated timeout, whatever the network
// does. Tags: every method returns kInvalidArgument for a tag that validate_tag() refuses.
//
// Errors of every method, besides those it names: kUnavailable if the store cannot serve now (the
// call may be tried again), kInvalidArgument, and kFailedPrecondition in a child after fork(), or
// if somebody must first fix what the message names.
class FEATHERID_EXPORT SegmentStore {
 public:
  SegmentStore() = default;
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;
  virtual ~SegmentStore();

  // Moves the tag's max_id from m to m + n, with n within `size`, and returns [m + 1, m + n + 1).
  // The range must come from the one statement that moved max_id, and be returned only after that
  // is durable. After an error, max_id may have moved anyway: nobody may use that range, and a
  // retry costs a gap, never a duplicate. kNotFound: no such row. kExhausted: fewer than
  // size.least_ids are left up to the row's cap; nothing was changed. kFailedPrecondition: a row
  // with max_id < 0, or a tag with periods.
  //
  // A tag with a time floor: m is the floor at that moment if the row is below it. kUnavailable:
  // the tag is as far ahead of the floor as it may be. kFailedPrecondition: the store's clock is so
  // far ahead of this process's clock that it is not followed. In both cases nothing was changed.
  virtual Result<IdRange> lease(std::string_view tag, LeaseSize size) = 0;

  // lease() for a tag with periods. It leases from the row of one period, and makes that row if
  // there is none yet. The cap is that of the tag. kUnavailable: by the store's clock, the period
  // is over, or it begins in more than kPeriodAheadMax. kFailedPrecondition: also if the row was
  // removed after its period (it is never made again), if the tag has no periods, or if the store's
  // clock is too far ahead of this process's clock. After these errors nothing was changed. The
  // default returns kFailedPrecondition.
  virtual Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                          LeaseSize size);

  // The row as it is, whatever its step. kNotFound: no such row.
  virtual Result<SegmentRow> find(std::string_view tag) = 0;

  // Gives back the unused tail of a lease; `tag` may be a period_row(). If the tag's max_id is
  // still tail.last(), sets it to tail.first - 1 and returns true. Otherwise (somebody has leased
  // since, or there is no such row) changes nothing and returns false. The caller has issued no id
  // of the tail and never will. After an error, the tail may or may not have been given back: the
  // caller may not use it.
  virtual Result<bool> give_back(std::string_view tag, IdRange tail) = 0;

  // Returns what has changed since change number `version`. The caller has applied every change up
  // to that one. Once a tag was removed or moved back by a later change, no tail of it can be given
  // back. A negative `version` asks for the number of the last change only. The allocator asks when
  // its first tag is used, and then every 20 s. kDataLoss: the store went backwards, so every tag
  // must stop. The default reports that nothing ever changes.
  virtual Result<TagChanges> changes(std::int64_t version);
};

}  // namespace featherid

#endif  // FEATHERID_SEGMENT_STORE_H_
