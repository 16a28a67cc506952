// SPDX-License-Identifier: MIT
#include "featherid/etcd_store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <optional>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/bounds.h"
#include "lib/store/etcd/etcd_rows.h"
#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"

namespace featherid {

namespace {

using Needs = EtcdRows::Needs;

// Each lost race costs one round trip. The deadline comes first if there are many.
constexpr int kTriesMax = 1000;

class EtcdStore final : public Store {
 public:
  EtcdStore(EtcdUrl url, const EtcdStoreOptions& options) : rows_(std::move(url), options) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return give_back_for_other(tag, tail, applied_);
  }
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

  std::string leader() const override { return rows_.client().member(); }
  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override;

 private:
  // Changes keys by what they are: `plan(view)` changes the view and says what to write. It runs
  // again on the keys as they are now if it has refused what this process remembered, or if another
  // process was faster. Its result is returned once it is written.
  template <typename T>
  struct Planned {
    T result;
    EtcdRows::Writes writes = {{0}, {}};
  };
  template <typename T, typename Plan>  // Result<Planned<T>>(KeyView&)
  Result<T> change(const std::vector<std::string>& names, Needs needs, Plan plan);

  // Changes one tag; `change_it(tag, record, version)` of the row, and of the record with the
  // change's number.
  template <typename T, typename Change>  // Result<T>(KnownTag&, TagRecord&)
  Result<T> change_tag(std::string_view tag, Change change_it);

  // The row as a lease or a reader sees it now.
  Result<SegmentRow> now(const SegmentRow& row) const;
  std::int64_t now_s() const;
  std::string table(std::string_view tag) const { return "the key " + rows_.key_of(tag); }

  Result<Planned<IdRange>> plan_lease(KeyView& view, LeaseSize size) const;
  Result<Planned<IdRange>> plan_in_period(KeyView& view, const Period& period, LeaseSize size,
                                          const std::vector<std::string>& purged) const;
  // Refuses the name of a row of a tag's period.
  Status refuse_period_row(std::string_view name);
  // The periods of the tag that have a key, the oldest first.
  Result<std::vector<Period>> periods_of(std::string_view tag, PeriodKind kind);

