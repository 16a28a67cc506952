// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TIME_FLOOR_H_
#define FEATHERID_TIME_FLOOR_H_

#include <chrono>
#include <cstdint>
#include <functional>

#include "featherid/internal/export.h"
#include "featherid/status.h"

namespace featherid {

// A date with a time of day. The default is 1970, which stands for "not known".
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// Returns the present time. Called from any thread.
using WallClock = std::function<WallTime()>;

constexpr std::int64_t kFloorRateMax = 1000000;
constexpr std::int64_t kLeadMaxSecondsMax = 86400;

// An option of a tag: its ids follow the clock. At the time t, the floor is
//   rate x (t - epoch)
// and a lease first raises max_id to it. `t` is the clock of the store. While all processes
// together use fewer than `rate` ids per second, ids sort by time, and no lost commit can repeat an
// id: docs/operating/time_floor.md.
struct TimeFloor {
  std::int64_t rate = 0;     // ids per second, 1 to kFloorRateMax; 0: the tag has no floor
  std::int64_t epoch_s = 0;  // Unix time, from 0 to now

  // No lease ends past where the floor will be in this many seconds. 1 to kLeadMaxSecondsMax.
  std::int64_t lead_max_s = 10;
  bool lead_only_warns = false;  // a lease may pass it; lost commits may then repeat ids

  // Ids up to it were leased before rate and epoch were as they are now. The store sets it.
  std::int64_t since_id = 0;

  bool is_set() const { return rate > 0; }
};

// The floor at that time. 0 before the epoch, and for a tag without a floor. Never past kIdMax.
FEATHERID_EXPORT std::int64_t floor_at(const TimeFloor& floor, WallTime at);

// The id from which a lease counts: `max_id`, raised to the floor, and at least 0.
FEATHERID_EXPORT std::int64_t raised_to_floor(const TimeFloor& floor, std::int64_t max_id,
                                              WallTime at);

// The last id that may be leased at that time: the floor as it will be in lead_max. kIdMax if
// nothing limits the lead.
FEATHERID_EXPORT std::int64_t lead_end_at(const TimeFloor& floor, WallTime at);

// How far `max_id` is ahead of the floor, in seconds: the time until the floor reaches it. Negative
// if it is behind. 0 for a tag without a floor.
FEATHERID_EXPORT double lead_seconds(const TimeFloor& floor, std::int64_t max_id, WallTime at);

// Tells when an id was leased, by the clock of the store: between `from` and `until`, which are
// lead_max apart. If the lead only warns, `from` is the epoch. A process issues an id within about
// twice AllocatorOptions::hold after it was leased.
//
// kInvalidArgument: the tag has no floor, the id was leased before the floor was as it is now, or
// no time belongs to the id. The function only computes: it does not know whether the id was
// leased, or whether the process that leased it follows the floor.
struct LeaseTime {
  WallTime from;
  WallTime until;
};
FEATHERID_EXPORT Result<LeaseTime> leased_when(const TimeFloor& floor, std::int64_t id);

}  // namespace featherid

#endif  // FEATHERID_TIME_FLOOR_H_
