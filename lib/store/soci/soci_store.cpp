// SPDX-License-Identifier: MIT
#include "featherid/soci_store.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "lib/base/random_text.h"
#include "lib/store/soci/soci_addresses.h"
#include "lib/store/soci/soci_connector.h"
#include "lib/store/soci/soci_rows.h"
#include "lib/store/soci/soci_schema.h"
#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"

namespace featherid {

namespace {

using soci::into;
using soci::use;

class SociStore final : public Store, private SociRows {
 public:
  SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options);

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

  Result<std::vector<TagInfo>> list(const TagQuery& query) override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& change) override;
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by) override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by) override;
  Status remove(std::string_view tag, std::string_view by) override;
  Status probe() override;
  std::string leader() const override { return leader_guard_.leader(); }
  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override {
    if (Status status = check_give_back(tag, tail); !status.ok()) return status;
    return exchange_max_id(tag, tail.last(), tail.first - 1, applied);
  }

  // As query_soci().
  Result<std::vector<std::string>> query(const std::string& sql);

  // As init_soci_schema().
  Status init_schema(std::vector<std::string>* tags_made);

 private:
  Status no_place_for_options(std::string_view tag) const;
  Status no_place_for_removal(std::string_view tag) const;
  // Adds to rows in order what is recorded of their tags.
  void add_records(SociSession& session, std::vector<TagInfo>* rows) const;
  // As many ids of a tag as the failovers so far may have lost.
  std::int64_t ids_lost_in_failovers(std::int64_t step) const;

  std::vector<std::string> tags(SociSession& session) const;  // of all rows, in order
  // Calls `on_row` for each row of the query, in order. Returns how many there were.
  template <typename OnRow>  // void(const RawRow&)
  std::int64_t for_each_row(SociSession& session, const TagQuery& query, OnRow on_row) const;
  // Makes the tables and their first rows if they are missing. Returns the tags that it made.
  std::vector<std::string> fill_schema(SociSession& session) const;

  // For create() and update(): the record's time floor and, for update(), its cap. They may be
  // refused; false as of run_on_row().
  Status create_floor(SociSession& session, const TimeFloor& floor, std::int64_t max_id,
                      TagRecord* record);
  Result<bool> change_bounds(SociSession& session, const TagChange& change, TagRecord* record);

  // --- periods ---
  // One try. `missing`: the period has no row yet (kNotFound).
  Result<IdRange> lease_once(SociSession& session, std::string_view tag, const Period& period,
                             LeaseSize size, bool* missing);
  Status make_row(std::string_view tag, const Period& period);
  // Removes the rows of old periods. What it cannot do now, a later call does.
  void purge_rows(std::string_view tag, const Period& newest);
  // The periods of the tag that have a row, the oldest first.
  std::vector<Period> periods_of(SociSession& session, std::string_view tag, PeriodKind kind) const;
  // Refuses the name of a row of a tag's period.
  Status refuse_period_row(SociSession& session, std::string_view name) const;
  Status refuse_foreign_periods(SociSession& session, const TagRecord& record,
                                const PeriodRule& wanted) const;

  // Called after a session could not read its clock: it may have lost its time zone.
  Status regain_clock(SociSession& session);

  // A row that somebody else made for a removed tag must not begin its series again.
  Status refuse_removed(SociSession& session, const SegmentRow& row) const;

  const LogCallback log_;
  const std::int64_t failover_guard_ids_;
  std::atomic<std::int64_t> applied_{0};  // the last change that the callers of changes() applied
};

SociStore::SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options)
    : SociRows(std::move(addresses), options),
      log_(options.log),
      failover_guard_ids_(options.failover_guard_ids) {}

std::vector<std::string> SociStore::tags(SociSession& session) const {
  std::vector<std::string> tags;
  for_each_row(session, {}, [&](const RawRow& raw) { tags.push_back(raw.tag); });
  return tags;
}

