// SPDX-License-Identifier: MIT
#include "test/proof/sim/model_store.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

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
  if (faults.backwards && random_.percent(5)) {
    ++rewinds_;
    for (const auto& [tag, old] : backup_) {
      const auto row = rows.find(tag);
      if (row == rows.end() || row->second.max_id <= old.max_id) continue;
      ledger_.forgotten(tag, row->second.max_id);
      row->second.max_id = old.max_id;
      row->second.step = old.step;
      row->second.cap = old.cap;
      trace(tag + " goes back to max_id " + std::to_string(old.max_id));
    }
  }
  if (faults.operators) change_row();
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
  } else if (chance < 80) {
    max_id += std::min(kIdMax - max_id, random_.pick(0, 1000));
  } else if (chance < 90) {
    remove_row(std::string(row->first));
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
  if (rows.emplace(tag, Row{records[tag].removed_max_id, random_.pick(1, kStepMax)}).second) {
    trace(tag + " is created again");
  }
}

void ModelDatabase::remove_row(const std::string& tag) {
  Record& record = records[tag];
  record.version = record.recalled = ++version;
  record.removed_max_id = rows[tag].max_id;
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
  for (const std::string& tag : tags) rows.emplace(tag, Row{records[tag].removed_max_id, 1});
  for (auto& [tag, row] : rows) {
    row.step = std::max<std::int64_t>(1, row.step);
    row.cap = kIdMax;
  }
  scheduler_.wake_all(this);
}

// --- ModelStore ---

Result<IdRange> ModelStore::lease(std::string_view tag, LeaseSize size) {
  if (severed_) return lost("in a process that died");
  std::string name(tag);
  const Flight flight(books_, name);
  ModelDatabase& database = database_;
  Result<IdRange> leased =
      database_.call<IdRange>(books_, [&database, name, size]() -> Result<IdRange> {
        const auto row = database.rows.find(name);
        if (row == database.rows.end()) return no_such_tag();
        std::int64_t& max_id = row->second.max_id;
        const std::int64_t left = row->second.cap - max_id;
        if (left < size.least_ids) return Status(StatusCode::kExhausted, "exhausted");
        const std::int64_t count_ids = std::min(database.grant(size), left);
        max_id += count_ids;
        return IdRange{max_id - count_ids + 1, max_id + 1};
      });
  if (leased.ok() && !severed_) books_.leased(name, *leased, Scheduler::current().now());
  return leased;
}

Result<SegmentRow> ModelStore::find(std::string_view tag) {
  if (severed_) return lost("in a process that died");
  std::string name(tag);
  const Flight flight(books_, name);
  auto& rows = database_.rows;
  Result<SegmentRow> found =
      database_.call<SegmentRow>(books_, [&rows, name]() -> Result<SegmentRow> {
        const auto row = rows.find(name);
        if (row == rows.end()) return no_such_tag();
        return SegmentRow{name, row->second.max_id, row->second.step, row->second.cap,
                          row->second.order};
      });
  if (found.ok() && found->order == TagOrder::kStrict) books_.saw_strict(name);
  return found;
}

Result<bool> ModelStore::give_back(std::string_view tag, IdRange tail) {
  if (severed_) return lost("in a process that died");
  std::string name(tag);
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
