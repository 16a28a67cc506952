// SPDX-License-Identifier: MIT
#include "featherid/memory_store.h"

#include <algorithm>
#include <map>
#include <string>

#include "featherid/internal/fork_guard.h"
#include "lib/base/mutex.h"
#include "lib/store/store_arguments.h"

namespace featherid {

struct MemoryStore::Impl {
  const internal::ForkGuard fork_guard{};  // {}: clang 14 has no default constructor without

  Mutex mutex;
  std::map<std::string, SegmentRow, std::less<>> rows GUARDED_BY(mutex);

  // Runs `body` on the row under the mutex, or returns why not.
  template <typename Body>
  auto on_row(const Status& arguments, std::string_view tag, Body body)
      -> decltype(body(std::declval<SegmentRow&>())) {
    if (!arguments.ok()) return arguments;
    // The mutex may be held by a thread that the child does not have: do not touch it there.
    if (fork_guard.forked()) return store_was_forked();
    const MutexLock lock(mutex);
    const auto found = rows.find(tag);
    if (found == rows.end()) return no_such_tag(tag);
    return body(found->second);
  }

  // A compare-and-set; false: max_id is not `expected`, or there is no such row.
  Result<bool> exchange_max_id(std::string_view tag, std::int64_t expected, std::int64_t desired) {
    Result<bool> exchanged = on_row(Status(), tag, [&](SegmentRow& row) -> Result<bool> {
      if (row.max_id != expected) return false;
      row.max_id = desired;
      return true;
    });
    if (exchanged.status().code() == StatusCode::kNotFound) return false;
    return exchanged;
  }
};

MemoryStore::MemoryStore() : impl_(std::make_unique<Impl>()) {}
MemoryStore::~MemoryStore() = default;

Result<IdRange> MemoryStore::lease(std::string_view tag, LeaseSize size) {
  return impl_->on_row(check_lease(tag, size), tag, [&](SegmentRow& row) -> Result<IdRange> {
    const std::int64_t count = ids_to_grant(row, size);
    if (count == 0) return refused_lease(row, size);
    row.max_id += count;
    return IdRange{row.max_id - count + 1, row.max_id + 1};
  });
}

Result<SegmentRow> MemoryStore::find(std::string_view tag) {
  return impl_->on_row(validate_tag(tag), tag,
                       [](SegmentRow& row) -> Result<SegmentRow> { return row; });
}

Result<std::vector<SegmentRow>> MemoryStore::list() {
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  std::vector<SegmentRow> rows;
  for (const auto& [tag, row] : impl_->rows) rows.push_back(row);
  return rows;
}

Status MemoryStore::create(std::string_view tag, std::int64_t step) {
  if (Status status = check_step(tag, step); !status.ok()) return status;
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  const SegmentRow row{std::string(tag), 0, step};
  return impl_->rows.emplace(row.tag, row).second ? Status() : tag_exists(tag);
}

Status MemoryStore::update(std::string_view tag, std::int64_t step) {
  return impl_->on_row(check_step(tag, step), tag, [&](SegmentRow& row) {
    row.step = step;
    return Status();
  });
}

Status MemoryStore::advance(std::string_view tag, std::int64_t max_id) {
  return impl_->on_row(check_advance(tag, max_id), tag, [&](SegmentRow& row) {
    row.max_id = std::max(row.max_id, max_id);
    return Status();
  });
}

Result<bool> MemoryStore::give_back(std::string_view tag, IdRange tail) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  return impl_->exchange_max_id(tag, tail.last(), tail.first - 1);
}

Result<bool> MemoryStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to) {
  if (Status status = check_rewind(tag, from, to); !status.ok()) return status;
  return impl_->exchange_max_id(tag, from, to);
}

Status MemoryStore::remove(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  if (impl_->fork_guard.forked()) return store_was_forked();
  const MutexLock lock(impl_->mutex);
  const auto found = impl_->rows.find(tag);
  if (found == impl_->rows.end()) return no_such_tag(tag);
  impl_->rows.erase(found);
  return {};
}

Status MemoryStore::probe() { return impl_->fork_guard.forked() ? store_was_forked() : Status(); }

void MemoryStore::overwrite(SegmentRow row) {
  if (impl_->fork_guard.forked()) return;
  const MutexLock lock(impl_->mutex);
  std::string tag = row.tag;
  impl_->rows.insert_or_assign(std::move(tag), std::move(row));
}

}  // namespace featherid
