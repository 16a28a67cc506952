// SPDX-License-Identifier: MIT
#include "test/system/campaign/ledger.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lib/segment/period_stock.h"
#include "test/system/campaign/load.h"

namespace featherid::campaign {

namespace {

std::string text(IdRange ids) {
  return "[" + std::to_string(ids.first) + ", " + std::to_string(ids.end) + ")";
}

bool begins_earlier(IdRange a, IdRange b) { return a.first < b.first; }

Period period_of(const Note& note) {
  return {note.period / 10000, note.period / 100 % 100, note.period % 100};
}

// Sorted, and no two overlap or touch.
std::vector<IdRange> unite(std::vector<IdRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), begins_earlier);
  std::vector<IdRange> united;
  for (const IdRange range : ranges) {
    if (!united.empty() && range.first <= united.back().end) {
      united.back().end = std::max(united.back().end, range.end);
    } else {
      united.push_back(range);
    }
  }
  return united;
}

}  // namespace

Ledger::Ledger(Periods periods)
    : periods_(std::move(periods)),
      clock_behind_us_(std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count() -
                       now_us()) {}

std::int64_t Ledger::note_clock_us(WallTime moment) const {
  return std::chrono::microseconds(moment.time_since_epoch()).count() - clock_behind_us_;
}

void Ledger::example(const std::string& text) {
  constexpr std::size_t kExamplesMax = 20;
  if (verdict_.examples.size() < kExamplesMax) verdict_.examples.push_back(text);
}

void Ledger::add(const std::string& process, const std::vector<std::string>& tags,
                 const std::vector<Note>& notes) {
  struct Place {  // of one thread in one life
    std::uint32_t owner;
    std::vector<Last> last;  // by tag
  };
  std::map<std::pair<int, int>, Place> places;
  for (const Note& note : notes) {
    if (!note.has_ids()) continue;
    const auto [place, fresh] = places.try_emplace({note.life, note.thread});
    if (fresh) {
      place->second = {static_cast<std::uint32_t>(owners_.size()), std::vector<Last>(tags.size())};
      owners_.push_back(process + " life " + std::to_string(note.life) + " thread " +
                        std::to_string(note.thread));
    }
    const IdRange ids{note.first, note.end};
    const std::string& owner = owners_[place->second.owner];
    const std::string& tag = tags.at(note.tag);
    const bool in_period = periods_.count(tag) > 0;
    if (in_period) note_time(owner, tag, note);
    const std::string row = in_period ? period_row(tag, period_of(note)) : tag;
    if (note.kind != Note::kUnorderedIds) {
      note_order(owner, row, place->second.last[note.tag], note);
    }
    by_tag_[row].push_back({ids, place->second.owner});
    if (tag == kStrictTag) {
      strict_.push_back({note.began_us, note.at_us, ids, place->second.owner});
    }
    verdict_.ids += ids.size();
  }
}

// No period comes after a later one.
void Ledger::note_order(const std::string& owner, const std::string& row, Last& last,
                        const Note& note) {
  const bool same = note.period == last.period;
  if (same ? note.first <= last.id : note.period < last.period) {
    ++verdict_.out_of_order;
    example("OUT OF ORDER: " + owner + " got " + text({note.first, note.end}) + " of " + row +
            " after " + std::to_string(last.id) +
            (same ? "" : " of period " + std::to_string(last.period)));
  }
  last = {note.end - 1, note.period};
}

