// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_PERIOD_RULES_H_
#define FEATHERID_LIB_STORE_PERIOD_RULES_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/period.h"
#include "featherid/segment_store.h"
#include "lib/base/bounds.h"
#include "lib/store/tag_record.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

// What periods may be, and what a lease in one may do: the same for every store.

// So many rows of a tag's periods are kept: that of the period for which a row was made last, and
// the newest ones before it. Whoever makes a row removes the older ones.
constexpr std::size_t kPeriodsKept = 8;
constexpr std::size_t kPeriodsPurgedMax = 16;  // at once

// A store's clock that is further ahead of the process's own is not followed. A wrong date costs a
// series, and time does not stay there, so this is more than kClockAheadMax.
constexpr std::chrono::hours kPeriodClockAheadMax{1};

// A failover may have lost the rows of periods that begin up to so long after it was noted. Nothing
// but clocks tells how far the periods had come before it: the store's may have been set back
// since, and those of the processes differ. If none of the latter is wrong by half of this, no row
// that was lost begins again.
constexpr std::chrono::hours kPeriodLostAhead{24};

inline const char* period_word(PeriodKind kind) {
  constexpr const char* kWords[] = {"none", "day", "month", "year"};
  return kWords[static_cast<std::size_t>(kind)];
}

// The way back: none, day, month or year. kInvalidArgument: it is no such word.
inline Result<PeriodKind> parse_period_kind(std::string_view word) {
  for (const PeriodKind kind :
       {PeriodKind::kNone, PeriodKind::kDay, PeriodKind::kMonth, PeriodKind::kYear}) {
    if (word == period_word(kind)) return kind;
  }
  return Status(StatusCode::kInvalidArgument, "the period must be none, day, month or year");
}

// The rule as a store keeps it. One that no store has written counts as none.
inline PeriodRule to_period_rule(std::int64_t kind, std::int64_t offset_minutes) {
  const bool known = kind >= 1 && kind <= 3 && offset_minutes >= -kPeriodOffsetMinutesMax &&
                     offset_minutes <= kPeriodOffsetMinutesMax;
  if (!known) return {};
  return {static_cast<PeriodKind>(kind), static_cast<int>(offset_minutes)};
}

// Whether the name is refused for a new tag.
inline Status refuse_reserved(std::string_view tag) {
  const std::optional<PeriodRow> row = parse_period_row(tag);
  if (!row) return {};
  return {StatusCode::kInvalidArgument,
          "the name '" + std::string(tag) + "' is reserved for a period of a tag '" + row->tag +
              "'; create '" + row->tag + "' with the option period, or use another name"};
}

inline Status check_period(std::string_view tag, const PeriodRule& rule) {
  if (!rule.is_set() && rule.offset_minutes == 0) return {};
  if (!rule.is_set()) {
    return {StatusCode::kInvalidArgument, "a period_offset requires a period"};
  }
  Status bad = check_bounds("period_offset", rule.offset_minutes, -kPeriodOffsetMinutesMax,
                            kPeriodOffsetMinutesMax, "minutes");
  if (!bad.ok()) return bad;
  if (validate_tag(period_row(tag, {9999, 12, 31})).ok()) return {};
  return {StatusCode::kInvalidArgument, "the name of a tag with periods has at most " +
                                            std::to_string(kPeriodTagCharsMax) +
                                            " characters; use a shorter one"};
}

// The name is that of a period's row, so it is used only through its tag.
inline Status only_in_period(std::string_view name, std::string_view tag) {
  return {StatusCode::kFailedPrecondition, "'" + std::string(name) + "' is a period of tag '" +
                                               std::string(tag) + "'; use '" + std::string(tag) +
                                               "' instead"};
}

inline Status has_periods(std::string_view tag) {
  return {StatusCode::kFailedPrecondition, "tag '" + std::string(tag) +
                                               "' has periods, so each lease must name one; use "
                                               "the calls whose names contain in_period"};
}

