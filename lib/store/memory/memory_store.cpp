// SPDX-License-Identifier: MIT
#include "featherid/memory_store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/mutex.h"
#include "lib/base/random_text.h"
#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"

namespace featherid {

namespace {

std::int64_t now_s() {
  const auto now = system_time().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

struct MemoryStore::Impl {
  struct Row {
    std::int64_t max_id = 0;
    std::int64_t step = 0;
  };
  struct Tag {
    std::optional<Row> row;           // none: it was removed
    std::optional<TagRecord> record;  // the options; none: plain
  };

  explicit Impl(WallClock clock_in) : clock(clock_in ? std::move(clock_in) : system_time) {}

  const WallClock clock;
  const std::string store_name = random_text();
  const internal::ForkGuard fork_guard{};  // {}: clang 14 has no default constructor without

  Mutex mutex;
  std::map<std::string, Tag, std::less<>> tags GUARDED_BY(mutex);
  std::atomic<std::int64_t> version{0};  // of the newest record; written under the mutex
  std::atomic<std::int64_t> applied{0};  // the last change that the callers of changes() applied

  // Runs `body` on the tag under the mutex, or returns why not.
  template <typename Body>
  auto on_tag(const Status& arguments, std::string_view tag, Body body)
      -> decltype(body(std::declval<Tag&>())) {
    if (!arguments.ok()) return arguments;
    // The mutex may be held by a thread that the child does not have: do not touch it there.
    if (fork_guard.forked()) return store_was_forked();
    const MutexLock lock(mutex);
    const auto found = tags.find(tag);
    if (found == tags.end() || !found->second.row) return no_such_tag(tag);
    return body(found->second);
  }

  // The same, unless the name is that of a period.
  template <typename Body>
  auto on_own_tag(const Status& arguments, std::string_view tag, Body body)
      -> decltype(body(std::declval<Tag&>())) {
    if (arguments.ok() && !fork_guard.forked()) {
      if (Status refused = refuse_period_row(tag); !refused.ok()) return refused;
    }
    return on_tag(arguments, tag, std::move(body));
  }
  Status refuse_period_row(std::string_view name) EXCLUDES(mutex) {
    const std::optional<PeriodRow> row = parse_period_row(name);
    if (!row) return {};
    const MutexLock lock(mutex);
    const auto base = tags.find(row->tag);
    const bool is_period =
        base != tags.end() && base->second.record && base->second.record->period.is_set();
    return is_period ? only_in_period(name, row->tag) : Status();
  }

  // The periods of the tag that have a row, the oldest first.
  std::vector<Period> periods_of(std::string_view tag, PeriodKind kind) const REQUIRES(mutex) {
    std::vector<Period> periods;
    const std::string prefix = std::string(tag) + "@";
    for (auto each = tags.lower_bound(prefix);
         each != tags.end() && each->first.compare(0, prefix.size(), prefix) == 0; ++each) {
      const std::optional<PeriodRow> row = parse_period_row(each->first);
      const bool is_one = row && row->tag == tag && each->second.row.has_value();
      if (is_one && (kind == PeriodKind::kNone || row->period.kind() == kind)) {
        periods.push_back(row->period);
      }
    }
    return periods;
  }

  // The row of a period, made if it is new.
  Result<Row*> row_of_period(std::string_view base_name, Tag& base, const Period& period)
      REQUIRES(mutex) {
    const std::string name = period_row(base_name, period);
    const auto found = tags.find(name);
    if (found != tags.end() && found->second.row) return &*found->second.row;
    const Result<std::int64_t> max_id = first_max_id_in(*base.record, period, 1);
    if (!max_id.ok()) return max_id.status();
    Tag& tag = tags[name];
    tag.row = Row{*max_id, base.row->step};
    for (const Period& old : periods_to_purge(periods_of(base_name, period.kind()), period)) {
      base.record->period_gone = old.number();
      tags.erase(period_row(base_name, old));
    }
    return &*tag.row;
  }

  // The tag's record with the number of a change that is about to be made.
  TagRecord next_record(std::string_view name, const Tag& tag) const {
    TagRecord record = tag.record.value_or(TagRecord());
    record.tag = name;
    record.version = version + 1;
    return record;
  }
  // Puts it in. Needs no memory.
  void put(Tag& tag, TagRecord record) noexcept {
    version = record.version;
    tag.record = std::move(record);
  }

  // The tag's row as it is now.
  SegmentRow read(std::string_view name, const Tag& tag) const {
    SegmentRow row{std::string(name), tag.row->max_id, tag.row->step};
    if (!tag.record) return row;
    row.cap = tag.record->cap;
    row.order = tag.record->order;
    row.floor = tag.record->floor;
    row.period = tag.record->period;
    if (row.floor.is_set() || row.period.is_set()) row.read_at = clock();
    return row;
  }
};

MemoryStore::MemoryStore(WallClock clock) : impl_(std::make_unique<Impl>(std::move(clock))) {}
MemoryStore::~MemoryStore() = default;

Result<IdRange> MemoryStore::lease(std::string_view tag, LeaseSize size) {
  return impl_->on_own_tag(check_lease(tag, size), tag, [&](Impl::Tag& found) -> Result<IdRange> {
    SegmentRow row = impl_->read(tag, found);
    if (row.period.is_set()) return has_periods(tag);
    if (found.record && is_below_removed(*found.record, row)) {
      return below_removed(*found.record, row);
    }
    const std::int64_t count = ids_to_grant(row, size);
    if (count == 0) return refused_lease(row, size);
    const IdRange range = lease_from(row, count);
    found.row->max_id = row.max_id;
    return range;
  });
}

// The process's clock is the store's, so it is never ahead of itself.
Result<IdRange> MemoryStore::lease_in_period(std::string_view tag, const Period& period,
                                             LeaseSize size) {
  if (Status s = check_lease_in_period(tag, period, size); !s.ok()) return s;
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  const auto found = impl_->tags.find(tag);
  if (found == impl_->tags.end() || !found->second.row) return no_such_tag(tag);
  const SegmentRow base = impl_->read(tag, found->second);
  if (Status s = refuse_period(base, period, base.read_at); !s.ok()) return s;
  const Result<Impl::Row*> row = impl_->row_of_period(tag, found->second, period);
  if (!row.ok()) return row.status();
  SegmentRow now{period_row(tag, period), (*row)->max_id, (*row)->step, base.cap};
  const std::int64_t count = ids_to_grant(now, size);
  if (count == 0) return refused_lease(now, size);
  const IdRange range = lease_from(now, count);
  (*row)->max_id = now.max_id;
  return range;
}

Result<SegmentRow> MemoryStore::find(std::string_view tag) {
  return impl_->on_own_tag(validate_tag(tag), tag, [&](Impl::Tag& found) -> Result<SegmentRow> {
    return impl_->read(tag, found);
  });
}

Result<TagChanges> MemoryStore::changes(std::int64_t version) {
  for (std::int64_t old = impl_->applied; old < version;) {
    if (impl_->applied.compare_exchange_weak(old, version)) break;
  }
  return changes_for_other(version);
}

Result<TagChanges> MemoryStore::changes_for_other(std::int64_t version) {
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  TagChanges changes;
  changes.version = impl_->version;
  if (version < 0 || version == changes.version) return changes;
  for (const auto& [name, tag] : impl_->tags) {
    if (tag.record) add_limit(*tag.record, known_change(version, changes.version), &changes);
  }
  return changes;
}

Result<std::vector<TagInfo>> MemoryStore::list(const TagQuery& query) {
  if (Status status = check_query(query); !status.ok()) return status;
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  std::vector<TagInfo> rows;
  for (auto each = impl_->tags.upper_bound(query.after); each != impl_->tags.end(); ++each) {
    const auto& [name, tag] = *each;
    if (!tag.row || name.compare(0, query.prefix.size(), query.prefix) != 0) continue;
    rows.push_back(tag_info(impl_->read(name, tag), tag.record.value_or(TagRecord())));
    if (static_cast<std::int64_t>(rows.size()) == query.count_max) break;
  }
  return rows;
}

Result<TagInfo> MemoryStore::info(std::string_view tag) {
  return impl_->on_tag(validate_tag(tag), tag, [&](Impl::Tag& found) -> Result<TagInfo> {
    return tag_info(impl_->read(tag, found), found.record.value_or(TagRecord()));
  });
}

Status MemoryStore::create(std::string_view tag, const NewTag& tag_to_make) {
  if (Status status = check_new_tag(tag, tag_to_make); !status.ok()) return status;
  if (Status status = refuse_reserved(tag); !status.ok()) return status;
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  const auto found = impl_->tags.find(tag);
  const Impl::Tag old = found != impl_->tags.end() ? found->second : Impl::Tag();
  if (old.row) return tag_exists(tag);
  const Result<std::int64_t> max_id = first_max_id(tag, tag_to_make, old.record, 0);
  if (!max_id.ok()) return max_id.status();
  SegmentRow row{std::string(tag), *max_id, tag_to_make.step};
  TagRecord record = impl_->next_record(tag, old);
  if (Status status = keep_period(record, tag_to_make.options.period); !status.ok()) return status;
  if (tag_to_make.options.period.is_set() && !record.period.is_set()) {
    const std::vector<Period> others = impl_->periods_of(tag, PeriodKind::kNone);
    if (!others.empty()) return foreign_period(tag, others.front());
  }
  create_in(record, tag_to_make, now_s());
  row.floor = record.floor;
  Status floor = change_floor_in(record, row, as_change(tag_to_make.options.floor), impl_->clock());
  if (!floor.ok()) return floor;
  if (Status misfit = check_options(record); !misfit.ok()) return misfit;
  Impl::Tag& made = impl_->tags.try_emplace(row.tag).first->second;
  made.row = Impl::Row{row.max_id, row.step};
  impl_->put(made, std::move(record));
  return {};
}

Status MemoryStore::update(std::string_view tag, const TagChange& change) {
  return impl_->on_own_tag(check_change(tag, change), tag, [&](Impl::Tag& found) -> Status {
    if (change.cap && *change.cap < found.row->max_id) {
      return cap_below(tag, *change.cap, found.row->max_id);
    }
    TagRecord record = impl_->next_record(tag, found);
    change_in(record, change, now_s());
    if (change.cap || !change.floor.empty()) {
      const SegmentRow row = impl_->read(tag, found);
      Status floor = change_floor_in(record, row, change.floor, impl_->clock());
      if (!floor.ok()) return floor;
      recall_if_moved(record, row.floor);
    }
    if (Status misfit = check_options(record); !misfit.ok()) return misfit;
    if (change.step) found.row->step = *change.step;
    impl_->put(found, std::move(record));
    return {};
  });
}

Status MemoryStore::advance(std::string_view tag, std::int64_t max_id, std::string_view by) {
  return impl_->on_tag(check_advance(tag, max_id, by), tag, [&](Impl::Tag& found) -> Status {
    if (found.row->max_id >= max_id) return {};
    if (!by.empty() && !parse_period_row(tag)) {  // it may be removed together with the period
      TagRecord record = impl_->next_record(tag, found);
      move_in(record, by, now_s());
      impl_->put(found, std::move(record));
    }
    found.row->max_id = max_id;
    return {};
  });
}

Result<bool> MemoryStore::give_back(std::string_view tag, IdRange tail) {
  return give_back_for_other(tag, tail, impl_->applied);
}

Result<bool> MemoryStore::give_back_for_other(std::string_view tag, IdRange tail,
                                              std::int64_t applied) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  const auto give = [&](Impl::Tag& found) -> Result<bool> {
    const bool recalled = found.record && found.record->recalled > applied;
    if (recalled || found.row->max_id != tail.last()) return false;
    found.row->max_id = tail.first - 1;
    return true;
  };
  Result<bool> given = impl_->on_tag(Status(), tag, give);
  if (given.status().code() == StatusCode::kNotFound) return false;
  return given;
}

Result<bool> MemoryStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                                 std::string_view by) {
  if (Status status = check_rewind(tag, from, to, by); !status.ok()) return status;
  const auto move_back = [&](Impl::Tag& found) -> Result<bool> {
    if (found.row->max_id != from) return false;
    TagRecord record = impl_->next_record(tag, found);
    record.recalled = record.version;
    move_in(record, by, now_s());
    found.row->max_id = to;
    impl_->put(found, std::move(record));
    return true;
  };
  Result<bool> moved = impl_->on_own_tag(Status(), tag, move_back);
  if (moved.status().code() == StatusCode::kNotFound) return false;
  return moved;
}

Status MemoryStore::remove(std::string_view tag, std::string_view by) {
  return impl_->on_own_tag(check_remove(tag, by), tag, [&](Impl::Tag& found) -> Status {
    TagRecord record = impl_->next_record(tag, found);
    remove_in(record, found.row->max_id, by, now_s());
    found.row.reset();
    impl_->put(found, std::move(record));
    return {};
  });
}

Status MemoryStore::probe() { return impl_->fork_guard.forked() ? store_was_forked() : Status(); }

Result<StoreIdentity> MemoryStore::identity() {
  if (impl_->fork_guard.forked()) return store_was_forked();
  return StoreIdentity{impl_->store_name, 0};
}

void MemoryStore::overwrite(const SegmentRow& row) {
  if (impl_->fork_guard.forked()) return;
  const MutexLock lock(impl_->mutex);
  Impl::Tag& tag = impl_->tags[row.tag];
  tag.row = Impl::Row{row.max_id, row.step};
  const bool plain = row.cap == kIdMax && row.order == TagOrder::kPlain && !row.floor.is_set() &&
                     !row.period.is_set();
  if (!tag.record && plain) return;
  if (!tag.record) tag.record.emplace().tag = row.tag;
  tag.record->cap = row.cap;
  tag.record->order = row.order;
  tag.record->floor = row.floor;
  tag.record->period = row.period;
}

}  // namespace featherid