void Ledger::note_time(const std::string& owner, const std::string& tag, const Note& note) {
  const PeriodRule& rule = periods_.at(tag);
  const Period period = period_of(note);
  const std::int64_t begin_us = note_clock_us(begin_of(rule, period));
  const std::int64_t end_us = note_clock_us(end_of(rule, period));
  const std::int64_t late_us = std::chrono::microseconds(PeriodStock::kLateMax).count() + end_us;
  verdict_.periods[tag].insert(note.period);
  verdict_.latest_us = std::max(verdict_.latest_us, note.at_us - end_us);
  const bool early = note.at_us < begin_us;
  const bool late = note.began_us > late_us;
  verdict_.early += early;
  verdict_.late += late;
  if (!early && !late) return;
  example((early ? "EARLY: " : "LATE: ") + owner + " got " + text({note.first, note.end}) + " of " +
          period_row(tag, period) + ", asked for " + std::to_string(note.began_us - end_us) +
          " us after its end, answered " + std::to_string(note.at_us - begin_us) +
          " us after its beginning");
}

void Ledger::check_strict_order() {
  verdict_.strict_calls = static_cast<std::int64_t>(strict_.size());
  const test::Disorder found = test::find_disorder(strict_);
  verdict_.out_of_strict_order = found.calls;
  if (!found.call) return;
  example("NOT IN STRICT ORDER: " + owners_[found.call->caller] + " got " + text(found.call->ids) +
          " from " + std::to_string(found.call->began) + " us on, after " +
          owners_[found.before->caller] + " had got " + text(found.before->ids) + " by " +
          std::to_string(found.before->ended) + " us");
}

Ledger::Verdict Ledger::check(const std::vector<Move>& moves, bool raised) {
  std::map<std::string, std::vector<IdRange>> leases;
  for (const Move& move : moves) {
    // A lease that a time floor has raised lies at the end of its move.
    const std::int64_t from = raised ? std::max(move.from, move.to - kLeaseIdsMax) : move.from;
    if (move.to > from + kLeaseIdsMax) continue;
    if (move.to < move.from) continue;  // a tail given back, or an operator's move
    leases[move.tag].push_back({from + 1, move.to + 1});
    ++verdict_.leases;
  }
  verdict_.wasted = -verdict_.ids;
  for (auto& [tag, ranges] : leases) {
    ranges = unite(std::move(ranges));
    for (const IdRange range : ranges) verdict_.wasted += range.size();
  }
  for (auto& [tag, owned] : by_tag_) {
    std::sort(owned.begin(), owned.end(),
              [](const Owned& a, const Owned& b) { return begins_earlier(a.ids, b.ids); });
    find_duplicates(tag, owned);
    find_outside(tag, owned, leases[tag]);
  }
  return verdict_;
}

void Ledger::find_duplicates(const std::string& tag, const std::vector<Owned>& sorted) {
  const Owned* furthest = nullptr;
  for (const Owned& owned : sorted) {
    if (furthest != nullptr && owned.ids.first < furthest->ids.end) {
      verdict_.duplicates += std::min(owned.ids.end, furthest->ids.end) - owned.ids.first;
      example("DUPLICATE: tag " + tag + ", " + text(furthest->ids) + " went to " +
              owners_[furthest->owner] + " and " + text(owned.ids) + " to " + owners_[owned.owner]);
    }
    if (furthest == nullptr || owned.ids.end > furthest->ids.end) furthest = &owned;
  }
}

void Ledger::find_outside(const std::string& tag, const std::vector<Owned>& sorted,
                          const std::vector<IdRange>& leases) {
  auto lease = leases.cbegin();
  for (const Owned& owned : sorted) {
    while (lease != leases.cend() && lease->end <= owned.ids.first) ++lease;
    const IdRange inside = lease == leases.cend() ? IdRange{owned.ids.first, owned.ids.first}
                                                  : IdRange{std::max(owned.ids.first, lease->first),
                                                            std::min(owned.ids.end, lease->end)};
    const std::int64_t outside = owned.ids.size() - std::max<std::int64_t>(0, inside.size());
    if (outside == 0) continue;
    verdict_.outside_leases += outside;
    example("OUTSIDE: tag " + tag + ", " + text(owned.ids) + " of " + owners_[owned.owner] +
            " lies in no committed lease");
  }
}

}  // namespace featherid::campaign