template <typename OnRow>
std::int64_t SociStore::for_each_row(SociSession& session, const TagQuery& query,
                                     OnRow on_row) const {
  const long long count_max = query.count_max;
  std::int64_t rows = 0;
  RawRow raw;
  session.for_each_row(
      dialect_.list,
      [&] {
        ++rows;
        on_row(raw);
      },
      use(query.prefix, "prefix"), use(query.after, "after"), use(count_max, "count"),
      into(raw.tag), into(raw.max_id), into(raw.step), into(raw.cap), into(raw.strict),
      into(raw.floor), into(raw.period));
  return rows;
}

// The tags are read on the session that makes them: another address may lag behind.
std::vector<std::string> SociStore::fill_schema(SociSession& session) const {
  const std::vector<std::string> statements = split_statements(dialect_.schema);
  session.run(statements.front());  // makes id_segments
  // A session of SQLite makes a new file's tags by itself.
  const std::vector<std::string> before =
      sessions_->has_made_schema() ? std::vector<std::string>() : tags(session);
  for (std::size_t i = 1; i < statements.size(); ++i) session.run(statements[i]);
  const std::vector<std::string> after = tags(session);
  std::vector<std::string> made;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(made));
  return made;
}

Result<std::vector<std::string>> SociStore::query(const std::string& sql) {
  return call(
      [&](SociSession& session) -> Result<std::vector<std::string>> {
        std::vector<std::string> answers;
        std::string text;
        soci::indicator indicator = soci::i_ok;
        session.for_each_row(
            sql,
            [&] {
              if (indicator != soci::i_null) answers.push_back(text);
            },
            into(text, indicator));
        return answers;
      },
      Repeat::kNever);
}

Status SociStore::init_schema(std::vector<std::string>* tags_made) {
  Status status;
  std::vector<std::string> made;
  // PostgreSQL's IF NOT EXISTS fails if two run it at once; the next try finds the table.
  for (int tries = 0; tries < 3; ++tries) {
    status = transact([&](SociSession& session) {
      if (dialect_.schema_begin != nullptr) session.run_script(dialect_.schema_begin);
      made = fill_schema(session);
      if (dialect_.schema_end != nullptr) session.run_script(dialect_.schema_end);
      if (session.settings().in_galera) session.run_script(dialect_.leader.mark.schema);
      // A failover that loses the first leader's record would go unnoticed, so it is made before
      // any lease.
      if (!leader_guard_.active(session)) return Status();
      const Result<bool> changed = settings_guard_.changed(session);  // by the new tables
      return changed.ok() ? follow_leader(session) : changed.status();
    });
    if (status.code() != StatusCode::kAlreadyExists) break;
  }
  if (tags_made != nullptr) *tags_made = std::move(made);
  return status;
}

Result<IdRange> SociStore::lease(std::string_view tag, LeaseSize size) {
  if (Status status = check_lease(tag, size); !status.ok()) return status;
  return transact([&](SociSession& session) -> Result<IdRange> {
    records_.look(session);
    if (Status status = refuse_period_row(session, tag); !status.ok()) return status;
    std::int64_t count_ids = size.most_ids;
    if (const auto known = floors_.find(tag)) count_ids = within_lead(known->floor, size);
    Status refused;
    // The first lease of a process learns the term. Further tries follow a failover or a change of
    // settings in between.
    for (int tries = 0; tries < kTriesMax; ++tries) {
      const Result<std::optional<IdRange>> range = move_row(session, tag, count_ids);
      if (!range.ok()) return range.status();
      if (*range) {
        if (session.settings().in_galera) mark_other_nodes(session);
        return **range;
      }
      const std::optional<KnownFloors::Known> stated_floor = floors_.find(tag);
      const Result<SegmentRow> row = find_row(session, tag);
      if (!row.ok()) return row.status();
      if (Status removed = refuse_removed(session, *row); !removed.ok()) return removed;
      if (row->period.is_set()) return has_periods(tag);
      if (row->floor.is_set() && row->read_at == WallTime()) {
        if (Status status = regain_clock(session); !status.ok()) return status;
        continue;
      }
      if (row->floor.is_set()) {
        Status ahead = refuse_clock(tag, row->read_at, own_clock_());
        if (!ahead.ok()) return ahead;
      }
      refused = refused_lease(*row, size, table_);
      const std::int64_t grants = ids_to_grant(*row, size);
      if (grants == 0) break;
      if (std::exchange(count_ids, grants) > grants) continue;  // its end is near
      if (!(floors_.find(tag) == stated_floor)) continue;       // the tag has another floor now
      const Result<bool> changed = settings_guard_.changed(session);
      if (!changed.ok()) return changed.status();
      if (*changed) continue;
      if (!leader_guard_.active(session)) break;
      if (Status status = follow_leader(session); !status.ok()) return status;
    }
    return refused;
  });
}