  const internal::ForkGuard fork_guard_{};
  std::atomic<std::int64_t> applied_{0};  // the last change that the callers of changes() applied
  EtcdRows rows_;
};

template <typename T, typename Plan>
Result<T> EtcdStore::change(const std::vector<std::string>& names, Needs needs, Plan plan) {
  if (fork_guard_.forked()) return store_was_forked();
  const TimePoint deadline = rows_.deadline();
  std::optional<KeyView> view = needs == Needs::kHead ? std::nullopt : rows_.recall(names);
  bool remembered = view.has_value();
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (!view) {
      Result<KeyView> read = rows_.read(names, needs, deadline);
      if (!read.ok()) return read.status();
      view = *std::move(read);
    }
    Result<Planned<T>> planned = plan(*view);
    if (!planned.ok() && remembered) {
      remembered = false;
      view.reset();
      continue;
    }
    if (!planned.ok()) return planned.status();
    if (planned->writes.tags.empty()) return std::move(planned->result);
    const Result<bool> written = rows_.write(&*view, planned->writes, needs, deadline);
    if (!written.ok()) return written.status();
    if (*written) return std::move(planned->result);
    remembered = false;
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return changed_meanwhile(names.front());
}

// --- leases ---

Result<SegmentRow> EtcdStore::now(const SegmentRow& row) const {
  if (!row.floor.is_set() && !row.period.is_set()) return row;
  const Result<WallTime> time = rows_.client().time();
  if (!time.ok()) return time.status();
  SegmentRow read = row;
  read.read_at = *time;
  return read;
}

std::int64_t EtcdStore::now_s() const {
  const Result<WallTime> time = rows_.client().time();
  const WallTime at = time.ok() ? *time : rows_.client().own_time();
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

Result<EtcdStore::Planned<IdRange>> EtcdStore::plan_lease(KeyView& view, LeaseSize size) const {
  StoredTag& tag = view.tags.front().stored;
  if (!tag.row) return no_such_tag(tag.tag);
  const Result<SegmentRow> read = now(*tag.row);
  if (!read.ok()) return read.status();
  SegmentRow row = *read;
  if (row.period.is_set()) return has_periods(tag.tag);
  if (tag.record && is_below_removed(*tag.record, row)) {
    return below_removed(*tag.record, row, table(tag.tag));
  }
  if (row.floor.is_set()) {
    Status ahead = refuse_clock(tag.tag, row.read_at, rows_.client().own_time());
    if (!ahead.ok()) return ahead;
  }
  const std::int64_t count_ids = ids_to_grant(row, size);
  if (count_ids == 0) return refused_lease(row, size, table(tag.tag));
  const IdRange range = lease_from(row, count_ids);
  tag.row->max_id = row.max_id;
  return Planned<IdRange>{range};
}

Result<IdRange> EtcdStore::lease(std::string_view tag, LeaseSize size) {
  if (Status status = check_lease(tag, size); !status.ok()) return status;
  if (Status status = refuse_period_row(tag); !status.ok()) return status;
  return change<IdRange>({std::string(tag)}, Needs::kCluster,
                         [&](KeyView& view) { return plan_lease(view, size); });
}

// --- periods ---

// The view has the tag and the row of the period.
Result<EtcdStore::Planned<IdRange>> EtcdStore::plan_in_period(
    KeyView& view, const Period& period, LeaseSize size,
    const std::vector<std::string>& purged) const {
  StoredTag& base = view.tags[0].stored;
  StoredTag& of_period = view.tags[1].stored;
  if (!base.row) return no_such_tag(base.tag);
  const Result<SegmentRow> base_row = now(*base.row);
  if (!base_row.ok()) return base_row.status();
  if (Status s = refuse_period(*base_row, period, rows_.client().own_time()); !s.ok()) return s;
  Planned<IdRange> planned{{}, {{1}, {}}};
  if (!of_period.row) {
    const Result<std::int64_t> max_id = first_max_id_in(*base.record, period, 1);
    if (!max_id.ok()) return max_id.status();
    of_period.row = SegmentRow{of_period.tag, *max_id, base.row->step};
    planned.writes.removed = purged;
    if (!purged.empty()) {
      planned.writes.tags.push_back(0);
      const std::int64_t gone = parse_period_row(purged.back())->period.number();
      base.record->period_gone = std::max(base.record->period_gone, gone);
    }
  }
  SegmentRow row = *of_period.row;
  row.cap = base_row->cap;
  const std::int64_t count_ids = ids_to_grant(row, size);
  if (count_ids == 0) return refused_lease(row, size, table(of_period.tag));
  planned.result = lease_from(*of_period.row, count_ids);
  return planned;
}

Result<IdRange> EtcdStore::lease_in_period(std::string_view tag, const Period& period,
                                           LeaseSize size) {
  if (Status s = check_lease_in_period(tag, period, size); !s.ok()) return s;
  if (fork_guard_.forked()) return store_was_forked();
  const std::string name = period_row(tag, period);
  std::vector<std::string> purged;
  if (!rows_.recall({name})) {  // it may be new; then old ones go
    const Result<std::vector<Period>> made = periods_of(tag, period.kind());
    if (!made.ok()) return made.status();
    std::vector<Period> with_new = *made;
    if (std::find(with_new.begin(), with_new.end(), period) == with_new.end()) {
      with_new.push_back(period);
    }
    for (const Period& old : periods_to_purge(with_new, period)) {
      purged.push_back(period_row(tag, old));
    }
  }
  return change<IdRange>({std::string(tag), name}, Needs::kCluster,
                         [&](KeyView& view) { return plan_in_period(view, period, size, purged); });
}

Result<std::vector<Period>> EtcdStore::periods_of(std::string_view tag, PeriodKind kind) {
  const Result<std::vector<std::string>> names =
      rows_.names_with(std::string(tag) + "@", rows_.deadline());
  if (!names.ok()) return names.status();
  std::vector<Period> periods;
  for (const std::string& name : *names) {
    const std::optional<PeriodRow> row = parse_period_row(name);
    if (!row || row->tag != tag) continue;
    if (kind == PeriodKind::kNone || row->period.kind() == kind) periods.push_back(row->period);
  }
  return periods;
}

Status EtcdStore::refuse_period_row(std::string_view name) {
  const std::optional<PeriodRow> row = parse_period_row(name);
  if (!row) return {};
  if (fork_guard_.forked()) return store_was_forked();
  const Result<KeyView> view = rows_.read({row->tag}, Needs::kTags, rows_.deadline());
  if (!view.ok()) return view.status();
  const std::optional<TagRecord>& record = view->tags.front().stored.record;
  return record && record->period.is_set() ? only_in_period(name, row->tag) : Status();
}

// --- the rest of a store ---

Result<SegmentRow> EtcdStore::find(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (Status status = refuse_period_row(tag); !status.ok()) return status;
  if (fork_guard_.forked()) return store_was_forked();
  const Result<KeyView> view = rows_.read({std::string(tag)}, Needs::kTags, rows_.deadline());
  if (!view.ok()) return view.status();
  const std::optional<SegmentRow>& row = view->tags.front().stored.row;
  return row ? now(*row) : no_such_tag(tag);
}

Result<bool> EtcdStore::give_back_for_other(std::string_view tag, IdRange tail,
                                            std::int64_t applied) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  const auto give = [&](KeyView& view) -> Result<Planned<bool>> {
    StoredTag& found = view.tags.front().stored;
    const bool recalled = found.record && found.record->recalled > applied;
    if (!found.row || recalled || found.row->max_id != tail.last()) {
      return no_such_tag(tag);  // or not as this process remembers it
    }
    found.row->max_id = tail.first - 1;
    return Planned<bool>{true};
  };
  Result<bool> given = change<bool>({std::string(tag)}, Needs::kCluster, give);
  if (given.status().code() == StatusCode::kNotFound) return false;
  return given;
}

Result<TagChanges> EtcdStore::changes(std::int64_t version) {
  for (std::int64_t old = applied_; old < version;) {
    if (applied_.compare_exchange_weak(old, version)) break;
  }
  return changes_for_other(version);
}

Result<TagChanges> EtcdStore::changes_for_other(std::int64_t version) {
  if (fork_guard_.forked()) return store_was_forked();
  const TimePoint deadline = rows_.deadline();
  const Result<StoreHead> head = rows_.head(deadline);
  if (!head.ok()) return head.status();
  TagChanges changes;
  changes.version = head->changes;
  if (version < 0 || version == changes.version) return changes;
  const Result<EtcdRows::All> all = rows_.read_all(deadline);
  if (!all.ok()) return all.status();
  changes.version = all->head.changes;
  for (const StoredTag& tag : all->tags) {
    if (tag.record) add_limit(*tag.record, known_change(version, changes.version), &changes);
  }
  return changes;
}

// --- administration ---

Result<std::vector<TagInfo>> EtcdStore::list(const TagQuery& query) {
  if (Status status = check_query(query); !status.ok()) return status;
  if (fork_guard_.forked()) return store_was_forked();
  const Result<std::vector<StoredTag>> tags = rows_.list(query, rows_.deadline());
  if (!tags.ok()) return tags.status();
  std::vector<TagInfo> rows;
  for (const StoredTag& tag : *tags) {
    rows.push_back(tag_info(*tag.row, tag.record.value_or(TagRecord())));
  }
  return rows;
}

Result<TagInfo> EtcdStore::info(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (fork_guard_.forked()) return store_was_forked();
  const Result<KeyView> view = rows_.read({std::string(tag)}, Needs::kTags, rows_.deadline());
  if (!view.ok()) return view.status();
  const StoredTag& found = view->tags.front().stored;
  if (!found.row) return no_such_tag(tag);
  const Result<SegmentRow> row = now(*found.row);
  if (!row.ok()) return row.status();
  return tag_info(*row, found.record.value_or(TagRecord()));
}

// The row gets its options back from the record.
template <typename T, typename Change>
Result<T> EtcdStore::change_tag(std::string_view tag, Change change_it) {
  const auto plan = [&](KeyView& view) -> Result<Planned<T>> {
    KnownTag& found = view.tags.front();
    TagRecord record = found.stored.record.value_or(TagRecord());
    record.tag = tag;
    record.version = view.head->changes + 1;
    const Result<T> changed = change_it(found.stored, record);
    if (!changed.ok()) return changed.status();
    if (std::optional<SegmentRow>& row = found.stored.row) {
      row->cap = record.cap;
      row->order = record.order;
      row->floor = record.floor;
      row->period = record.period;
    }
    found.stored.record = std::move(record);
    return Planned<T>{*changed};
  };
  return change<T>({std::string(tag)}, Needs::kHead, plan);
}

Status EtcdStore::create(std::string_view tag, const NewTag& tag_to_make) {
  if (Status status = check_new_tag(tag, tag_to_make); !status.ok()) return status;
  if (Status status = refuse_reserved(tag); !status.ok()) return status;
  if (fork_guard_.forked()) return store_was_forked();
  const PeriodRule& period = tag_to_make.options.period;
  std::vector<Period> others;
  if (period.is_set()) {
    Result<std::vector<Period>> made = periods_of(tag, PeriodKind::kNone);
    if (!made.ok()) return made.status();
    others = *std::move(made);
  }
  const auto make = [&](StoredTag& old, TagRecord& record) -> Result<bool> {
    if (old.row) return tag_exists(tag);
    const Result<std::int64_t> max_id = first_max_id(tag, tag_to_make, old.record, 0);
    if (!max_id.ok()) return max_id.status();
    if (Status status = keep_period(record, period); !status.ok()) return status;
    if (period.is_set() && !record.period.is_set() && !others.empty()) {
      return foreign_period(tag, others.front());
    }
    SegmentRow row{std::string(tag), *max_id, tag_to_make.step};
    create_in(record, tag_to_make, now_s());
    row.floor = record.floor;
    const Result<WallTime> time = rows_.client().time();
    if (!time.ok()) return time.status();
    Status floor = change_floor_in(record, row, as_change(tag_to_make.options.floor), *time);
    if (!floor.ok()) return floor;
    if (Status misfit = check_options(record); !misfit.ok()) return misfit;
    old.row = std::move(row);
    return true;
  };
  return change_tag<bool>(tag, make).status();
}

Status EtcdStore::update(std::string_view tag, const TagChange& change) {
  if (Status status = check_change(tag, change); !status.ok()) return status;
  if (Status status = refuse_period_row(tag); !status.ok()) return status;
  const auto set = [&](StoredTag& found, TagRecord& record) -> Result<bool> {
    if (!found.row) return no_such_tag(tag);
    if (change.cap && *change.cap < found.row->max_id) {
      return cap_below(tag, *change.cap, found.row->max_id);
    }
    change_in(record, change, now_s());
    if (change.cap || !change.floor.empty()) {
      const Result<WallTime> time = rows_.client().time();
      if (!time.ok()) return time.status();
      Status floor = change_floor_in(record, *found.row, change.floor, *time);
      if (!floor.ok()) return floor;
      recall_if_moved(record, found.row->floor);
    }
    if (Status misfit = check_options(record); !misfit.ok()) return misfit;
    if (change.step) found.row->step = *change.step;
    return true;
  };
  return change_tag<bool>(tag, set).status();
}

Status EtcdStore::advance(std::string_view tag, std::int64_t max_id, std::string_view by) {
  if (Status status = check_advance(tag, max_id, by); !status.ok()) return status;
  const auto is_past = [&](const StoredTag& found) { return found.row->max_id >= max_id; };
  // What is recorded of a period's row would outlive it.
  if (!by.empty() && !parse_period_row(tag)) {
    if (fork_guard_.forked()) return store_was_forked();
    const auto move = [&](StoredTag& found, TagRecord& record) -> Result<bool> {
      if (!found.row) return no_such_tag(tag);
      if (is_past(found)) return tag_exists(tag);  // there, or past it: nothing to record
      found.row->max_id = max_id;
      move_in(record, by, now_s());
      return true;
    };
    const Status moved = change_tag<bool>(tag, move).status();
    return moved.code() == StatusCode::kAlreadyExists ? Status() : moved;
  }
  const auto move = [&](KeyView& view) -> Result<Planned<bool>> {
    StoredTag& found = view.tags.front().stored;
    if (!found.row) return no_such_tag(tag);
    if (is_past(found)) return Planned<bool>{true, {}};
    found.row->max_id = max_id;
    return Planned<bool>{true};
  };
  return change<bool>({std::string(tag)}, Needs::kTags, move).status();
}

Result<bool> EtcdStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                               std::string_view by) {
  if (Status status = check_rewind(tag, from, to, by); !status.ok()) return status;
  if (Status status = refuse_period_row(tag); !status.ok()) return status;
  const auto move_back = [&](StoredTag& found, TagRecord& record) -> Result<bool> {
    if (!found.row || found.row->max_id != from) return no_such_tag(tag);
    record.recalled = record.version;
    move_in(record, by, now_s());
    found.row->max_id = to;
    return true;
  };
  Result<bool> moved = change_tag<bool>(tag, move_back);
  if (moved.status().code() == StatusCode::kNotFound) return false;
  return moved;
}

