// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_tag_records.h"

#include <chrono>
#include <utility>

#include "lib/base/clock.h"
#include "lib/store/period_rules.h"
#include "lib/store/soci/soci_errors.h"

namespace featherid {

using soci::into;
using soci::use;

namespace {

constexpr std::chrono::seconds kLookAgainAfter{60};

// A record's members, for statements. SOCI knows long long, not every std::int64_t.
struct Columns {
  std::string tag;
  long long version = 0;
  long long recalled = 0;
  long long cap = 0;
  long long removed = 0;
  std::string description;
  std::string owner;
  std::string created_by;
  long long created_at = 0;
  std::string changed_by;
  long long changed_at = 0;
  long long strict = 0;
  std::string format;
  std::string scramble;
  long long floor_rate = 0;
  long long floor_epoch = 0;
  long long floor_lead_max = 0;
  long long floor_only_warns = 0;
  long long floor_since = 0;
  long long period_kind = 0;
  long long period_offset = 0;
  long long period_gone = 0;
  long long period_failovers = 0;
  long long period_lost_at = 0;
};

long long strict_of(const TagRecord& record) { return record.order == TagOrder::kStrict ? 1 : 0; }
TagOrder order_of(long long strict) { return strict != 0 ? TagOrder::kStrict : TagOrder::kPlain; }

}  // namespace

SociTagRecords::SociTagRecords(const TagsSql& sql, Engine engine, LogCallback log,
                               const TableNames& names)
    : sql_(sql), engine_(engine), log_(std::move(log)), names_(names) {}

bool SociTagRecords::look(SociSession& session, bool ask) {
  SociSession::Settings& settings = session.settings();
  const TimePoint now = std::chrono::steady_clock::now();
  if (!ask && now - settings.records_looked_for_at < kLookAgainAfter) return settings.has_records;
  const std::string trouble = this->trouble(session);
  settings.has_records = trouble.empty();
  settings.records_looked_for_at = now;
  const bool warned = warned_.exchange(!trouble.empty());
  if (!trouble.empty() && !warned && log_) {
    log_(LogLevel::kWarn,
         session.where() +
             names_.in(": the table id_tags cannot be used, so tags have no caps and no other "
                       "options here; run featherid init, and grant SELECT on it; if it lacks a "
                       "column, add that as this version's sql/ folder has it (") +
             trouble + ")");
  }
  return settings.has_records;
}

// Why the table cannot be used; empty if it can. Other errors say nothing about it.
std::string SociTagRecords::trouble(SociSession& session) const {
  session.settings().records_denied = false;
  try {
    bool filled = false;
    for_each(session, "biz_tag = ''", [&](const TagRecord&) { filled = true; });
    return filled ? "" : "its row with an empty biz_tag is missing";
  } catch (const soci::soci_error& error) {
    const EngineError reason = to_engine_error(engine_, error, false);
    if (session.lost() || !is_table_unusable(engine_, reason)) throw;
    session.settings().records_denied = is_privilege_missing(engine_, reason);
    return one_line(error.get_error_message());
  }
}

Status SociTagRecords::refuse_unread(const SociSession& session, std::string_view tag) const {
  if (!session.settings().records_denied) return {};
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) +
              names_.in("' cannot be created by a user who may not read id_tags, which keeps the "
                        "max_id of removed tags; grant SELECT, INSERT and UPDATE on it")};
}

std::string SociTagRecords::not_recalled(const SociSession& session, std::int64_t after) const {
  if (!session.settings().has_records) return "";
  return names_.in(" AND NOT EXISTS (SELECT 1 FROM id_tags WHERE ") + sql_.is_tag +
         " AND recalled > " + std::to_string(after) + ")";
}

SociTagRecords::Head SociTagRecords::head(SociSession& session) const {
  long long version = 0;
  long long now = 0;
  session.run(sql_.version, into(version), into(now));
  return {version, now};
}

std::string SociTagRecords::store_name(SociSession& session) const {
  std::string name;
  const std::string sql = names_.in("SELECT description FROM id_tags WHERE biz_tag = ''");
  return session.run(sql, into(name)).got_row ? name : "";
}

bool SociTagRecords::name_store(SociSession& session, const std::string& name,
                                const std::string& stated) const {
  const std::string sql =
      names_.in("UPDATE id_tags SET description = :name WHERE biz_tag = '' AND description = ''");
  return session.run(sql + stated, use(name, "name")).affected_rows == 1;
}

