// SPDX-License-Identifier: MIT
#include "test/proof/sim/period_model.h"

#include <algorithm>

#include "lib/store/period_rules.h"
#include "lib/store/store_arguments.h"

namespace featherid::sim {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Period kFirst{2027, 2, 27};

}  // namespace

void PeriodModel::turn_on() {
  on_ = true;
  step_ = random_.pick(1, 200);
  rows_.record.tag = kTag;
  rows_.record.period = kRule;
  backup_ = rows_;
  started_at_ = end_of(kRule, kFirst) - milliseconds(random_.pick(0, 90000));
  jumped_at_ = scheduler_.now();
}

WallTime PeriodModel::clock() const {
  const auto elapsed = scheduler_.now().time_since_epoch() - hours(1);
  return started_at_ + duration_cast<milliseconds>(elapsed) + ahead_;
}

milliseconds PeriodModel::draw_own_clock() {
  return on_ ? milliseconds(random_.pick(-5400000, 5400000)) : milliseconds(0);
}

WallTime PeriodModel::own_clock(milliseconds ahead) const {
  return healed_ ? clock() : clock() - ahead_ + ahead;
}

SegmentRow PeriodModel::read() const {
  SegmentRow row{kTag, 0, step_};
  row.period = kRule;
  row.read_at = clock();
  return row;
}

Result<IdRange> PeriodModel::lease(const Period& period, LeaseSize size, WallTime own) {
  if (Status refused = refuse_period(read(), period, own); !refused.ok()) {
    unservable_ = unservable_ || refused.code() == StatusCode::kFailedPrecondition;
    return refused;
  }
  if (rows_.max_ids.count(period.number()) == 0) {
    if (Status refused = make_row(period, own); !refused.ok()) return refused;
  }
  std::int64_t& max_id = rows_.max_ids[period.number()];
  const IdRange range{max_id + 1, max_id + 1 + size.most_ids};
  max_id = range.last();
  return range;
}

Status PeriodModel::make_row(const Period& period, WallTime own) {
  const auto made = [&] {
    std::vector<Period> periods;
    for (const auto& [number, each] : rows_.periods) periods.push_back(each);
    return periods;
  };
  note_failovers(rows_.record, failovers_, clock(), own);
  const Result<std::int64_t> first = first_max_id_in(rows_.record, period, kLostMax);
  if (!first.ok()) {
    unservable_ = true;
    return first.status();
  }
  ++days_;
  rows_.max_ids[period.number()] = *first;
  rows_.periods[period.number()] = period;
  for (const Period& old : periods_to_purge(made(), period)) {
    rows_.record.period_gone = std::max<std::int64_t>(rows_.record.period_gone, old.number());
    rows_.max_ids.erase(old.number());
    rows_.periods.erase(old.number());
  }
  trace("the row of " + to_string(period) + " is made at " + std::to_string(*first));
  return {};
}

bool PeriodModel::give_back(const Period& period, IdRange tail) {
  const auto row = rows_.max_ids.find(period.number());
  if (row == rows_.max_ids.end() || row->second != tail.last()) return false;
  row->second = tail.first - 1;
  return true;
}

void PeriodModel::disturb() {
  if (!on_) return;
  const std::int64_t chance = random_.pick(0, 99);
  if (chance < 15) {
    jump(milliseconds(random_.pick(-20000, 20000)));
  } else if (chance < 35) {
    const WallTime midnight = end_of(kRule, period_at(kRule, clock()));
    jump(midnight - clock() - milliseconds(random_.pick(0, 70000)));
  } else if (chance < 40) {
    jump(milliseconds(random_.pick(-90000000, 0)));  // a day, or a little more
  } else if (chance < 45) {
    jump(milliseconds(random_.pick(0, 900000000)));
  } else if (chance < 55) {
    backup_ = rows_;
  } else if (chance < 65) {
    fail_over();
  }
}

void PeriodModel::jump(milliseconds by) {
  ahead_ += by;
  jumped_at_ = scheduler_.now();
  latest_ = std::max(latest_, clock());
  trace("the clock of the days says " + time_text(clock()));
}

// The new server has the rows and the record of the last backup. Every row that is left skips.
void PeriodModel::fail_over() {
  for (const auto& [number, max_id] : rows_.max_ids) {
    const auto old = backup_.max_ids.find(number);
    if (max_id - (old != backup_.max_ids.end() ? old->second : 0) > kLostMax) return;
  }
  rows_ = backup_;
  ++failovers_;
  if (random_.percent(50)) {
    note_failovers(rows_.record, failovers_, clock(), own_clock(draw_own_clock()));
  }
  for (auto& [number, max_id] : rows_.max_ids) max_id += kLostMax;
  backup_ = rows_;
  trace("a failover loses leases of days");
}

// The clock goes on where it was latest, so that no row is missing that was removed.
void PeriodModel::heal() {
  if (!on_) return;
  healed_ = true;
  const WallTime now = clock();
  if (latest_ > now) jump(latest_ - now);
}

void PeriodModel::trace(const std::string& what) const {
  if (ledger_.trace) ledger_.trace("database: " + what);
}

// --- PeriodBook ---

void PeriodBook::read(WallTime read_at, Instant asked, Instant answered) {
  before_ = last_;
  last_ = Read{read_at, asked, answered};
}

void PeriodBook::leased(const Period& period, IdRange range) {
  leased_[period.number()].add(range);
}

void PeriodBook::gives_back(const Period& period, IdRange tail) {
  if (!issued_[period.number()].add(tail)) {
    violation("a tail with issued ids is given back", period);
  }
}

// Whether the period had begun and not ended, by what the process was told of the clock.
bool PeriodBook::Read::allows(const Period& period, Instant now) const {
  const WallTime earliest = at + duration_cast<milliseconds>(now - answered);
  const WallTime latest = at + duration_cast<milliseconds>(now - asked);
  return earliest >= begin_of(PeriodModel::kRule, period) &&
         latest <= end_of(PeriodModel::kRule, period) + seconds(1);
}

void PeriodBook::handed_out(const PeriodRanges& ids, Instant now, const PeriodModel& model) {
  const Period& period = ids.period;
  for (const IdRange& range : ids.ranges) {
    ledger_.handed_out(period_row(PeriodModel::kTag, period), range);
    if (!leased_[period.number()].contains(range)) {
      violation("outside every committed lease", period);
    }
    issued_[period.number()].add(range);
  }
  const bool allowed =
      (last_ && last_->allows(period, now)) || (before_ && before_->allows(period, now));
  if (!allowed) violation("an id outside its period, as the process knows it", period);
  if (!last_ || model.jumped_at() >= last_->asked) return;
  const WallTime clock = model.clock();
  if (clock < begin_of(PeriodModel::kRule, period)) violation("an id before its period", period);
  if (clock > end_of(PeriodModel::kRule, period) + seconds(1)) {
    violation("an id after its period", period);
  }
}

void PeriodBook::violation(const std::string& what, const Period& period) {
  ledger_.violation(what + ": " + period_row(PeriodModel::kTag, period));
}

}  // namespace featherid::sim