// --- periods ---

Result<IdRange> SociStore::lease_in_period(std::string_view tag, const Period& period,
                                           LeaseSize size) {
  if (Status s = check_lease_in_period(tag, period, size); !s.ok()) return s;
  Result<IdRange> leased = changed_meanwhile(tag);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    bool missing = false;
    leased = transact([&](SociSession& session) {
      missing = false;
      return lease_once(session, tag, period, size, &missing);
    });
    if (!missing) return leased;
    if (Status status = make_row(tag, period); !status.ok()) return status;
  }
  return leased;
}

Result<IdRange> SociStore::lease_once(SociSession& session, std::string_view tag,
                                      const Period& period, LeaseSize size, bool* missing) {
  records_.look(session);
  const std::string name = period_row(tag, period);
  std::int64_t count_ids = size.most_ids;
  Status refused = changed_meanwhile(tag);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const PeriodRule stated = periods_.find(tag);
    const Result<std::optional<IdRange>> range = move_row_in(session, tag, period, count_ids);
    if (!range.ok()) return range.status();
    if (*range) {
      if (session.settings().in_galera) mark_other_nodes(session);
      return **range;
    }
    const Result<SegmentRow> base = find_row(session, tag);
    if (!base.ok()) return base.status();
    if (base->period.is_set() && base->read_at == WallTime()) {
      if (Status status = regain_clock(session); !status.ok()) return status;
      continue;
    }
    if (Status s = refuse_period(*base, period, own_clock_()); !s.ok()) return s;
    if (base->period != stated) continue;
    Result<SegmentRow> row = find_row(session, name);
    *missing = row.status().code() == StatusCode::kNotFound;
    if (!row.ok()) return row.status();
    row->cap = base->cap;
    refused = refused_lease(*row, size, table_);
    const std::int64_t grants = ids_to_grant(*row, size);
    if (grants == 0) break;
    if (std::exchange(count_ids, grants) > grants) continue;  // its end is near
    const Result<bool> changed = settings_guard_.changed(session);
    if (!changed.ok()) return changed.status();
    if (*changed) continue;
    if (!leader_guard_.active(session)) break;
    if (Status status = follow_leader(session); !status.ok()) return status;
  }
  return refused;
}

Status SociStore::make_row(std::string_view tag, const Period& period) {
  const std::string name = period_row(tag, period);
  bool full = false;
  const auto make = [&](SociSession& session, const Change& change) -> Result<bool> {
    const Result<SegmentRow> base = find_row(session, tag);
    if (!base.ok()) return base.status();
    std::optional<TagRecord> record = change.recorded ? records_.find(session, tag) : std::nullopt;
    if (!record) return no_place_for_options(tag);
    if (Status s = refuse_period(*base, period, own_clock_()); !s.ok()) return s;
    if (find_raw(session, name).ok()) return true;  // another process was faster
    const bool noted =
        note_failovers(*record, leader_guard_.failovers(), base->read_at, own_clock_());
    const Result<std::int64_t> first =
        first_max_id_in(*record, period, std::max(failover_guard_ids_, 10 * base->step));
    if (!first.ok()) return first.status();
    const long long max_id = *first;
    const long long step = base->step;
    const std::string sql = dialect_.create + led(session);
    if (session.run(sql, use(name, "tag"), use(max_id, "max_id"), use(step, "step"))
            .affected_rows == 0) {
      return false;
    }
    full = periods_of(session, tag, period.kind()).size() > kPeriodsKept;
    if (noted) records_.write(session, *record);
    return true;
  };
  const Result<bool> made = change_tag(Needs::kLeader, make);
  if (made.status().code() == StatusCode::kAlreadyExists) return {};
  if (!made.ok()) return made.status();
  if (full) purge_rows(tag, period);
  return *made ? Status() : changed_meanwhile(tag);
}

