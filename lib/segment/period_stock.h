// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_PERIOD_STOCK_H_
#define FEATHERID_LIB_SEGMENT_PERIOD_STOCK_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/period.h"
#include "lib/base/clock.h"

namespace featherid {

// What a process holds of a tag with periods: ids of the present period and, shortly before it
// ends, ids of the next one. It knows from the row that it read last what the store's clock says,
// to within how long the answer took and 0.1 % of the time since (a clock is corrected by no more
// than half of that). No id is handed out unless its period has surely begun, nor once it has
// surely ended, nor if it may have ended kLateMax ago.
//
// Pure: without a clock, a lock or a store. Times are Clock::boot_now(), which also counts while
// the machine sleeps.
class PeriodStock {
 public:
  static constexpr std::chrono::seconds kLateMax{1};
  // A process in use asks for the store's clock this often.
  static constexpr std::chrono::seconds kClockTtl{60};
  // When the next period's ids are leased, before it begins. The store allows kPeriodAheadMax.
  static constexpr std::chrono::seconds kAskAhead{50};

  PeriodStock();

  // The row was read: the store's clock said `read_at` at some moment from `asked` to `answered`.
  // Drops everything if the rule differs from the one before.
  void see(const PeriodRule& rule, WallTime read_at, TimePoint asked, TimePoint answered);
  bool is_set() const { return rule_.is_set(); }
  const PeriodRule& rule() const { return rule_; }

  // Moves on to the next period if it has begun. What is left of the old one is dropped.
  void settle(TimePoint now);

  // These mean what settle() has found.

  // The period that ids are handed out of. Nothing: the clock is not known well enough.
  std::optional<Period> present(TimePoint now) const;
  // The next one, if its ids may be leased. They should be if the present one's were used.
  std::optional<Period> coming(TimePoint now) const;
  TimePoint coming_at() const { return coming_at_; }  // from when on
  bool needs_clock(TimePoint now) const;
  bool was_used() const { return present_.issued_ids > 0; }

  std::int64_t present_ids() const { return present_.ids; }
  std::int64_t coming_ids() const { return coming_.ids; }

  // Takes ids of the present period. False: there are too few, or none may be handed out now.
  // `until`: when they may no longer be given to the caller.
  struct Taken {
    Period period;
    TimePoint until{};
  };
  bool take(std::int64_t count_ids, TimePoint now, std::vector<IdRange>* ranges, Taken* taken);
  // As take(), of ids that were leased for callers who wait: counts them.
  Taken hand_out(std::int64_t count_ids);

  // Ids that were leased of a period. They are lost if it is over, or there is no memory.
  void add(const Period& period, IdRange range) noexcept;
  // Where the next lease of the period must begin, at least.
  std::int64_t highest_end(const Period& period) const;
  std::int64_t highest_id() const;  // that is held of any

  // Drops all ids.
  void clear();

  // Unused ids at the end of the newest lease of a period; empty: there are none (left).
  struct Tail : IdRange {
    Period period;
  };
  Tail take_tail();

 private:
  struct Series {
    Period period;
    TimePoint from{};   // when it has surely begun
    TimePoint until{};  // when it may have ended kLateMax ago
    std::vector<IdRange> ranges;
    std::int64_t ids = 0;
    std::int64_t highest_end = 1;
    std::int64_t issued_ids = 0;
  };

  void begin(Series* series, const Period& period) const;
  void place(Series* series) const;
  TimePoint surely_past(WallTime at) const;
  TimePoint maybe_past(WallTime at) const;
  Series* find(const Period& period);

  PeriodRule rule_;
  WallTime read_at_{};
  TimePoint asked_{};
  TimePoint answered_{};
  TimePoint coming_at_{};
  Series present_;
  Series coming_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_PERIOD_STOCK_H_
