// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_tags.h"

#include <optional>
#include <string>
#include <utility>

#include "lib/store/etcd/key_change.h"
#include "lib/store/tag_record.h"

namespace featherid {

using Needs = EtcdRows::Needs;

Result<SegmentRow> EtcdTags::find(std::string_view tag) {
  if (Status status = rows_.refuse_period_row(tag); !status.ok()) return status;
  const Result<KeyView> view = rows_.read({std::string(tag)}, Needs::kTags, rows_.deadline());
  if (!view.ok()) return view.status();
  const std::optional<SegmentRow>& row = view->tags.front().stored.row;
  return row ? rows_.as_of_now(*row) : no_such_tag(tag);
}

Result<std::vector<TagInfo>> EtcdTags::list(const TagQuery& query) {
  const Result<std::vector<StoredTag>> tags = rows_.list(query, rows_.deadline());
  if (!tags.ok()) return tags.status();
  std::vector<TagInfo> rows;
  for (const StoredTag& tag : *tags) {
    rows.push_back(tag_info(*tag.row, tag.record.value_or(TagRecord())));
  }
  return rows;
}

Result<TagInfo> EtcdTags::info(std::string_view tag) {
  const Result<KeyView> view = rows_.read({std::string(tag)}, Needs::kTags, rows_.deadline());
  if (!view.ok()) return view.status();
  const StoredTag& found = view->tags.front().stored;
  if (!found.row) return no_such_tag(tag);
  const Result<SegmentRow> row = rows_.as_of_now(*found.row);
  if (!row.ok()) return row.status();
  return tag_info(*row, found.record.value_or(TagRecord()));
}

// The row gets its options back from the record.
template <typename Change>
Status EtcdTags::change_tag(std::string_view tag, Change change_it) {
  const auto plan = [&](KeyView& view) -> Result<PlannedChange<bool>> {
    StoredTag& found = view.tags.front().stored;
    TagRecord record = found.record.value_or(TagRecord());
    record.tag = tag;
    record.version = view.head->changes + 1;
    if (Status refused = change_it(found, record); !refused.ok()) return refused;
    if (std::optional<SegmentRow>& row = found.row) {
      row->cap = record.cap;
      row->order = record.order;
      row->floor = record.floor;
      row->period = record.period;
    }
    found.record = std::move(record);
    return PlannedChange<bool>{true};
  };
  return change_keys<bool>(rows_, {std::string(tag)}, Needs::kHead, plan).status();
}

Status EtcdTags::make(StoredTag& tag, TagRecord& record, const NewTag& tag_to_make,
                      const std::vector<Period>& others) {
  if (tag.row) return tag_exists(tag.tag);
  const Result<std::int64_t> max_id = first_max_id(tag.tag, tag_to_make, tag.record, 0);
  if (!max_id.ok()) return max_id.status();
  const PeriodRule& period = tag_to_make.options.period;
  if (Status status = keep_period(record, period); !status.ok()) return status;
  if (period.is_set() && !record.period.is_set() && !others.empty()) {
    return foreign_period(tag.tag, others.front());
  }
  SegmentRow row{tag.tag, *max_id, tag_to_make.step};
  create_in(record, tag_to_make, rows_.now_s());
  row.floor = record.floor;
  const Result<WallTime> time = rows_.client().time();
  if (!time.ok()) return time.status();
  Status floor = change_floor_in(record, row, as_change(tag_to_make.options.floor), *time);
  if (!floor.ok()) return floor;
  if (Status misfit = check_options(record); !misfit.ok()) return misfit;
  tag.row = std::move(row);
  return {};
}

Status EtcdTags::create(std::string_view tag, const NewTag& tag_to_make) {
  std::vector<Period> others;
  if (tag_to_make.options.period.is_set()) {
    Result<std::vector<Period>> made = rows_.periods_of(tag, PeriodKind::kNone, rows_.deadline());
    if (!made.ok()) return made.status();
    others = *std::move(made);
  }
  return change_tag(tag, [&](StoredTag& found, TagRecord& record) {
    return make(found, record, tag_to_make, others);
  });
}

Status EtcdTags::set(StoredTag& tag, TagRecord& record, const TagChange& change) {
  if (!tag.row) return no_such_tag(tag.tag);
  if (change.cap && *change.cap < tag.row->max_id) {
    return cap_below(tag.tag, *change.cap, tag.row->max_id);
  }
  change_in(record, change, rows_.now_s());
  if (change.cap || !change.floor.empty()) {
    const Result<WallTime> time = rows_.client().time();
    if (!time.ok()) return time.status();
    Status floor = change_floor_in(record, *tag.row, change.floor, *time);
    if (!floor.ok()) return floor;
    recall_if_moved(record, tag.row->floor);
  }
  if (Status misfit = check_options(record); !misfit.ok()) return misfit;
  if (change.step) tag.row->step = *change.step;
  return {};
}

Status EtcdTags::update(std::string_view tag, const TagChange& change) {
  if (Status status = rows_.refuse_period_row(tag); !status.ok()) return status;
  return change_tag(
      tag, [&](StoredTag& found, TagRecord& record) { return set(found, record, change); });
}

Status EtcdTags::advance(std::string_view tag, std::int64_t max_id, std::string_view by) {
  const auto is_past = [&](const StoredTag& found) { return found.row->max_id >= max_id; };
  // What is recorded of a period's row would outlive it.
  if (!by.empty() && !parse_period_row(tag)) {
    const Status moved = change_tag(tag, [&](StoredTag& found, TagRecord& record) -> Status {
      if (!found.row) return no_such_tag(tag);
      if (is_past(found)) return tag_exists(tag);  // there, or past it: nothing to record
      found.row->max_id = max_id;
      move_in(record, by, rows_.now_s());
      return {};
    });
    return moved.code() == StatusCode::kAlreadyExists ? Status() : moved;
  }
  const auto move = [&](KeyView& view) -> Result<PlannedChange<bool>> {
    StoredTag& found = view.tags.front().stored;
    if (!found.row) return no_such_tag(tag);
    if (is_past(found)) return PlannedChange<bool>{true, {}};
    found.row->max_id = max_id;
    return PlannedChange<bool>{true};
  };
  return change_keys<bool>(rows_, {std::string(tag)}, Needs::kTags, move).status();
}

Result<bool> EtcdTags::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                              std::string_view by) {
  if (Status status = rows_.refuse_period_row(tag); !status.ok()) return status;
  const Status moved = change_tag(tag, [&](StoredTag& found, TagRecord& record) -> Status {
    if (!found.row || found.row->max_id != from) return no_such_tag(tag);
    record.recalled = record.version;
    move_in(record, by, rows_.now_s());
    found.row->max_id = to;
    return {};
  });
  if (moved.code() == StatusCode::kNotFound) return false;
  if (!moved.ok()) return moved;
  return true;
}

Status EtcdTags::remove(std::string_view tag, std::string_view by) {
  if (Status status = rows_.refuse_period_row(tag); !status.ok()) return status;
  return change_tag(tag, [&](StoredTag& found, TagRecord& record) -> Status {
    if (!found.row) return no_such_tag(tag);
    remove_in(record, found.row->max_id, by, rows_.now_s());
    found.row.reset();
    return {};
  });
}

}  // namespace featherid
