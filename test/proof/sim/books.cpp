// SPDX-License-Identifier: MIT
#include "test/proof/sim/books.h"

#include <algorithm>

namespace featherid::sim {

// --- IdSet ---

bool IdSet::add(IdRange range) {
  auto next = ranges_.lower_bound(range.first);
  if (next != ranges_.end() && next->first < range.end) return false;
  if (next != ranges_.begin()) {
    const auto previous = std::prev(next);
    if (previous->second > range.first) return false;
    if (previous->second == range.first) {
      previous->second = range.end;
      return true;
    }
  }
  ranges_.emplace(range.first, range.end);
  return true;
}

bool IdSet::contains(IdRange range) const {
  auto next = ranges_.upper_bound(range.first);
  while (next != ranges_.begin() && range.first < range.end) {
    const auto holder = std::prev(next);
    if (holder->second <= range.first) return false;
    range.first = holder->second;  // ranges that touch are one run
    next = ranges_.upper_bound(range.first);
  }
  return range.first >= range.end;
}

void IdSet::remove_from(std::int64_t first) {
  ranges_.erase(ranges_.lower_bound(first), ranges_.end());
  if (!ranges_.empty() && ranges_.rbegin()->second > first) ranges_.rbegin()->second = first;
}

std::int64_t IdSet::count_below(std::int64_t id) const {
  std::int64_t count = 0;
  for (auto range = ranges_.begin(); range != ranges_.end() && range->first < id; ++range) {
    count += std::min(range->second, id) - range->first;
  }
  return count;
}

std::int64_t IdSet::largest_range_from(std::int64_t id) const {
  std::int64_t largest = 0;
  for (auto range = ranges_.rbegin(); range != ranges_.rend() && range->second > id; ++range) {
    largest = std::max(largest, range->second - std::max(range->first, id));
  }
  return largest;
}

IdRange IdSet::last_run() const {
  if (ranges_.empty()) return {};
  auto first = std::prev(ranges_.end());
  const std::int64_t end = first->second;
  while (first != ranges_.begin() && std::prev(first)->second == first->first) --first;
  return {first->first, end};
}

// --- Ledger ---

void Ledger::violation(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void Ledger::forgotten(const std::string& tag, std::int64_t max_id) {
  std::int64_t& up_to = forgotten_up_to_[tag];
  up_to = std::max(up_to, max_id);
}

bool Ledger::is_doubtful(const std::string& tag, std::int64_t id) const {
  const auto found = forgotten_up_to_.find(tag);
  return found != forgotten_up_to_.end() && id <= found->second;
}

void Ledger::becomes_strict(const std::string& tag, std::int64_t version) {
  strict_.try_emplace(tag, Strict{version});
}

void Ledger::note_strict(const std::function<bool(std::int64_t version)>& all_know, Instant now) {
  for (auto& [tag, strict] : strict_) {
    if (strict.holds != kNever || !all_know(strict.version)) continue;
    strict.holds = now;
    if (trace) trace(tag + " is in strict order");
  }
}

void Ledger::check_strict(const std::string& tag, IdRange range, std::int64_t floor,
                          Instant began) {
  const auto strict = strict_.find(tag);
  if (strict == strict_.end() || strict->second.holds >= began) return;
  ++strict_calls_;
  if (range.first > floor || is_doubtful(tag, range.first)) return;
  violation("not in strict order: " + tag + " [" + std::to_string(range.first) + ", " +
            std::to_string(range.end) + ") after " + std::to_string(floor));
}

void Ledger::handed_out(const std::string& tag, IdRange range) {
  ids_ += range.size();
  highest_[tag] = std::max(highest_[tag], range.last());
  if (issued_[tag].add(range)) return;
  if (is_doubtful(tag, range.first)) return;
  violation("handed out twice: " + tag + " [" + std::to_string(range.first) + ", " +
            std::to_string(range.end) + ")");
}

// --- Books ---

namespace {
std::string describe(const std::string& process, const std::string& tag, IdRange range) {
  return process + " " + tag + " [" + std::to_string(range.first) + ", " +
         std::to_string(range.end) + ")";
}
}  // namespace

void Books::violation(const std::string& what, const std::string& tag, IdRange range) {
  ledger_.violation(what + ": " + describe(process_, tag, range));
}

void Books::trace(const std::string& what, const std::string& tag, IdRange range) {
  if (ledger_.trace) ledger_.trace(describe(process_, tag, range) + " " + what);
}

void Books::flight_begins(const std::string& tag) {
  if (series_[tag].flights++ > 0) violation("two flights for one tag", tag, {});
  ++flights_;
}

void Books::flight_ends(const std::string& tag) {
  Series& series = series_[tag];
  if (--series.flights == 0) series.flight_limit = kIdMax;
  --flights_;
}

void Books::leased(const std::string& tag, IdRange range, Instant now) {
  Series& series = series_[tag];
  ++leases_;
  trace("leased", tag, range);
  if (range.first < series.highest_end) {
    // This process can see that the store went backwards, so the tag must stop.
    series.stopped_at = std::min(series.stopped_at, now);
    return;
  }
  series.highest_end = range.end;
  series.leased_ids += range.size();
  if (!series.leased.add(range)) violation("the model leased twice", tag, range);
  if (series.has_floor) series.leases[range.first] = {now, troubles_ended_};
  if (range.last() > series.flight_limit) drop(&series, now);
}

void Books::has_floor(const std::string& tag) {
  Series& series = series_[tag];
  series.has_floor = series.limited = true;
}

void Books::check_age(const std::string& tag, const std::vector<IdRange>& ranges, Instant now,
                      Span old_after) {
  Series& series = series_[tag];
  for (const IdRange range : ranges) {
    const auto next = series.leases.upper_bound(range.first);
    if (next == series.leases.begin()) continue;
    const Series::Lease& lease = std::prev(next)->second;
    if (now - lease.at <= old_after || !no_trouble_since(lease.troubles_ended)) continue;
    violation("an id gets old in memory", tag, range);
  }
}

void Books::gives_back(const std::string& tag, IdRange tail) {
  Series& series = series_[tag];
  trace("is given back", tag, tail);
  if (!series.leased.contains(tail)) violation("a tail not leased is given back", tag, tail);
  if (series.last_id >= tail.first) violation("a tail with issued ids is given back", tag, tail);
  // Not even if the call fails: the store may have taken it.
  series.leased.remove_from(tail.first);
  series.leased_ids -= tail.size();
  series.given_back_from = tail.first;
}

void Books::limited(const std::string& tag, std::int64_t max_id, Instant now) {
  Series& series = series_[tag];
  trace("is limited", tag, {max_id, max_id + 1});
  series.limited = series.limited || max_id < kIdMax;
  if (series.flights > 0) series.flight_limit = std::min(series.flight_limit, max_id);
  if (series.highest_end - 1 > max_id) drop(&series, now);
}

void Books::drop(Series* series, Instant now) {
  series->dropped_at = now;
  series->dropped_end = series->highest_end;
}

void Books::issue(const std::string& tag, IdRange range) {
  Series& series = series_[tag];
  trace("handed out", tag, range);
  series.issued_ids += range.size();
  if (range.empty()) violation("an empty range", tag, range);
  if (!series.leased.contains(range)) violation("outside every committed lease", tag, range);
  if (!series.issued.add(range)) violation("twice in one process", tag, range);
  ledger_.handed_out(tag, range);
}

void Books::handed_out(const std::string& tag, const std::vector<IdRange>& ranges, Call call) {
  Series& series = series_[tag];
  for (const IdRange range : ranges) {
    if (call.began > series.stopped_at) violation("a stopped tag goes on", tag, range);
    if (call.began > series.dropped_at && range.first < series.dropped_end) {
      violation("a dropped id", tag, range);
    }
    ledger_.check_strict(tag, range, call.floor_of_all, call.began);
    issue(tag, range);
    if (range.first <= call.floor) violation("out of order", tag, range);
    call.floor = range.last();
    series.last_id = std::max(series.last_id, range.last());
  }
}

void Books::handed_out_consecutive(const std::string& tag, const std::vector<IdRange>& ranges,
                                   const Call& call) {
  if (ranges.size() != 1) violation("consecutive ids in pieces", tag, {});
  std::int64_t& below = series_[tag].given_up_below;
  below = std::max(below, ranges.front().first);
  handed_out(tag, ranges, call);
}

void Books::handed_out_by_block(const std::string& tag, std::int64_t id, const Call& call) {
  Series& series = series_[tag];
  series.blocks = true;
  ledger_.check_strict(tag, {id, id + 1}, call.floor_of_all, call.began);
  issue(tag, {id, id + 1});
  series.last_id = std::max(series.last_id, id);
}

void Books::refused(const std::string& tag) {
  if (!stopped(tag)) violation("stopped without a cause", tag, {});
}

std::optional<std::int64_t> Books::held_ids(const std::string& tag) {
  const Series& series = series_[tag];
  if (series.blocks || series.limited || series.strict) return std::nullopt;
  if (series.stopped_at != kNever) return std::nullopt;
  // What was given up, at the moment when nothing is on its way to a caller.
  const std::int64_t below = series.given_up_below;
  const std::int64_t lost_ids =
      below == 0 ? 0 : series.leased.count_below(below) - series.issued.count_below(below);
  return series.leased_ids - series.issued_ids - lost_ids;
}

std::int64_t Books::largest_held_range(const std::string& tag) {
  const Series& series = series_[tag];
  return series.leased.largest_range_from(series.last_id + 1);
}

IdRange Books::unused_tail(const std::string& tag) {
  Series& series = series_[tag];
  IdRange tail = series.leased.last_run();
  tail.first = std::max(tail.first, series.last_id + 1);
  // Somebody else's ids were then below the tail that was given back.
  if (series.given_back_from != 0 && series.given_back_from != tail.end) return {};
  return tail;
}

}  // namespace featherid::sim
