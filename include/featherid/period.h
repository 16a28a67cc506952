// SPDX-License-Identifier: MIT
#ifndef FEATHERID_PERIOD_H_
#define FEATHERID_PERIOD_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/internal/export.h"
#include "featherid/status.h"
#include "featherid/time_floor.h"

namespace featherid {

enum class PeriodKind { kNone, kDay, kMonth, kYear };

constexpr int kPeriodOffsetMinutesMax = 14 * 60;
// Ids of a period may be leased this long before it begins. None is handed out before it begins.
constexpr std::chrono::seconds kPeriodAheadMax{60};

// The longest name of a tag with a period, in characters: its series are named `order@2026-11-29`.
constexpr int kPeriodTagCharsMax = 53;

// An option of a tag: its ids restart at 1 in every day, month or year. Days begin at midnight UTC
// or at a fixed offset from it (60: one hour east of Greenwich), by the clock of the store:
// docs/operating/periods.md.
struct PeriodRule {
  PeriodKind kind = PeriodKind::kNone;  // kNone: the tag has no periods
  int offset_minutes = 0;               // -kPeriodOffsetMinutesMax to kPeriodOffsetMinutesMax

  bool is_set() const { return kind != PeriodKind::kNone; }

  friend bool operator==(const PeriodRule& a, const PeriodRule& b) {
    return a.kind == b.kind && a.offset_minutes == b.offset_minutes;
  }
  friend bool operator!=(const PeriodRule& a, const PeriodRule& b) { return !(a == b); }
};

// One day, month or year of the calendar. In a month, `day` is 0; in a year, `month` as well.
struct Period {
  int year = 0;  // 1 to 9999; 0: none
  int month = 0;
  int day = 0;

  PeriodKind kind() const {
    if (year == 0) return PeriodKind::kNone;
    return day != 0 ? PeriodKind::kDay : month != 0 ? PeriodKind::kMonth : PeriodKind::kYear;
  }
  // It increases from period to period: 20261129, 20261100 or 20260000.
  int number() const { return (year * 100 + month) * 100 + day; }

  friend bool operator==(const Period& a, const Period& b) { return a.number() == b.number(); }
  friend bool operator!=(const Period& a, const Period& b) { return !(a == b); }
};

// "2026-11-29", "2026-11" or "2026". Empty for none.
FEATHERID_EXPORT std::string to_string(const Period& period);

// Reads a text of to_string(). kInvalidArgument: the text has another form, or there is no such
// day.
FEATHERID_EXPORT Result<Period> parse_period(std::string_view text);

// The period at that time. Times before the year 1 and after 9999 count as those years.
FEATHERID_EXPORT Period period_at(const PeriodRule& rule, WallTime at);

// When a period of the rule begins, and the first moment after it.
FEATHERID_EXPORT WallTime begin_of(const PeriodRule& rule, const Period& period);
FEATHERID_EXPORT WallTime end_of(const PeriodRule& rule, const Period& period);

// The period after this one.
FEATHERID_EXPORT Period next_period(const Period& period);

// The name of the row that holds the series of a period: `order@2026-11-29`.
FEATHERID_EXPORT std::string period_row(std::string_view tag, const Period& period);

// The tag and the period of such a name. Returns nothing if the name has another form. Names of
// this form are reserved: no tag may have one.
struct PeriodRow {
  std::string tag;
  Period period;
};
FEATHERID_EXPORT std::optional<PeriodRow> parse_period_row(std::string_view name);

// An id of a tag with a period. It is unique together with its period.
struct PeriodId {
  std::int64_t id = 0;
  Period period;
};

// Ids of one period.
struct PeriodRanges {
  std::vector<IdRange> ranges;
  Period period;
};

}  // namespace featherid

#endif  // FEATHERID_PERIOD_H_
