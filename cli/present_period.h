// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_PRESENT_PERIOD_H_
#define FEATHERID_CLI_PRESENT_PERIOD_H_

#include <string>

#include "featherid/segment_store.h"

namespace featherid {

// The period of the tag that is on, by the store's clock; none for a tag without periods.
inline Result<Period> present_period(SegmentStore& store, const std::string& tag) {
  const Result<SegmentRow> row = store.find(tag);
  if (!row.ok()) return row.status();
  return period_at(row->period, row->read_at);
}

// Leases in that period, or plainly if it is none. If the period is over, it leases in the next one
// and stores that.
inline Result<IdRange> lease_in_present(SegmentStore& store, const std::string& tag,
                                        std::int64_t count_ids, Period* present) {
  if (present->kind() == PeriodKind::kNone) return store.lease(tag, count_ids);
  Result<IdRange> leased = store.lease_in_period(tag, *present, count_ids);
  if (leased.status().code() != StatusCode::kUnavailable) return leased;
  const Result<Period> now = present_period(store, tag);
  if (!now.ok() || *now == *present) return leased;
  *present = *now;
  return store.lease_in_period(tag, *present, count_ids);
}

}  // namespace featherid

#endif  // FEATHERID_CLI_PRESENT_PERIOD_H_
