// SPDX-License-Identifier: MIT
#include "test/proof/sim/model_store.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "lib/store/store_arguments.h"

namespace featherid::sim {

using std::chrono::milliseconds;

namespace {

Status lost(const char* when) {
  return {StatusCode::kUnavailable, std::string("the call failed ") + when};
}
Status no_such_tag() { return {StatusCode::kNotFound, "no such tag"}; }

// Records that a call is under way, however it ends.
class Flight {
 public:
  Flight(Books& books, std::string tag) : books_(books), tag_(std::move(tag)) {
    books_.flight_begins(tag_);
  }
  ~Flight() { books_.flight_ends(tag_); }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

 private:
  Books& books_;
  const std::string tag_;
};

}  // namespace

// --- ModelDatabase ---

void ModelDatabase::pause(Books& books) {
  const bool hangs = faults.never && random_.percent(1);
  if (hangs || (faults.late && random_.percent(10))) {
    const milliseconds late(random_.pick(0, 20000));
    books.trouble_begins();
    scheduler_.wait(this, hangs ? kNever : scheduler_.now() + late);  // or for heal()
    books.trouble_ends();
  } else if (random_.percent(70)) {
    scheduler_.sleep(milliseconds(random_.pick(0, 20)));
  }
}

template <typename T>
Result<T> ModelDatabase::call(Books& books, std::function<Result<T>()> statement) {
  const auto answer = std::make_shared<std::unique_ptr<Result<T>>>();
  scheduler_.spawn(kGroup, [this, &books, answer, statement = std::move(statement)] {
    const auto fails = [&](bool fault) { return fault && random_.percent(10); };
    pause(books);
    Result<T> result = lost("before its commit");
    if (!out_ && !fails(faults.before_commit)) {
      result = statement();
      pause(books);
      if (fails(faults.after_commit)) result = lost("after its commit");
    }
    if (!result.ok()) {
      trace(result.status().to_string());
      books.trouble_begins();
      books.trouble_ends();
    }
    *answer = std::make_unique<Result<T>>(std::move(result));
    scheduler_.wake_all(answer.get());
  });
  while (*answer == nullptr && scheduler_.wait(answer.get())) continue;
  return *answer != nullptr ? **answer : lost("in a process that died");
}

void ModelDatabase::trace(const std::string& what) {
  if (ledger_.trace) ledger_.trace("database: " + what);
}

std::int64_t ModelDatabase::grant(LeaseSize size) {
  const bool fewer = faults.small_leases && random_.percent(20);
  return fewer ? random_.pick(size.least_ids, size.most_ids) : size.most_ids;
}

void ModelDatabase::disturb() {
  if (faults.outage && random_.percent(20)) {
    out_ = !out_;
    trace(out_ ? "an outage begins" : "an outage ends");
  }
  if (random_.percent(20)) backup_ = rows;
  if (faults.backwards && random_.percent(20)) lose_some();
  if (faults.backwards && random_.percent(5)) {
    ++rewinds_;
    for (const auto& [tag, old] : backup_) {
      const auto row = rows.find(tag);
      if (row == rows.end() || row->second.max_id <= old.max_id) continue;
      if (has_promise(row->second)) continue;  // see lose_some()
      ledger_.forgotten(tag, row->second.max_id);
      row->second.max_id = old.max_id;
      row->second.step = old.step;
      row->second.cap = old.cap;
      trace(tag + " goes back to max_id " + std::to_string(old.max_id));
    }
  }
  if (faults.clocks) move_clock();
  if (faults.operators) change_row();
  periods.disturb();
}

// --- clocks and time floors ---

WallTime ModelDatabase::clock() const {
  const auto elapsed =
      std::chrono::duration_cast<milliseconds>(scheduler_.now().time_since_epoch());
  const milliseconds drift(
      static_cast<std::int64_t>(clock_drift_ * static_cast<double>(elapsed.count())));
  return WallTime(std::chrono::seconds(1800000000)) + elapsed + drift + clock_ahead_;
}

// It goes on rightly while the database's drifts and jumps.
WallTime ModelDatabase::own_clock(milliseconds ahead) const {
  if (!faults.clocks) return clock();
  return WallTime(std::chrono::seconds(1800000000)) + ahead +
         std::chrono::duration_cast<milliseconds>(scheduler_.now().time_since_epoch());
}

milliseconds ModelDatabase::draw_clock() {
  return milliseconds(faults.clocks ? random_.pick(-30000, 30000) : 0);
}

void ModelDatabase::move_clock() {
  const std::int64_t chance = random_.pick(0, 99);
  if (chance < 10) {
    clock_ahead_ = milliseconds(random_.pick(-20000, 20000));
  } else if (chance < 15) {
    clock_ahead_ = milliseconds(random_.pick(-7200000, 7200000));
  } else if (chance < 20) {
    clock_drift_ = static_cast<double>(random_.pick(-10, 10)) / 1000;
  } else {
    return;
  }
  trace("the clock says " + time_text(clock()));
}

SegmentRow ModelDatabase::read(const std::string& tag, const Row& row) const {
  SegmentRow read{tag, row.max_id, row.step, row.cap, row.order, row.floor};
  if (row.floor.is_set()) read.read_at = clock();
  return read;
}

Result<IdRange> ModelDatabase::lease(const std::string& tag, LeaseSize size, WallTime own) {
  const auto found = rows.find(tag);
  if (found == rows.end()) return no_such_tag();
  Row& row = found->second;
  SegmentRow now = read(tag, row);
  const bool floored = row.floor.is_set();
  if (floored) {
    if (Status ahead = refuse_clock(tag, now.read_at, own); !ahead.ok()) {
      unservable_.insert(tag);
      return ahead;
    }
    if (row.was_lost && now.read_at < row.lead_until) return lost("while the operator waits");
  }
  const std::int64_t count_ids = ids_to_grant(now, {size.least_ids, grant(size)});
  if (count_ids == 0) return refused_lease(now, size);
  const IdRange range = lease_from(now, count_ids);
  row.max_id = now.max_id;
  if (floored) {
    row.was_lost = false;
    row.leased_at = std::max(row.leased_at, now.read_at);
    row.lead_until =
        std::max(row.lead_until, now.read_at + std::chrono::seconds(row.floor.lead_max_s));
  }
  return range;
}

// No lease of the tag that is lost may be made again.
bool ModelDatabase::has_promise(const Row& row) {
  return row.floor.is_set() && !row.floor.lead_only_warns;
}

// Either a backup comes back and the operator waits; or a failover, after which every tag skips
// some ids.
void ModelDatabase::lose(const std::string& tag, Row& row, std::int64_t old_max_id) {
  const bool failover = clock() >= row.leased_at && random_.percent(50);
  row.max_id = old_max_id;
  row.was_lost = !failover;
  if (failover) row.max_id = std::max(row.max_id, lead_end_at(row.floor, clock()));
  trace(tag + " goes back to max_id " + std::to_string(old_max_id) +
        (failover ? " and skips to " + std::to_string(row.max_id) : ""));
}

// Each tag with a floor by itself: what happens to one tells nothing about another.
void ModelDatabase::lose_some() {
  for (const auto& [tag, old] : backup_) {
    const auto row = rows.find(tag);
    if (row == rows.end() || row->second.max_id <= old.max_id) continue;
    if (!has_promise(row->second) || random_.percent(50)) continue;
    ++losses_;
    lose(tag, row->second, old.max_id);
  }
}

// A tag gets a floor, or a higher one.
void ModelDatabase::set_floor(const std::string& tag, Row& row) {
  TimeFloorChange change;
  change.rate = random_.pick(std::max<std::int64_t>(1, row.floor.rate), 5000);
  change.lead_max_s = random_.pick(1, 60);
  const SegmentRow now = read(tag, row);
  const Result<TimeFloor> floor = changed_floor(now, change, clock());
  if (!floor.ok() || !check_floor_below_cap(tag, *floor, row.cap, clock()).ok()) return;
  if (ledger_.is_doubtful(tag, 1)) return;  // plain ids were lost: the floor makes no promise
  const bool moves = moves_floor(row.floor, *floor);
  row.floor = *floor;
  row.leased_at = std::max(row.leased_at, clock());
  row.lead_until = std::max(row.lead_until, clock() + std::chrono::seconds(floor->lead_max_s));
  records[tag].version = ++version;
  if (moves) records[tag].recalled = version;
  trace(tag + " gets a floor of " + std::to_string(floor->rate) + " ids/s");
}

void ModelDatabase::change_row() {
  if (rows.empty()) return;
  auto row = rows.begin();
  std::advance(row, random_.pick(0, static_cast<std::int64_t>(rows.size()) - 1));
  std::int64_t& max_id = row->second.max_id;
  std::int64_t& step = row->second.step;
  trace("an operator looks at " + row->first);
  const std::int64_t chance = random_.pick(0, 99);
  if (chance < 20) {
    change_cap(row->first, row->second);
  } else if (chance < 30) {
    change_order(row->first, row->second);
  } else if (chance < 40) {
    step = random_.pick(1, kStepMax);
  } else if (chance < 50) {
    step = 0;
    unservable_.insert(row->first);
  } else if (chance < 55) {
    set_floor(row->first, row->second);
  } else if (chance < 80) {
    max_id += std::min(kIdMax - max_id, random_.pick(0, 1000));
  } else if (chance < 90) {
    remove_row(std::string(row->first));
  } else if (chance < 95 && faults.backwards && has_promise(row->second)) {
    ++losses_;
    lose(row->first, row->second, 0);  // dropped, and created again with the same floor
  } else if (chance < 95 && faults.backwards) {
    ++rewinds_;
    ledger_.forgotten(row->first, max_id);
    const std::string tag = row->first;
    rows.erase(row);
    ledger_.becomes_plain(tag);
    scheduler_.spawn(kGroup, [this, tag] {  // an operator who creates it again, from id 1
      scheduler_.sleep(milliseconds(random_.pick(0, 20000)));
      rows.emplace(tag, Row{0, random_.pick(1, kStepMax)});
    });
  }
}

// Also below max_id, as a lease that was under way can leave it.
void ModelDatabase::change_cap(const std::string& tag, Row& row) {
  if (row.floor.is_set()) return;
  const std::int64_t near = std::min(row.max_id, kIdMax - 2000) + random_.pick(-200, 2000);
  row.cap = random_.percent(50) ? kIdMax : std::max<std::int64_t>(1, near);
  records[tag].version = ++version;
  trace(tag + " gets the cap " + std::to_string(row.cap));
}

void ModelDatabase::change_order(const std::string& tag, Row& row) {
  Record& record = records[tag];
  record.version = ++version;
  if (row.order == TagOrder::kStrict) {
    row.order = TagOrder::kPlain;
    ledger_.becomes_plain(tag);
  } else {
    row.order = TagOrder::kStrict;
    record.recalled = version;
    ledger_.becomes_strict(tag, version);
  }
  trace(tag + (row.order == TagOrder::kStrict ? " becomes strict" : " becomes plain"));
}

// A tag that is created again is plain.
void ModelDatabase::create_again(const std::string& tag) {
  Row row = removed_[tag];  // with the floor that it had
  row.step = random_.pick(1, kStepMax);
  row.cap = kIdMax;
  if (rows.emplace(tag, row).second) trace(tag + " is created again");
}

void ModelDatabase::remove_row(const std::string& tag) {
  Record& record = records[tag];
  record.version = record.recalled = ++version;
  record.removed_max_id = rows[tag].max_id;
  removed_[tag] = rows[tag];
  removed_[tag].order = TagOrder::kPlain;
  rows.erase(tag);
  ledger_.becomes_plain(tag);
  trace(tag + " is removed");
  scheduler_.spawn(kGroup, [this, tag] {
    scheduler_.sleep(milliseconds(random_.pick(0, 60000)));
    create_again(tag);
  });
}

void ModelDatabase::heal(const std::vector<std::string>& tags) {
  faults = {};
  out_ = false;
  periods.heal();
  for (const std::string& tag : tags) rows.emplace(tag, removed_[tag]);
  for (auto& [tag, row] : rows) {
    row.step = std::max<std::int64_t>(1, row.step);
    row.cap = kIdMax;
    row.floor.lead_only_warns = true;  // it may be far ahead after a jump of the clock
    if (row.was_lost) clock_ahead_ += std::max(milliseconds(0), row.lead_until - clock());
  }
  scheduler_.wake_all(this);
}

// --- ModelStore ---

Result<IdRange> ModelStore::lease(std::string_view tag, LeaseSize size) {
  if (severed_) return lost("in a process that died");
  std::string name(tag);
  const Flight flight(books_, name);
  ModelDatabase& database = database_;
  const milliseconds ahead = clock_ahead_;
  Result<IdRange> leased =
      database_.call<IdRange>(books_, [&database, name, size, ahead]() -> Result<IdRange> {
        return database.lease(name, size, database.own_clock(ahead));
      });
  books_.answered(leased.status());
  if (leased.ok() && !severed_) books_.leased(name, *leased, Scheduler::current().now());
  return leased;
}

Result<IdRange> ModelStore::lease_in_period(std::string_view tag, const Period& period,
                                            LeaseSize size) {
  if (severed_) return lost("in a process that died");
  const Flight flight(books_, std::string(tag));
  ModelDatabase& database = database_;
  const milliseconds ahead = period_clock_ahead_;
  Result<IdRange> leased =
      database_.call<IdRange>(books_, [&database, period, size, ahead]() -> Result<IdRange> {
        const LeaseSize granted(size.least_ids, database.grant(size));
        return database.periods.lease(period, granted, database.periods.own_clock(ahead));
      });
  books_.answered(leased.status());
  if (leased.ok() && !severed_) period_book_.leased(period, *leased);
  return leased;
}

Result<SegmentRow> ModelStore::find_periods() {
  const Flight flight(books_, PeriodModel::kTag);
  ModelDatabase& database = database_;
  const Instant asked = Scheduler::current().now();
  Result<SegmentRow> found = database_.call<SegmentRow>(
      books_, [&database]() -> Result<SegmentRow> { return database.periods.read(); });
  books_.answered(found.status());
  if (found.ok() && !severed_) {
    period_book_.read(found->read_at, asked, Scheduler::current().now());
  }
  return found;
}

Result<SegmentRow> ModelStore::find(std::string_view tag) {
  if (severed_) return lost("in a process that died");
  if (tag == PeriodModel::kTag) return find_periods();
  std::string name(tag);
  const Flight flight(books_, name);
  ModelDatabase& database = database_;
  Result<SegmentRow> found =
      database_.call<SegmentRow>(books_, [&database, name]() -> Result<SegmentRow> {
        const auto row = database.rows.find(name);
        if (row == database.rows.end()) return no_such_tag();
        return database.read(name, row->second);
      });
  books_.answered(found.status());
  if (found.ok() && found->order == TagOrder::kStrict) books_.saw_strict(name);
  if (found.ok() && found->floor.is_set() && !severed_) books_.has_floor(name);
  return found;
}

Result<bool> ModelStore::give_back(std::string_view tag, IdRange tail) {
  if (severed_) return lost("in a process that died");
  std::string name(tag);
  if (const auto row = parse_period_row(name); row && row->tag == PeriodModel::kTag) {
    period_book_.gives_back(row->period, tail);
    ModelDatabase& database = database_;
    return database_.call<bool>(books_, [&database, row, tail]() -> Result<bool> {
      return database.periods.give_back(row->period, tail);
    });
  }
  books_.gives_back(name, tail);
  auto& rows = database_.rows;
  return database_.call<bool>(books_, [&rows, name, tail]() -> Result<bool> {
    const auto row = rows.find(name);
    if (row == rows.end() || row->second.max_id != tail.last()) return false;
    row->second.max_id = tail.first - 1;
    return true;
  });
}

Result<TagChanges> ModelStore::changes(std::int64_t version) {
  if (severed_) return lost("in a process that died");
  const Flight flight(books_, "");
  ModelDatabase& database = database_;
  Result<TagChanges> changes =
      database_.call<TagChanges>(books_, [&database, version]() -> Result<TagChanges> {
        TagChanges changed;
        changed.version = database.version;
        for (const auto& [tag, record] : database.records) {
          if (version < 0 || record.version <= version) continue;
          const auto row = database.rows.find(tag);
          const bool recalled = record.recalled > version || row == database.rows.end();
          changed.limits.push_back({tag, recalled ? 0 : row->second.cap});
        }
        return changed;
      });
  if (!changes.ok() || severed_) return changes;
  if (version >= 0) books_.told(changes->version);
  for (const TagChanges::Limit& limit : changes->limits) {
    books_.limited(limit.tag, limit.max_id, Scheduler::current().now());
  }
  return changes;
}

}  // namespace featherid::sim
