// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_leases.h"

#include <algorithm>

#include "lib/store/tag_record.h"

namespace featherid {

using Needs = EtcdRows::Needs;

Result<PlannedChange<IdRange>> EtcdLeases::plan_lease(KeyView& view, LeaseSize size) const {
  StoredTag& tag = view.tags.front().stored;
  if (!tag.row) return no_such_tag(tag.tag);
  const Result<SegmentRow> read = rows_.as_of_now(*tag.row);
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
  return PlannedChange<IdRange>{range};
}

Result<IdRange> EtcdLeases::lease(std::string_view tag, LeaseSize size) {
  if (Status status = rows_.refuse_period_row(tag); !status.ok()) return status;
  return change_keys<IdRange>(rows_, {std::string(tag)}, Needs::kCluster,
                              [&](KeyView& view) { return plan_lease(view, size); });
}

// The view has the tag and the row of the period.
Result<PlannedChange<IdRange>> EtcdLeases::plan_in_period(
    KeyView& view, const Period& period, LeaseSize size,
    const std::vector<std::string>& purged) const {
  StoredTag& base = view.tags[0].stored;
  StoredTag& of_period = view.tags[1].stored;
  if (!base.row) return no_such_tag(base.tag);
  const Result<SegmentRow> base_row = rows_.as_of_now(*base.row);
  if (!base_row.ok()) return base_row.status();
  if (Status s = refuse_period(*base_row, period, rows_.client().own_time()); !s.ok()) return s;
  PlannedChange<IdRange> planned{{}, {{1}, {}}};
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

Result<std::vector<std::string>> EtcdLeases::rows_to_purge(std::string_view tag,
                                                           const Period& period) {
  Result<std::vector<Period>> with_new = rows_.periods_of(tag, period.kind(), rows_.deadline());
  if (!with_new.ok()) return with_new.status();
  if (std::find(with_new->begin(), with_new->end(), period) == with_new->end()) {
    with_new->push_back(period);
  }
  std::vector<std::string> purged;
  for (const Period& old : periods_to_purge(*with_new, period)) {
    purged.push_back(period_row(tag, old));
  }
  return purged;
}

Result<IdRange> EtcdLeases::lease_in_period(std::string_view tag, const Period& period,
                                            LeaseSize size) {
  const std::string name = period_row(tag, period);
  Result<std::vector<std::string>> purged = std::vector<std::string>();
  if (!rows_.recall({name})) purged = rows_to_purge(tag, period);  // it may be new
  if (!purged.ok()) return purged.status();
  return change_keys<IdRange>(rows_, {std::string(tag), name}, Needs::kCluster, [&](KeyView& view) {
    return plan_in_period(view, period, size, *purged);
  });
}

Result<bool> EtcdLeases::give_back(std::string_view tag, IdRange tail, std::int64_t applied) {
  const auto give = [&](KeyView& view) -> Result<PlannedChange<bool>> {
    StoredTag& found = view.tags.front().stored;
    const bool recalled = found.record && found.record->recalled > applied;
    if (!found.row || recalled || found.row->max_id != tail.last()) {
      return no_such_tag(tag);  // or not as this process remembers it
    }
    found.row->max_id = tail.first - 1;
    return PlannedChange<bool>{true};
  };
  Result<bool> given = change_keys<bool>(rows_, {std::string(tag)}, Needs::kCluster, give);
  if (given.status().code() == StatusCode::kNotFound) return false;
  return given;
}

}  // namespace featherid
