// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_TIME_FLOOR_RULES_H_
#define FEATHERID_LIB_STORE_TIME_FLOOR_RULES_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

#include "featherid/id_range.h"
#include "featherid/segment_store.h"
#include "featherid/tag_admin.h"
#include "featherid/time_floor.h"
#include "lib/base/bounds.h"

namespace featherid {

// What a time floor may be, and what a lease under it may do: the same for every store.

// A store's clock that is further ahead of the process's own is not followed: max_id would stay
// there.
constexpr std::chrono::seconds kClockAheadMax{60};

// A floor that reaches the cap earlier than this is refused.
constexpr std::chrono::hours kCapAwayMin{30 * 24};

inline WallTime system_time() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// "2031-05-02 10:00:00 UTC", for messages.
inline std::string time_text(WallTime at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  char text[48];
  if (::gmtime_r(&seconds, &parts) == nullptr) return "a time past every calendar";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

// "3.2 s"
inline std::string seconds_text(double seconds) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

inline Status check_floor_change(const TimeFloorChange& change) {
  if (change.rate) {
    if (Status s = check_bounds("the rate of the floor", *change.rate, 1, kFloorRateMax); !s.ok()) {
      return s;
    }
  }
  if (change.lead_max_s) {
    Status s = check_bounds("lead_max", *change.lead_max_s, 1, kLeadMaxSecondsMax, "s");
    if (!s.ok()) return s;
  }
  // Not past the year 9999; whether it is past, only the store knows.
  if (change.epoch_s) return check_bounds("the epoch", *change.epoch_s, 0, 253402300799, "s");
  return {};
}

// The change that makes a floor of nothing; empty for no floor.
inline TimeFloorChange as_change(const TimeFloor& floor) {
  if (floor.rate == 0) return {};
  return {floor.rate, floor.epoch_s, floor.lead_max_s, floor.lead_only_warns};
}

// The floor of a tag that has none, as a change of it.
inline Result<TimeFloor> new_floor(const TimeFloorChange& change) {
  TimeFloor floor;
  if (change.empty()) return floor;
  if (!change.rate) {
    return Status(StatusCode::kInvalidArgument, "a time floor requires a rate, in ids per second");
  }
  floor.rate = *change.rate;
  floor.epoch_s = change.epoch_s.value_or(floor.epoch_s);
  floor.lead_max_s = change.lead_max_s.value_or(floor.lead_max_s);
  floor.lead_only_warns = change.lead_only_warns.value_or(floor.lead_only_warns);
  return floor;
}

// Whether ids mean another time after it.
inline bool moves_floor(const TimeFloor& before, const TimeFloor& after) {
  return before.rate != after.rate || before.epoch_s != after.epoch_s;
}

// Refuses a floor that is about to reach the cap.
inline Status check_floor_below_cap(std::string_view tag, const TimeFloor& floor, std::int64_t cap,
                                    WallTime now) {
  if (!floor.is_set() || floor_at(floor, now + kCapAwayMin) < cap) return {};
  const WallTime reached(std::chrono::seconds(floor.epoch_s + cap / floor.rate));
  return {StatusCode::kInvalidArgument,
          "the time floor of tag '" + std::string(tag) + "' would reach the cap " +
              std::to_string(cap) + " at " + time_text(reached) +
              ", less than 30 days from now; use a lower rate, a later epoch or a higher cap"};
}

// The tag's floor after a change. `row`: the tag as it is, with the floor that it has.
inline Result<TimeFloor> changed_floor(const SegmentRow& row, const TimeFloorChange& change,
                                       WallTime now) {
  const auto refused = [&](const std::string& reason) {
    return Status(StatusCode::kInvalidArgument,
                  "the time floor of tag '" + row.tag + "' " + reason);
  };
  const TimeFloor& old = row.floor;
  TimeFloor floor = old;
  floor.rate = change.rate.value_or(old.rate);
  floor.epoch_s = change.epoch_s.value_or(old.epoch_s);
  floor.lead_max_s = change.lead_max_s.value_or(old.lead_max_s);
  floor.lead_only_warns = change.lead_only_warns.value_or(old.lead_only_warns);
  if (change.empty()) return floor;
  if (!floor.is_set()) return refused("has no rate yet; give one, in ids per second");
  if (floor.rate < old.rate) {
    return refused("has the rate " + std::to_string(old.rate) +
                   ", which may only rise: a lower one would fall below ids that were leased");
  }
  if (old.is_set() && floor.epoch_s > old.epoch_s) {
    return refused("has the epoch " + std::to_string(old.epoch_s) +
                   ", which may only move earlier: a later one would fall below ids that were "
                   "leased");
  }
  if (WallTime(std::chrono::seconds(floor.epoch_s)) > now) {
    return refused("has an epoch after " + time_text(now) + "; use an earlier one");
  }
  const bool served = !old.is_set() || row.max_id <= lead_end_at(old, now);
  if (served && row.max_id > lead_end_at(floor, now)) {
    return refused("would be " + seconds_text(lead_seconds(floor, row.max_id, now)) +
                   " behind its max_id " + std::to_string(row.max_id) +
                   ", so there would be no lease until then; use a higher rate or an earlier "
                   "epoch");
  }
  if (moves_floor(old, floor)) floor.since_id = std::max<std::int64_t>(0, row.max_id);
  return floor;
}

// From where a lease counts: max_id, raised to the floor at the time when the row was read.
inline std::int64_t raised_max_id(const SegmentRow& row) {
  return raised_to_floor(row.floor, row.max_id, row.read_at);
}

// How many ids the lead leaves.
inline std::int64_t lead_ids_left(const SegmentRow& row) {
  return lead_end_at(row.floor, row.read_at) - raised_max_id(row);
}

// As many ids of `size` as the lead can ever leave.
inline std::int64_t within_lead(const TimeFloor& floor, LeaseSize size) {
  if (!floor.is_set() || floor.lead_only_warns) return size.most_ids;
  return std::clamp(floor.rate * floor.lead_max_s, size.least_ids, size.most_ids);
}

// Why a store's clock is not followed; OK if it is. `own`: the process's.
inline Status refuse_clock(std::string_view tag, WallTime store, WallTime own) {
  if (store <= own + kClockAheadMax) return {};
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) + "' follows the database's clock, which says " +
              time_text(store) + " while this machine's says " + time_text(own) +
              "; a clock that is more than " + std::to_string(kClockAheadMax.count()) +
              " s ahead is not followed, because ids can never go back; correct the clock that is "
              "wrong"};
}

// When the row's id was leased. kInvalidArgument: also an id that was not.
inline Result<LeaseTime> lease_time_of(const SegmentRow& row, std::int64_t id) {
  if (id > row.max_id) {
    return Status(StatusCode::kInvalidArgument, "id " + std::to_string(id) +
                                                    " has not been leased: tag '" + row.tag +
                                                    "' is at " + std::to_string(row.max_id));
  }
  return leased_when(row.floor, id);
}

// The lead has no ids left for a lease of `least_ids`.
inline Status refuse_lead(const SegmentRow& row, std::int64_t least_ids) {
  return {StatusCode::kUnavailable,
          "tag '" + row.tag + "' is " +
              seconds_text(lead_seconds(row.floor, raised_max_id(row) + least_ids, row.read_at)) +
              " ahead of its time floor of " + std::to_string(row.floor.rate) +
              " ids/s, and may be " + std::to_string(row.floor.lead_max_s) +
              " s ahead; wait, or raise the rate of the floor"};
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_TIME_FLOOR_RULES_H_