bool SociTagRecords::begin_change(SociSession& session, const std::string& stated) const {
  return session.run(sql_.count + stated).affected_rows == 1;
}

template <typename OnRecord, typename... Uses>
void SociTagRecords::for_each(SociSession& session, const std::string& conditions,
                              OnRecord on_record, Uses... uses) const {
  Columns c;
  session.for_each_row(
      sql_.list + conditions,
      [&] {
        on_record(TagRecord{c.tag, c.version, c.recalled, c.cap, c.removed, c.description, c.owner,
                            c.created_by, c.created_at, c.changed_by, c.changed_at,
                            order_of(c.strict), c.format, c.scramble,
                            TimeFloor{c.floor_rate, c.floor_epoch, c.floor_lead_max,
                                      c.floor_only_warns != 0, c.floor_since},
                            to_period_rule(c.period_kind, c.period_offset), c.period_gone,
                            c.period_failovers, c.period_lost_at});
      },
      uses..., into(c.tag), into(c.version), into(c.recalled), into(c.cap), into(c.removed),
      into(c.description), into(c.owner), into(c.created_by), into(c.created_at),
      into(c.changed_by), into(c.changed_at), into(c.strict), into(c.format), into(c.scramble),
      into(c.floor_rate), into(c.floor_epoch), into(c.floor_lead_max), into(c.floor_only_warns),
      into(c.floor_since), into(c.period_kind), into(c.period_offset), into(c.period_gone),
      into(c.period_failovers), into(c.period_lost_at));
}

std::optional<TagRecord> SociTagRecords::find(SociSession& session, std::string_view tag) const {
  const std::string tag_text(tag);
  std::optional<TagRecord> found;
  for_each(
      session, sql_.is_tag, [&](TagRecord record) { found = std::move(record); },
      use(tag_text, "tag"));
  return found;
}

std::vector<TagRecord> SociTagRecords::between(SociSession& session, const std::string& first,
                                               const std::string& last) const {
  std::vector<TagRecord> records;
  for_each(
      session, sql_.between, [&](TagRecord record) { records.push_back(std::move(record)); },
      use(first, "first"), use(last, "last"));
  return records;
}

std::vector<TagRecord> SociTagRecords::changed(SociSession& session, std::int64_t after,
                                               std::int64_t up_to) const {
  std::vector<TagRecord> records;
  for_each(session,
           "biz_tag <> '' AND version > " + std::to_string(after) +
               " AND version <= " + std::to_string(up_to),
           [&](TagRecord record) { records.push_back(std::move(record)); });
  return records;
}

void SociTagRecords::write(SociSession& session, const TagRecord& r) const {
  const Columns c{r.tag,
                  r.version,
                  r.recalled,
                  r.cap,
                  r.removed_max_id,
                  r.description,
                  r.owner,
                  r.created_by,
                  r.created_at,
                  r.changed_by,
                  r.changed_at,
                  strict_of(r),
                  r.format,
                  r.scramble,
                  r.floor.rate,
                  r.floor.epoch_s,
                  r.floor.lead_max_s,
                  r.floor.lead_only_warns ? 1 : 0,
                  r.floor.since_id,
                  static_cast<long long>(r.period.kind),
                  r.period.offset_minutes,
                  r.period_gone,
                  r.period_failovers,
                  r.period_lost_at};
  const auto update = [&] {
    return session
        .run(sql_.write, use(c.version, "version"), use(c.recalled, "recalled"), use(c.cap, "cap"),
             use(c.removed, "removed"), use(c.description, "description"), use(c.owner, "owner"),
             use(c.created_by, "created_by"), use(c.created_at, "created_at"),
             use(c.changed_by, "changed_by"), use(c.changed_at, "changed_at"),
             use(c.strict, "strict"), use(c.format, "format"), use(c.scramble, "scramble"),
             use(c.floor_rate, "floor_rate"), use(c.floor_epoch, "floor_epoch"),
             use(c.floor_lead_max, "floor_lead_max"), use(c.floor_only_warns, "floor_only_warns"),
             use(c.floor_since, "floor_since"), use(c.period_kind, "period_kind"),
             use(c.period_offset, "period_offset"), use(c.period_gone, "period_gone"),
             use(c.period_failovers, "period_failovers"), use(c.period_lost_at, "period_lost_at"),
             use(c.tag, "tag"))
        .affected_rows;
  };
  if (update() != 0) return;
  session.run(sql_.add, use(c.tag, "tag"));
  update();
}

}  // namespace featherid