Status EtcdStore::remove(std::string_view tag, std::string_view by) {
  if (Status status = check_remove(tag, by); !status.ok()) return status;
  if (Status status = refuse_period_row(tag); !status.ok()) return status;
  const auto take_out = [&](StoredTag& found, TagRecord& record) -> Result<bool> {
    if (!found.row) return no_such_tag(tag);
    remove_in(record, found.row->max_id, by, now_s());
    found.row.reset();
    return true;
  };
  return change_tag<bool>(tag, take_out).status();
}

Status EtcdStore::probe() {
  if (fork_guard_.forked()) return store_was_forked();
  return rows_.probe(rows_.deadline());
}

Result<StoreIdentity> EtcdStore::identity() {
  if (fork_guard_.forked()) return store_was_forked();
  const Result<StoreHead> head = rows_.head(rows_.deadline());
  if (!head.ok()) return head.status();
  return StoreIdentity{head->name, 0};
}

Status check_files(const EtcdUrl& url) {
  for (const std::string* file : {&url.ca, &url.cert, &url.key}) {
    if (!file->empty() && !std::ifstream(*file)) {
      return {StatusCode::kInvalidArgument, "the file " + *file + " cannot be read"};
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_etcd_store(std::string_view url,
                                               const EtcdStoreOptions& options) {
  Result<EtcdUrl> parsed = parse_etcd_url(url);
  if (!parsed.ok()) return parsed.status();
  if (Status s = check_bounds("call_timeout", options.call_timeout.count(), 100, 60000); !s.ok()) {
    return s;
  }
  if (Status s = check_bounds("connect_timeout", options.connect_timeout.count(), 10,
                              options.call_timeout.count());
      !s.ok()) {
    return s;
  }
  if (Status bad = check_files(*parsed); !bad.ok()) return bad;
  return std::unique_ptr<Store>(std::make_unique<EtcdStore>(*std::move(parsed), options));
}

Status init_etcd_store(std::string_view url, const EtcdStoreOptions& options,
                       std::vector<std::string>* tags_made) {
  const Result<std::unique_ptr<Store>> store = open_etcd_store(url, options);
  if (!store.ok()) return store.status();
  if (Status status = (*store)->identity().status(); !status.ok()) return status;
  if (Status status = (*store)->probe(); !status.ok()) return status;
  for (const char* tag : {"health", "order", "user"}) {
    constexpr std::int64_t kStep = 1000;
    NewTag made(kStep);
    made.automatic = true;  // one that was removed stays so
    Status status = (*store)->create(tag, made);
    const bool is_there =
        status.code() == StatusCode::kAlreadyExists || status.code() == StatusCode::kNotFound;
    if (!status.ok() && !is_there) return status;
    if (status.ok() && tags_made != nullptr) tags_made->emplace_back(tag);
  }
  return {};
}

}  // namespace featherid