// In a transaction of its own: whoever may not delete rows still leases.
void SociStore::purge_rows(std::string_view tag, const Period& newest) {
  const auto purge = [&](SociSession& session, const Change& change) -> Result<bool> {
    std::optional<TagRecord> record = change.recorded ? records_.find(session, tag) : std::nullopt;
    if (!record) return no_place_for_options(tag);
    for (const Period& old : periods_to_purge(periods_of(session, tag, newest.kind()), newest)) {
      const std::string name = period_row(tag, old);
      record->period_gone = std::max<std::int64_t>(record->period_gone, old.number());
      if (!run_on_row(session, dialect_.remove, use(name, "tag"))) return false;
    }
    records_.write(session, *record);
    return true;
  };
  const Result<bool> purged = change_tag(Needs::kRow, purge);
  if (purged.ok() || !log_) return;
  log_(LogLevel::kWarn, "the rows of old periods of tag '" + std::string(tag) +
                            "' cannot be removed: " + purged.status().message() +
                            "; grant DELETE on " + table_);
}

std::vector<Period> SociStore::periods_of(SociSession& session, std::string_view tag,
                                          PeriodKind kind) const {
  std::vector<Period> periods;
  TagQuery query;
  query.prefix = std::string(tag) + "@";
  for_each_row(session, query, [&](const RawRow& raw) {
    const std::optional<PeriodRow> row = parse_period_row(raw.tag);
    if (!row || row->tag != tag) return;
    if (kind == PeriodKind::kNone || row->period.kind() == kind) periods.push_back(row->period);
  });
  return periods;
}

Status SociStore::refuse_period_row(SociSession& session, std::string_view name) const {
  const std::optional<PeriodRow> row = parse_period_row(name);
  if (!row || !session.settings().has_records) return {};
  const std::optional<TagRecord> record = records_.find(session, row->tag);
  return record && record->period.is_set() ? only_in_period(name, row->tag) : Status();
}

Status SociStore::refuse_foreign_periods(SociSession& session, const TagRecord& record,
                                         const PeriodRule& wanted) const {
  if (record.period.is_set()) return keep_period(record, wanted);
  if (!wanted.is_set()) return {};
  const std::vector<Period> others = periods_of(session, record.tag, PeriodKind::kNone);
  return others.empty() ? Status() : foreign_period(record.tag, others.front());
}

Result<SegmentRow> SociStore::find(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return call([&](SociSession& session) -> Result<SegmentRow> {
    records_.look(session);
    if (Status status = refuse_period_row(session, tag); !status.ok()) return status;
    Result<SegmentRow> row = find_row(session, tag);
    if (!row.ok() || !row->period.is_set() || row->read_at != WallTime()) return row;
    if (Status status = regain_clock(session); !status.ok()) return status;
    return find_row(session, tag);
  });
}

Result<TagChanges> SociStore::changes(std::int64_t version) {
  for (std::int64_t old = applied_; old < version;) {
    if (applied_.compare_exchange_weak(old, version)) break;
  }
  return changes_for_other(version);
}

Result<TagChanges> SociStore::changes_for_other(std::int64_t version) {
  return call([&](SociSession& session) -> Result<TagChanges> {
    if (leader_guard_.active(session) && !leader_guard_.has_known_term(session)) {
      Status status = settings_guard_.check(session);
      if (status.ok()) status = follow_leader(session);
      if (!status.ok()) return status;
    }
    TagChanges changes;
    if (!records_.look(session)) return changes;
    changes.version = records_.head(session).version;
    if (version < 0 || version == changes.version) return changes;
    const std::int64_t known = known_change(version, changes.version);
    for (const TagRecord& record : records_.changed(session, known, changes.version)) {
      add_limit(record, known, &changes);
    }
    return changes;
  });
}

