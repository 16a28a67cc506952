// SPDX-License-Identifier: MIT
// SociStore: what an administrator reads and changes.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "lib/store/soci/soci_store.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using soci::use;

}  // namespace

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
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) +
              names_.in("' cannot be removed, because the table id_tags, which keeps the max_id of "
                        "removed tags, is missing or may not be used; run featherid init, "
                        "or grant SELECT, INSERT and UPDATE on it")};
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

}  // namespace featherid
