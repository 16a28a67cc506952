// SPDX-License-Identifier: MIT
#include "featherid/time_floor.h"

#include <algorithm>
#include <string>

#include "featherid/id_range.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kTimeMaxSeconds = 1000000000000;  // 30,000 years

WallTime epoch_of(const TimeFloor& floor) { return WallTime(seconds(floor.epoch_s)); }

}  // namespace

// Whole seconds and the rest apart, so that nothing overflows; the stores' SQL does the same.
std::int64_t floor_at(const TimeFloor& floor, WallTime at) {
  const std::int64_t elapsed_ms = (at - epoch_of(floor)).count();
  if (!floor.is_set() || elapsed_ms <= 0) return 0;
  const std::int64_t elapsed_s = elapsed_ms / 1000;
  if (elapsed_s >= kIdMax / floor.rate) return kIdMax;
  return floor.rate * elapsed_s + floor.rate * (elapsed_ms % 1000) / 1000;
}

std::int64_t raised_to_floor(const TimeFloor& floor, std::int64_t max_id, WallTime at) {
  return std::max({std::int64_t{0}, max_id, floor_at(floor, at)});
}

std::int64_t lead_end_at(const TimeFloor& floor, WallTime at) {
  if (!floor.is_set() || floor.lead_only_warns) return kIdMax;
  return floor_at(floor, at + seconds(floor.lead_max_s));
}

double lead_seconds(const TimeFloor& floor, std::int64_t max_id, WallTime at) {
  if (!floor.is_set()) return 0;
  return static_cast<double>(max_id - floor_at(floor, at)) / static_cast<double>(floor.rate);
}

Result<LeaseTime> leased_when(const TimeFloor& floor, std::int64_t id) {
  if (!floor.is_set()) {
    return Status(StatusCode::kInvalidArgument,
                  "the tag has no time floor, so its ids do not tell when they were leased");
  }
  if (id <= floor.since_id) {
    return Status(
        StatusCode::kInvalidArgument,
        "id " + std::to_string(id) +
            " was leased before the tag had its present time floor, which covers only ids above " +
            std::to_string(floor.since_id));
  }
  if (id / floor.rate > kTimeMaxSeconds) {
    return Status(StatusCode::kInvalidArgument,
                  "id " + std::to_string(id) + " is too large for a tag with this time floor");
  }
  // The first whole millisecond at which the floor has reached the id.
  const milliseconds reached(id / floor.rate * 1000 +
                             (id % floor.rate * 1000 + floor.rate - 1) / floor.rate);
  const WallTime until = epoch_of(floor) + reached;
  const WallTime from = floor.lead_only_warns
                            ? epoch_of(floor)
                            : std::max(epoch_of(floor), until - seconds(floor.lead_max_s));
  return LeaseTime{from, until};
}

}  // namespace featherid