Result<std::vector<TagInfo>> SociStore::list(const TagQuery& query) {
  if (Status status = check_query(query); !status.ok()) return status;
  return call([&](SociSession& session) -> Result<std::vector<TagInfo>> {
    std::vector<TagInfo> rows;
    TagQuery rest = query;
    const auto add_row = [&](const RawRow& raw) {
      const Result<SegmentRow> row = raw.read(table_);
      if (row.ok()) {
        rows.push_back(tag_info(*row, TagRecord()));
      } else if (log_) {
        log_(LogLevel::kWarn, session.where() + ": " + row.status().message());
      }
      rest.after = raw.tag;
    };
    // Again if some of them could not be read.
    do {
      rest.count_max = query.count_max - static_cast<std::int64_t>(rows.size());
    } while (rest.count_max > 0 && for_each_row(session, rest, add_row) == rest.count_max);
    if (!rows.empty() && records_.look(session)) add_records(session, &rows);
    return rows;
  });
}

void SociStore::add_records(SociSession& session, std::vector<TagInfo>* rows) const {
  std::map<std::string, TagRecord> records;
  for (TagRecord& record : records_.between(session, rows->front().tag, rows->back().tag)) {
    std::string tag = record.tag;
    records.insert_or_assign(std::move(tag), std::move(record));
  }
  for (TagInfo& row : *rows) {
    const auto found = records.find(row.tag);
    if (found == records.end()) continue;
    row.cap = found->second.cap;
    row.order = found->second.order;
    row.floor = found->second.floor;
    row.period = found->second.period;
    row = tag_info(row, found->second);
  }
}

Result<TagInfo> SociStore::info(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return call([&](SociSession& session) -> Result<TagInfo> {
    const bool recorded = records_.look(session);
    const Result<SegmentRow> row = find_row(session, tag);
    if (!row.ok()) return row.status();
    const std::optional<TagRecord> record = recorded ? records_.find(session, tag) : std::nullopt;
    return tag_info(*row, record.value_or(TagRecord()));
  });
}

Status SociStore::no_place_for_options(std::string_view tag) const {
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) +
              "' can have no options and is not created automatically, "
              "because the table " +
              names_.in("id_tags") + " is missing or may not be used; run featherid init"};
}

// Without a record, running processes would not hear of it, and a tag that is created again would
// start at 1.
Status SociStore::no_place_for_removal(std::string_view tag) const {
  return {
      StatusCode::kFailedPrecondition,
      "tag '" + std::string(tag) +
          names_.in("' cannot be removed, because the table id_tags, which keeps where a removed "
                    "tag was, is missing or may not be used; run featherid init, "
                    "or grant SELECT, INSERT and UPDATE on it")};
}

Status SociStore::refuse_removed(SociSession& session, const SegmentRow& row) const {
  if (!session.settings().has_records) return {};
  const std::optional<TagRecord> record = records_.find(session, row.tag);
  return record && is_below_removed(*record, row) ? below_removed(*record, row, table_) : Status();
}

Status SociStore::regain_clock(SociSession& session) {
  settings_guard_.set_up(session);
  return store_time(session).status();
}

std::int64_t SociStore::ids_lost_in_failovers(std::int64_t step) const {
  const std::int64_t each = std::max(failover_guard_ids_, 10 * step);
  return std::min(leader_guard_.failovers(), kIdMax / each) * each;
}

