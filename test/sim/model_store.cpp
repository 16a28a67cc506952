// SPDX-License-Identifier: MIT
#include "test/sim/model_store.h"

namespace featherid::sim {

namespace {
Status lost(const char* when) {
  return {StatusCode::kUnavailable, std::string("the call failed ") + when};
}
Status no_such_tag() { return {StatusCode::kNotFound, "no such tag"}; }
}  // namespace

void ModelDatabase::go_backwards() {
  for (const auto& [tag, row] : backup_) {
    const auto found = rows.find(tag);
    if (found != rows.end() && found->second.max_id > row.max_id) found->second = row;
  }
}

template <typename T, typename Statement>
Result<T> ModelStore::call(Statement statement) {
  ModelDatabase& db = database_;
  const auto wait = [&] {
    if (db.faults.late && db.meanwhile && db.roll(20)) db.meanwhile();
  };
  wait();
  if (db.out) return lost("in an outage");
  if (db.faults.before_commit && db.roll(10)) return lost("before its commit");
  Result<T> result = statement();
  wait();
  if (db.faults.after_commit && db.roll(10)) return lost("after its commit");
  return result;
}

Result<IdRange> ModelStore::lease(std::string_view tag, std::int64_t count_ids) {
  Result<IdRange> result = call<IdRange>([&]() -> Result<IdRange> {
    const auto row = database_.rows.find(std::string(tag));
    if (row == database_.rows.end()) return no_such_tag();
    std::int64_t& max_id = row->second.max_id;
    if (max_id > kIdMax - count_ids) return Status(StatusCode::kExhausted, "exhausted");
    max_id += count_ids;
    return IdRange{max_id - count_ids + 1, max_id + 1};
  });
  if (result.ok()) on_leased_(tag, *result);
  return result;
}

Result<SegmentRow> ModelStore::find(std::string_view tag) {
  return call<SegmentRow>([&]() -> Result<SegmentRow> {
    const auto row = database_.rows.find(std::string(tag));
    if (row == database_.rows.end()) return no_such_tag();
    return SegmentRow{row->first, row->second.max_id, row->second.step};
  });
}

Result<bool> ModelStore::give_back(std::string_view tag, IdRange tail) {
  return call<bool>([&]() -> Result<bool> {
    const auto row = database_.rows.find(std::string(tag));
    if (row == database_.rows.end() || row->second.max_id != tail.last()) return false;
    row->second.max_id = tail.first - 1;
    return true;
  });
}

// The core does not administer tags; the simulated operator edits the rows.
Result<std::vector<SegmentRow>> ModelStore::list() { return lost("always"); }
Status ModelStore::create(std::string_view, std::int64_t) { return lost("always"); }
Status ModelStore::set_step(std::string_view, std::int64_t) { return lost("always"); }
Status ModelStore::advance(std::string_view, std::int64_t) { return lost("always"); }

}  // namespace featherid::sim
