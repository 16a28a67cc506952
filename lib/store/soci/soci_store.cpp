// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_store.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "lib/base/random_text.h"
#include "lib/store/soci/soci_addresses.h"
#include "lib/store/soci/soci_connector.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using soci::into;

Result<std::unique_ptr<SociStore>> make_store(const std::vector<std::string>& urls,
                                              SociStoreOptions options) {
  Result<std::vector<DatabaseUrl>> addresses = parse_addresses(urls, &options);
  if (!addresses.ok()) return addresses.status();
  return std::make_unique<SociStore>(*std::move(addresses), options);
}

}  // namespace

SociStore::SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options)
    : SociRows(std::move(addresses), options),
      log_(options.log),
      failover_guard_ids_(options.failover_guard_ids) {}

std::vector<std::string> SociStore::tags(SociSession& session) const {
  std::vector<std::string> tags;
  for_each_row(session, {}, [&](const RawRow& raw) { tags.push_back(raw.tag); });
  return tags;
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
      const Result<bool> again = may_lease_again(session);
      if (!again.ok()) return again.status();
      if (!*again) break;
    }
    return refused;
  });
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

Status SociStore::refuse_removed(SociSession& session, const SegmentRow& row) const {
  if (!session.settings().has_records) return {};
  const std::optional<TagRecord> record = records_.find(session, row.tag);
  return record && is_below_removed(*record, row) ? below_removed(*record, row, table_) : Status();
}

Status SociStore::regain_clock(SociSession& session) {
  settings_guard_.set_up(session);
  return store_time(session).status();
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

Status SociStore::probe() {
  // A commit that changes nothing, on the row that init_soci_schema() makes for this.
  Status committed = advance("health", 0, "");
  if (!committed.ok() && committed.code() != StatusCode::kNotFound) return committed;
  // Checks which server leads, as a lease does. No tag is empty, so this matches no row.
  return exchange_max_id("", kIdMax, kIdMax - 1, 0).status();
}

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