// A tag that is created again has the periods that it had: their rows still exist.
inline Status keep_period(const TagRecord& record, const PeriodRule& wanted) {
  if (!record.period.is_set() || record.period == wanted) return {};
  return {StatusCode::kInvalidArgument,
          "tag '" + record.tag + "' had the period " + period_word(record.period.kind) +
              " with an offset of " + std::to_string(record.period.offset_minutes) +
              " minutes before it was removed, which cannot be changed; create it with the same, "
              "or use another name"};
}

// A row of the form `order@2026-11-29` exists already, and is somebody else's.
inline Status foreign_period(std::string_view tag, const Period& period) {
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) + "' cannot have periods, because a tag '" +
              period_row(tag, period) + "' exists; use another name"};
}

// Why nothing is leased in a period. OK: by the store's clock it is on, or begins soon. `row`: the
// tag's own. `own`: the process's clock.
inline Status refuse_period(const SegmentRow& row, const Period& period, WallTime own) {
  const auto refused = [&](StatusCode code, const std::string& reason) {
    return Status(code, "tag '" + row.tag + "' " + reason);
  };
  if (!row.period.is_set() || row.period.kind != period.kind()) {
    return refused(StatusCode::kFailedPrecondition, std::string("has the period ") +
                                                        period_word(row.period.kind) + ", not a " +
                                                        period_word(period.kind()) + "; try again");
  }
  if (row.read_at > own + kPeriodClockAheadMax) {
    return refused(StatusCode::kFailedPrecondition,
                   "follows the database's clock, which says " + time_text(row.read_at) +
                       " while this machine's says " + time_text(own) +
                       "; a clock that is more than an hour ahead is not followed; correct the "
                       "clock that is wrong");
  }
  const char* const when = row.read_at >= end_of(row.period, period) ? "which is over"
                           : row.read_at < begin_of(row.period, period) - kPeriodAheadMax
                               ? "which has not begun"
                               : nullptr;
  if (when == nullptr) return {};
  return refused(StatusCode::kUnavailable, "has no ids of the period " + to_string(period) + ", " +
                                               when + ": the database's clock says " +
                                               time_text(row.read_at));
}

// Notes failovers that nobody has noted yet: they may have been until now, by the later one of the
// store's clock and the process's own. True: there were some.
inline bool note_failovers(TagRecord& record, std::int64_t failovers, WallTime now, WallTime own) {
  if (failovers <= record.period_failovers) return false;
  record.period_failovers = failovers;
  const std::int64_t latest = std::max(now, own).time_since_epoch().count();
  record.period_lost_at = std::max(record.period_lost_at, latest);
  return true;
}

// The max_id of a new period's row. `record`: with all failovers. `ids_lost`: how many ids each may
// have lost. A row that may have been made before the last one may be missing because of it.
inline Result<std::int64_t> first_max_id_in(const TagRecord& record, const Period& period,
                                            std::int64_t ids_lost) {
  if (period.number() <= record.period_gone) {
    return Status(StatusCode::kFailedPrecondition,
                  "the period " + to_string(period) + " of tag '" + record.tag +
                      "' was removed because it was old, and is never made again; the clock of the "
                      "database may be wrong");
  }
  const WallTime lost_at(std::chrono::milliseconds(record.period_lost_at));
  if (begin_of(record.period, period) > lost_at + kPeriodLostAhead) return 0;
  return std::min(record.period_failovers, kIdMax / ids_lost) * ids_lost;
}

// Which periods' rows are removed when the row of `newest` is made, the oldest first. (There are
// later ones if the clock was wrong for a while.)
inline std::vector<Period> periods_to_purge(const std::vector<Period>& made, const Period& newest) {
  const auto counts = [&](const Period& each) { return each.number() <= newest.number(); };
  const auto count = static_cast<std::size_t>(std::count_if(made.begin(), made.end(), counts));
  const std::size_t old = std::min(count - std::min(count, kPeriodsKept), kPeriodsPurgedMax);
  return {made.begin(), made.begin() + static_cast<std::ptrdiff_t>(old)};
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_PERIOD_RULES_H_