Status SociStore::create(std::string_view tag, const NewTag& tag_to_make) {
  if (Status status = check_new_tag(tag, tag_to_make); !status.ok()) return status;
  if (Status status = refuse_reserved(tag); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long step = tag_to_make.step;
  const bool plain = is_plain(tag_to_make.options);
  Status refused;
  const auto make = [&](SociSession& session, const Change& change) -> Result<bool> {
    if (find_raw(session, tag).ok()) return tag_exists(tag);
    if (Status unread = records_.refuse_unread(session, tag); !unread.ok()) return unread;
    const std::optional<TagRecord> old =
        change.recorded ? records_.find(session, tag) : std::nullopt;
    const Result<std::int64_t> first =
        first_max_id(tag, tag_to_make, old, ids_lost_in_failovers(step));
    refused = first.status();
    if (!change.recorded && (!plain || tag_to_make.automatic)) refused = no_place_for_options(tag);
    if (!refused.ok()) return refused;
    const long long max_id = *first;
    TagRecord record = old.value_or(TagRecord());
    record.tag = tag_text;
    record.version = change.head.version;
    refused = refuse_foreign_periods(session, record, tag_to_make.options.period);
    if (!refused.ok()) return refused;
    create_in(record, tag_to_make, change.head.now);
    refused = create_floor(session, tag_to_make.options.floor, max_id, &record);
    if (refused.ok()) refused = check_options(record);
    if (!refused.ok()) return refused;
    const std::string sql =
        dialect_.create + (tag_to_make.automatic ? led(session) : stated(session));
    if (session.run(sql, use(tag_text, "tag"), use(max_id, "max_id"), use(step, "step"))
            .affected_rows == 0) {
      return false;
    }
    if (change.recorded) records_.write(session, record);
    return true;
  };
  const Result<bool> made = change_tag(tag_to_make.automatic ? Needs::kLeader : Needs::kRow, make);
  if (made.ok()) return *made ? Status() : changed_meanwhile(tag);
  if (!refused.ok()) return refused;
  const Status& status = made.status();
  if (status.code() == StatusCode::kNotFound) {  // the column cannot hold it
    return {StatusCode::kFailedPrecondition, status.message()};
  }
  if (status.code() != StatusCode::kAlreadyExists) return status;
  const Status found = find(tag).status();
  return {StatusCode::kAlreadyExists,
          found.code() == StatusCode::kNotFound ? found.message() : status.message()};
}

// A tag that is created again keeps the floor that it had.
Status SociStore::create_floor(SociSession& session, const TimeFloor& floor, std::int64_t max_id,
                               TagRecord* record) {
  if (!floor.is_set() && !record->floor.is_set()) return {};
  SegmentRow row{record->tag, max_id, 1, record->cap};
  row.floor = record->floor;
  const Result<WallTime> now = store_time(session);
  return now.ok() ? change_floor_in(*record, row, as_change(floor), *now) : now.status();
}

Status SociStore::update(std::string_view tag, const TagChange& change) {
  if (Status status = check_change(tag, change); !status.ok()) return status;
  const std::string tag_text(tag);
  const bool plain = is_plain(change);
  const auto set = [&](SociSession& session, const Change& made) -> Result<bool> {
    const Result<RawRow> raw = find_raw(session, tag);
    if (!raw.ok()) return raw.status();
    if (Status status = refuse_period_row(session, tag); !status.ok()) return status;
    if (!made.recorded && !plain) return no_place_for_options(tag);
    const long long step = change.step.value_or(0);
    if (change.step &&
        !run_on_row(session, dialect_.update, use(step, "step"), use(tag_text, "tag"))) {
      return false;
    }
    if (!made.recorded) return true;
    TagRecord record = records_.find(session, tag).value_or(TagRecord());
    record.tag = tag_text;
    record.version = made.head.version;
    change_in(record, change, made.head.now);
    Result<bool> bounded = change_bounds(session, change, &record);
    if (!took_effect(bounded)) return bounded;
    if (Status misfit = check_options(record); !misfit.ok()) return misfit;
    records_.write(session, record);
    return true;
  };
  const Result<bool> done = change_tag(Needs::kRow, set);
  if (!done.ok()) return done.status();
  return *done ? Status() : changed_meanwhile(tag);
}

// Locks the row first, so that no lease comes between reading max_id and writing the record.
Result<bool> SociStore::change_bounds(SociSession& session, const TagChange& change,
                                      TagRecord* record) {
  if (!change.cap && change.floor.empty()) return true;
  const long long no_max_id = 0;
  if (!run_on_row(session, dialect_.advance, use(no_max_id, "max_id"), use(record->tag, "tag"))) {
    return false;
  }
  const Result<SegmentRow> row = find_row(session, record->tag);
  if (!row.ok()) return row.status();
  if (change.cap && *change.cap < row->max_id) {
    return cap_below(record->tag, *change.cap, row->max_id);
  }
  if (change.floor.empty() && !row->floor.is_set()) return true;
  const Result<WallTime> now = store_time(session);
  if (!now.ok()) return now.status();
  if (Status s = change_floor_in(*record, *row, change.floor, *now); !s.ok()) return s;
  recall_if_moved(*record, row->floor);
  return true;
}

Status SociStore::advance(std::string_view tag, std::int64_t max_id, std::string_view by) {
  if (Status status = check_advance(tag, max_id, by); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long new_max_id = max_id;
  const auto move = [&](SociSession& session, const Change& change) -> Result<bool> {
    const Result<SegmentRow> row = find_row(session, tag);
    if (!row.ok()) return row.status();
    if (!change.recorded || row->max_id >= max_id) return false;  // there is nothing to record
    if (!run_on_row(session, dialect_.advance, use(new_max_id, "max_id"), use(tag_text, "tag"))) {
      return false;
    }
    TagRecord record = records_.find(session, tag).value_or(TagRecord());
    record.tag = tag_text;
    record.version = change.head.version;
    move_in(record, by, change.head.now);
    records_.write(session, record);
    return true;
  };
  // Without a record below: who may only move rows must still be able to, after a restore.
  // And what is recorded of a period's row would outlive it.
  if (!by.empty() && !parse_period_row(tag)) {
    const Result<bool> done = change_tag(Needs::kRow, move);
    const bool open = done.status().code() == StatusCode::kUnavailable;  // it may be done
    if (open || (done.ok() && *done)) return done.status();
  }
  return write_row(tag, dialect_.advance, use(new_max_id, "max_id"), use(tag_text, "tag"));
}

// What writes nothing locks the row first, so that no lease comes between reading max_id and
// deleting the row.
Status SociStore::remove(std::string_view tag, std::string_view by) {
  if (Status status = check_remove(tag, by); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long no_max_id = 0;
  const auto take_out = [&](SociSession& session, const Change& change) -> Result<bool> {
    const Result<RawRow> raw = find_raw(session, tag);
    if (!raw.ok()) return raw.status();
    if (!change.recorded) return no_place_for_removal(tag);
    if (Status status = refuse_period_row(session, tag); !status.ok()) return status;
    if (!run_on_row(session, dialect_.advance, use(no_max_id, "max_id"), use(tag_text, "tag"))) {
      return false;
    }
    const Result<SegmentRow> row = find_row(session, tag);
    if (!row.ok()) return row.status();
    TagRecord record = records_.find(session, tag).value_or(TagRecord());
    record.tag = tag_text;
    record.version = change.head.version;
    remove_in(record, row->max_id, by, change.head.now);
    records_.write(session, record);
    return run_on_row(session, dialect_.remove, use(tag_text, "tag"));
  };
  const Result<bool> done = change_tag(Needs::kRow, take_out);
  if (!done.ok()) return done.status();
  return *done ? Status() : changed_meanwhile(tag);
}

Result<bool> SociStore::give_back(std::string_view tag, IdRange tail) {
  return give_back_for_other(tag, tail, applied_);
}

// The name is in the row that counts the changes, so every engine has a place for it.
Result<StoreIdentity> SociStore::identity() {
  const auto read = [&](SociSession& session) -> Result<StoreIdentity> {
    if (!records_.look(session) && !records_.look(session, /*ask=*/true)) {
      return Status(StatusCode::kFailedPrecondition,
                    names_.in("the table id_tags, which keeps the name of the store, is missing or "
                              "may not be used; run featherid init, or grant SELECT, INSERT and "
                              "UPDATE on it"));
    }
    return StoreIdentity{records_.store_name(session), leader_guard_.recorded_term(session)};
  };
  Result<StoreIdentity> identity = call(read);
  if (!identity.ok() || !identity->name.empty()) return identity;
  const std::string name = random_text();
  const Status named = transact([&](SociSession& session) -> Status {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      if (records_.name_store(session, name, stated(session))) return {};
      const Result<bool> changed = settings_guard_.changed(session);
      if (!changed.ok()) return changed.status();
      if (!*changed) break;  // another process was first
    }
    return {};
  });
  if (!named.ok()) return named;
  identity = call(read);
  if (!identity.ok() || !identity->name.empty()) return identity;
  return Status(StatusCode::kUnavailable,
                "the settings of the database were changed during the call; try again");
}

Result<bool> SociStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                               std::string_view by) {
  if (Status status = check_rewind(tag, from, to, by); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long old_max_id = from;
  const long long new_max_id = to;
  const auto move_back = [&](SociSession& session, const Change& change) -> Result<bool> {
    if (Status status = refuse_period_row(session, tag); !status.ok()) return status;
    if (change.term != 0 && !leader_guard_.record_renewal(session, change.term)) return false;
    const std::string sql = dialect_.exchange_max_id + stated(session) + once(session);
    if (session
            .run(sql, use(new_max_id, "max_id"), use(tag_text, "tag"), use(old_max_id, "expected"))
            .affected_rows != 1) {
      return false;
    }
    if (!change.recorded) return true;
    TagRecord record = records_.find(session, tag).value_or(TagRecord());
    record.tag = tag_text;
    record.version = record.recalled = change.head.version;
    move_in(record, by, change.head.now);
    records_.write(session, record);
    return true;
  };
  Result<bool> done = change_tag(Needs::kNewTerm, move_back);
  if (done.status().code() == StatusCode::kNotFound) return false;  // no tag of that column
  return done;
}

Status SociStore::probe() {
  // A commit that changes nothing, on the row that init_soci_schema() makes for this.
  Status committed = advance("health", 0, "");
  if (!committed.ok() && committed.code() != StatusCode::kNotFound) return committed;
  // Checks which server leads, as a lease does. No tag is empty, so this matches no row.
  return exchange_max_id("", kIdMax, kIdMax - 1, 0).status();
}

Result<std::unique_ptr<SociStore>> make_store(const std::vector<std::string>& urls,
                                              SociStoreOptions options) {
  Result<std::vector<DatabaseUrl>> addresses = parse_addresses(urls, &options);
  if (!addresses.ok()) return addresses.status();
  return std::make_unique<SociStore>(*std::move(addresses), options);
}

}  // namespace

Result<std::unique_ptr<Store>> open_soci_store(const std::vector<std::string>& urls,
                                               const SociStoreOptions& options) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  if (!store.ok()) return store.status();
  return std::unique_ptr<Store>(*std::move(store));
}

