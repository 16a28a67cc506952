// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_TAKE_IDS_H_
#define FEATHERID_SERVER_API_TAKE_IDS_H_

#include <cstdint>
#include <string_view>

#include "featherid/period.h"
#include "featherid/segment_allocator.h"
#include "server/net/wait.h"

namespace featherid {

// The ids that a request asks for.
struct WantedIds {
  std::string_view tag;
  std::int64_t count_ids = 1;
  bool consecutive = false;  // in one range
  // Whether the answer can name a period. Otherwise a tag with periods is refused.
  bool in_period = false;
};

// The ids of a request; or, if there are none, why; or how the request waits for them.
struct TakenIds {
  PeriodRanges ids;
  Status status;
  StartWait start_wait;
};

// Takes the ids that the request has waited for, or that are in memory. `missed`: the error if it
// has found none in memory just now. Does not block.
TakenIds take_ids(SegmentAllocator& allocator, const WantedIds& wanted, const Wait& wait,
                  const Status& missed = {});

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAKE_IDS_H_
