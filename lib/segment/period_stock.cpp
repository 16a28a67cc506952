// SPDX-License-Identifier: MIT
#include "lib/segment/period_stock.h"

#include <algorithm>
#include <new>
#include <utility>

namespace featherid {

using std::chrono::milliseconds;

namespace {

// A clock gains or loses at most one part in so many.
constexpr int kDriftParts = 1000;

void take_front(std::vector<IdRange>& from, std::int64_t count_ids, std::vector<IdRange>* ranges) {
  auto range = from.begin();
  while (count_ids > 0) {
    const std::int64_t taken = std::min(count_ids, range->size());
    ranges->push_back({range->first, range->first + taken});
    range->first += taken;
    count_ids -= taken;
    if (range->empty()) ++range;
  }
  from.erase(from.begin(), range);
}

}  // namespace

PeriodStock::PeriodStock() {
  present_.ranges.reserve(2);  // rarely more are held, so taking in a lease needs no memory
  coming_.ranges.reserve(2);
}

// The first moment at which the store's clock surely says `at` or more, from what it said when it
// was read.
TimePoint PeriodStock::surely_past(WallTime at) const {
  if (at <= read_at_) return answered_;
  const Duration left = at - read_at_;
  return answered_ + left + left / (kDriftParts - 1);
}

// The last moment until which it surely says less.
TimePoint PeriodStock::maybe_past(WallTime at) const {
  const Duration left = at - read_at_ - milliseconds(1);  // it was read in whole milliseconds
  return asked_ + left - std::max(left, Duration(0)) / (kDriftParts + 1);
}

void PeriodStock::place(Series* series) const {
  series->from = surely_past(begin_of(rule_, series->period));
  series->until = maybe_past(end_of(rule_, series->period) + kLateMax);
}

void PeriodStock::begin(Series* series, const Period& period) const {
  series->period = period;
  series->ranges.clear();
  series->ids = 0;
  series->highest_end = 1;
  series->issued_ids = 0;
  place(series);
}

void PeriodStock::see(const PeriodRule& rule, WallTime read_at, TimePoint asked,
                      TimePoint answered) {
  if (rule != rule_) present_.period = coming_.period = Period();
  rule_ = rule;
  read_at_ = read_at;
  asked_ = asked;
  answered_ = answered;
  if (!is_set()) return clear();
  const Period now = period_at(rule_, read_at);
  if (coming_.period == now) std::swap(present_, coming_);
  // The clock was set back to the period before: its ids are handed out first.
  if (present_.period != Period() && present_.period == next_period(now)) {
    std::swap(present_, coming_);
    begin(&present_, now);
  }
  if (present_.period != now) begin(&present_, now);
  const Period next = next_period(now);
  if (coming_.period != next) begin(&coming_, next);
  place(&present_);
  place(&coming_);
  coming_at_ = surely_past(begin_of(rule_, next) - kAskAhead);
}

void PeriodStock::settle(TimePoint now) {
  while (is_set() && now >= coming_.from) {
    std::swap(present_, coming_);
    begin(&coming_, next_period(present_.period));
    coming_at_ = surely_past(begin_of(rule_, coming_.period) - kAskAhead);
  }
}

std::optional<Period> PeriodStock::present(TimePoint now) const {
  if (!is_set() || now >= present_.until) return std::nullopt;
  return present_.period;
}

std::optional<Period> PeriodStock::coming(TimePoint now) const {
  if (!is_set() || now < coming_at_) return std::nullopt;
  return coming_.period;
}

bool PeriodStock::needs_clock(TimePoint now) const {
  return is_set() && (now >= present_.until || now - answered_ >= kClockTtl);
}

bool PeriodStock::take(std::int64_t count_ids, TimePoint now, std::vector<IdRange>* ranges,
                       Taken* taken) {
  settle(now);
  if (!is_set() || now >= present_.until || present_.ids < count_ids) return false;
  ranges->reserve(present_.ranges.size());  // first, so that nothing is taken that cannot be noted
  take_front(present_.ranges, count_ids, ranges);
  present_.ids -= count_ids;
  *taken = hand_out(count_ids);
  return true;
}

PeriodStock::Taken PeriodStock::hand_out(std::int64_t count_ids) {
  present_.issued_ids += count_ids;
  return {present_.period, present_.until};
}

PeriodStock::Series* PeriodStock::find(const Period& period) {
  if (!is_set()) return nullptr;
  if (present_.period == period) return &present_;
  return coming_.period == period ? &coming_ : nullptr;
}

void PeriodStock::add(const Period& period, IdRange range) noexcept {
  Series* const series = find(period);
  if (series == nullptr) return;
  const bool adjoins = series->ids > 0 && series->ranges.back().end == range.first;
  series->highest_end = range.end;
  try {
    adjoins ? void(series->ranges.back().end = range.end) : series->ranges.push_back(range);
  } catch (const std::bad_alloc&) {
    return;
  }
  series->ids += range.size();
}

std::int64_t PeriodStock::highest_end(const Period& period) const {
  if (present_.period == period) return present_.highest_end;
  return coming_.period == period ? coming_.highest_end : 1;
}

std::int64_t PeriodStock::highest_id() const {
  std::int64_t highest = 0;
  for (const Series* const series : {&present_, &coming_}) {
    if (series->ids > 0) highest = std::max(highest, series->ranges.back().last());
  }
  return highest;
}

void PeriodStock::clear() {
  for (Series* const series : {&present_, &coming_}) {
    series->ranges.clear();
    series->ids = 0;
  }
}

PeriodStock::Tail PeriodStock::take_tail() {
  Tail tail;
  for (Series* const series : {&present_, &coming_}) {
    const bool newest = series->ids > 0 && series->ranges.back().end == series->highest_end;
    if (newest) {
      static_cast<IdRange&>(tail) = series->ranges.back();
      tail.period = series->period;
    }
    series->ranges.clear();
    series->ids = 0;
    if (newest) break;
  }
  return tail;
}

}  // namespace featherid