Result<std::unique_ptr<Store>> open_soci_store(std::string_view url,
                                               const SociStoreOptions& options) {
  return open_soci_store(std::vector<std::string>{std::string(url)}, options);
}

std::string sqlite3_file_of(std::string_view url) {
  const Result<DatabaseUrl> parsed = parse_database_url(url);
  return parsed.ok() && parsed->engine == Engine::kSqlite3 ? parsed->database : "";
}

std::string name_soci_tables(std::string_view text, std::string_view url) {
  const Result<DatabaseUrl> parsed = parse_database_url(url);
  return parsed.ok() ? TableNames(*parsed).in(text) : std::string(text);
}

Status init_soci_schema(const std::vector<std::string>& urls, const SociStoreOptions& options,
                        std::vector<std::string>* tags_made) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  if (!store.ok()) return store.status();
  if (Status status = (*store)->init_schema(tags_made); !status.ok()) return status;
  // A failover must not lose the name together with the first leases. Without the right to write
  // it, the first server that leases to others says so.
  static_cast<void>((*store)->identity());
  return {};
}

Status init_soci_schema(std::string_view url, const SociStoreOptions& options,
                        std::vector<std::string>* tags_made) {
  return init_soci_schema(std::vector<std::string>{std::string(url)}, options, tags_made);
}

Result<std::vector<std::string>> query_soci(const std::vector<std::string>& urls,
                                            const std::string& sql,
                                            const SociStoreOptions& options) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  if (!store.ok()) return store.status();
  return (*store)->query(sql);
}

bool soci_threads_left_behind() { return SociConnector::left_threads_behind(); }

}  // namespace featherid
