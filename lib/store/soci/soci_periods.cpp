// SPDX-License-Identifier: MIT
// SociStore: leases in periods, and the rows of periods.
#include <algorithm>
#include <optional>
#include <utility>

#include "lib/store/soci/soci_store.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using soci::use;

}  // namespace

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
    const Result<bool> again = may_lease_again(session);
    if (!again.ok()) return again.status();
    if (!*again) break;
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

}  // namespace featherid
