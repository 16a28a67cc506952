// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_rows.h"

#include <charconv>
#include <initializer_list>

#include "lib/store/soci/soci_errors.h"

namespace featherid {

using soci::into;
using soci::use;

namespace {

// Less than a node needs to restart: otherwise a node could go down before the last one to restart
// is marked.
constexpr std::chrono::seconds kMarkAgainAfter{2};

// kFailedPrecondition names what the column contains instead of a number.
Status read_number(const std::string& table, const std::string& tag, const char* column,
                   const std::string& text, std::int64_t* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  if (error == std::errc() && stop == end) return {};
  constexpr std::size_t kShownBytesMax = 64;
  return {StatusCode::kFailedPrecondition,
          "tag '" + one_line(tag) + "' has " + column + " '" +
              one_line(text.substr(0, kShownBytesMax)) + "' in " + table +
              ", which is not a whole number; set it to a whole number"};
}

// The members of an option, with ';' between them. The last ones may be missing.
struct Member {
  const char* column;
  std::int64_t* number;
};
Status read_members(const std::string& table, const std::string& tag, const std::string& text,
                    std::initializer_list<Member> members) {
  std::size_t begin = 0;
  for (const Member& member : members) {
    if (begin > text.size()) break;
    const std::size_t end = std::min(text.find(';', begin), text.size());
    Status bad =
        read_number(table, tag, member.column, text.substr(begin, end - begin), member.number);
    if (!bad.ok()) return bad;
    begin = end + 1;
  }
  return {};
}

// The floor's members, then the clock at which they were read.
Status read_floor(const std::string& table, const RawRow& raw, SegmentRow* row) {
  std::int64_t only_warns = 0;
  std::int64_t read_at_ms = 0;
  Status bad = read_members(table, raw.tag, raw.floor,
                            {{"floor_rate", &row->floor.rate},
                             {"floor_epoch", &row->floor.epoch_s},
                             {"floor_lead_max", &row->floor.lead_max_s},
                             {"floor_only_warns", &only_warns},
                             {"floor_since", &row->floor.since_id},
                             {"a clock", &read_at_ms}});
  if (!bad.ok()) return bad;
  row->floor.lead_only_warns = only_warns != 0;
  row->read_at = WallTime(std::chrono::milliseconds(read_at_ms));
  if (Status wrong = check_floor_change(as_change(row->floor)); !wrong.ok()) {
    return {StatusCode::kFailedPrecondition,
            "tag '" + one_line(raw.tag) + "' has a time floor that cannot be: " + wrong.message() +
                "; correct it in id_tags"};
  }
  return {};
}

// Likewise.
Status read_period(const std::string& table, const RawRow& raw, SegmentRow* row) {
  std::int64_t kind = 0;
  std::int64_t offset = 0;
  std::int64_t read_at_ms = 0;
  Status bad =
      read_members(table, raw.tag, raw.period,
                   {{"period_kind", &kind}, {"period_offset", &offset}, {"a clock", &read_at_ms}});
  if (!bad.ok()) return bad;
  row->period = to_period_rule(kind, offset);
  row->read_at = WallTime(std::chrono::milliseconds(read_at_ms));
  return {};
}

}  // namespace

Result<SegmentRow> RawRow::read(const std::string& table) const {
  SegmentRow row;
  row.tag = tag;
  if (Status bad = read_number(table, tag, "max_id", max_id, &row.max_id); !bad.ok()) return bad;
  if (Status bad = read_number(table, tag, "step", step, &row.step); !bad.ok()) return bad;
  if (!strict.empty() && strict != "0") row.order = TagOrder::kStrict;
  if (!cap.empty()) {
    if (Status bad = read_number(table, tag, "cap", cap, &row.cap); !bad.ok()) return bad;
  }
  if (!floor.empty()) {
    if (Status bad = read_floor(table, *this, &row); !bad.ok()) return bad;
  }
  if (!period.empty()) {
    if (Status bad = read_period(table, *this, &row); !bad.ok()) return bad;
  }
  return row;
}

SociRows::SociRows(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options)
    : named_(addresses.front()),
      dialect_(*named_),
      names_(addresses.front()),
      table_(names_.in("id_segments")),
      leader_guard_(
          dialect_.leader, options,
          [this](SociSession& asking, const auto& ask) {
            // Half of the time is left to act on the answers.
            const TimePoint now = std::chrono::steady_clock::now();
            return sessions_->ask_each(now + (asking.deadline() - now) / 2, ask);
          },
          names_),
      settings_guard_(dialect_.settings, addresses.front().engine, addresses.front().database,
                      options, names_),
      records_(dialect_.tags, addresses.front().engine, options.log, names_),
      own_clock_(options.clock ? options.clock : system_time),
      sessions_(std::make_unique<SociSessionPool>(
          std::move(addresses), options,
          [this](SociSession& session) { settings_guard_.set_up(session); })) {}

SociRows::~SociRows() {
  if (fork_guard_.forked()) static_cast<void>(sessions_.release());  // leaked on purpose
}

void SociRows::begin(SociSession& session) {
  if (dialect_.begin == nullptr) return;
  session.run(dialect_.begin);
  SociSessionPool::require_durable_sqlite3(session);
}

void SociRows::end(SociSession& session, bool commits) {
  if (dialect_.commit != nullptr) session.run(commits ? dialect_.commit : "ROLLBACK");
}

// A proxy that lost the answer may repeat the statement on another connection. Inside a transaction
// it repeats no single statement, and a whole transaction fails the last condition. (The number is
// added to 0 because ProxySQL answers the bare query itself, with its own number.)
std::string SociRows::once(SociSession& session) {
  if (dialect_.transaction == nullptr) return "";
  long long transaction = 0;
  session.run(std::string("SELECT 0 + ") + dialect_.transaction, into(transaction));
  return std::string(" AND ") + dialect_.transaction + " = " + std::to_string(transaction);
}

template <typename... Uses>
SociSession::Outcome SociRows::run_once(SociSession& session, const std::string& sql,
                                        Uses... uses) {
  if (dialect_.transaction == nullptr) return session.run(sql, uses...);
  session.run(dialect_.leader.begin);
  const SociSession::Outcome outcome = session.run(sql + once(session), uses...);
  session.run(dialect_.leader.commit);
  return outcome;
}

Status SociRows::refused_behind_pooler(SociSession& session) {
  if (!session.settings().pooled || session.lost()) return {};
  try {
    settings_guard_.set_up(session);
  } catch (const soci::soci_error&) {
    return {};  // the first error says more
  }
  return session.settings().refused;
}

Status SociRows::follow_leader(SociSession& session) {
  records_.look(session);  // says how far to skip
  return leader_guard_.follow(session, settings_guard_.stated(session));
}

Result<bool> SociRows::may_lease_again(SociSession& session) {
  Result<bool> changed = settings_guard_.changed(session);
  if (!changed.ok() || *changed) return changed;
  if (!leader_guard_.active(session)) return false;
  if (Status status = follow_leader(session); !status.ok()) return status;
  return true;
}

void SociRows::mark_other_nodes(const SociSession& session) {
  const TimePoint now = std::chrono::steady_clock::now();
  TimePoint due = mark_again_at_.load();
  if (now < due || !mark_again_at_.compare_exchange_strong(due, now + kMarkAgainAfter)) return;
  sessions_->ask_each(now + (session.deadline() - now) / 2, [this](SociSession& node) {
    leader_guard_.keep_mark(node);
    return false;
  });
}

Result<RawRow> SociRows::find_raw(SociSession& session, std::string_view tag) {
  const std::string tag_text(tag);
  RawRow row;
  std::optional<RawRow> found;
  std::string twin;  // the column's collation treats it as this tag
  int count = 0;
  const auto look_at_row = [&] {
    if (row.tag != tag_text) {
      twin = row.tag;
    } else {
      found = row;
      ++count;
    }
  };
  session.for_each_row(session.settings().has_records ? dialect_.tags.find : dialect_.find,
                       look_at_row, use(tag_text, "tag"), into(row.tag), into(row.max_id),
                       into(row.step), into(row.cap), into(row.strict), into(row.floor),
                       into(row.period));
  if (count > 1) return several_rows(table_, tag);
  if (found) return *std::move(found);
  return twin.empty() ? no_such_tag(tag) : only_its_twin(tag, one_line(twin));
}

Result<SegmentRow> SociRows::find_row(SociSession& session, std::string_view tag) {
  const Result<RawRow> raw = find_raw(session, tag);
  Result<SegmentRow> row = raw.ok() ? raw->read(table_) : raw.status();
  if (!row.ok()) return row;
  const bool follows_clock = row->floor.is_set() || row->period.is_set();
  if (follows_clock && dialect_.tags.floor.now == nullptr) row->read_at = own_clock_();
  floors_.learn(*row);
  periods_.learn(*row);
  return row;
}

std::int64_t SociRows::for_each_row(SociSession& session, const TagQuery& query,
                                    const std::function<void(const RawRow&)>& on_row) const {
  const long long count_max = query.count_max;
  std::int64_t rows = 0;
  RawRow raw;
  session.for_each_row(
      dialect_.list,
      [&] {
        ++rows;
        on_row(raw);
      },
      use(query.prefix, "prefix"), use(query.after, "after"), use(count_max, "count"),
      into(raw.tag), into(raw.max_id), into(raw.step), into(raw.cap), into(raw.strict),
      into(raw.floor), into(raw.period));
  return rows;
}

Result<WallTime> SociRows::store_time(SociSession& session) const {
  if (dialect_.tags.floor.now == nullptr) return own_clock_();
  long long now_ms = 0;
  session.run(dialect_.tags.floor.now, into(now_ms));
  if (now_ms != 0) return WallTime(std::chrono::milliseconds(now_ms));
  return Status(
      StatusCode::kFailedPrecondition,
      session.where() +
          ": the clock, which tags with a time floor or periods follow, cannot be read; start the "
          "server without --sysdate-is-now, and let no proxy change the time zone of a "
          "session");
}

template <typename... Uses>
Result<SociRows::Moved> SociRows::write_max_id(SociSession& session, std::string_view tag,
                                               const std::string& sql, Uses... uses) {
  long long max_id = 0;
  long long rows = 0;
  if (dialect_.leased == SociDialect::Leased::kReturnedRow) {
    session.for_each_row(
        sql + dialect_.lease_returning, [&] { ++rows; }, uses..., into(max_id));
  } else {
    rows = session.run(sql, uses...).affected_rows;
    if (rows == 1) max_id = session.last_insert_id();
  }
  if (rows > 1) return several_rows(table_, tag);
  return rows == 0 ? Moved() : Moved(max_id);
}

Result<SociRows::Moved> SociRows::raise_max_id(SociSession& session, std::string_view tag,
                                               std::int64_t count_ids,
                                               const KnownFloors::Known& known) {
  using std::chrono::milliseconds;
  const FloorSql& floor_sql = dialect_.tags.floor;
  const TimeFloor& floor = known.floor;
  const WallTime own = own_clock_();
  const WallTime latest = own + kClockAheadMax;
  const std::string tag_text(tag);
  const long long count = count_ids;
  const long long cap = known.cap;
  const long long limit = known.cap - count_ids;
  const long long rate = floor.rate;
  const long long epoch_s = floor.epoch_s;
  const long long lead_max_s = floor.lead_max_s;
  const long long only_warns = floor.lead_only_warns ? 1 : 0;
  const long long epoch_ms = 1000 * epoch_s;
  const long long lead_epoch_ms = 1000 * (epoch_s - lead_max_s);
  const long long own_ms = own.time_since_epoch().count();
  const long long now_max = latest.time_since_epoch().count();
  const long long floor_max = std::min<long long>(floor_at(floor, latest), limit);
  const std::string sql = floor_sql.lease + std::string(floor_sql.condition) + led(session);
  return write_max_id(session, tag, sql, use(count, "count"), use(tag_text, "tag"),
                      use(limit, "limit"), use(rate, "rate"), use(epoch_ms, "epoch_ms"),
                      use(floor_max, "floor_max"), use(now_max, "now_max"), use(epoch_s, "epoch_s"),
                      use(lead_max_s, "lead_max_s"), use(only_warns, "lead_only_warns"),
                      use(cap, "cap"), use(lead_epoch_ms, "lead_epoch_ms"), use(own_ms, "own_ms"));
}

Result<std::optional<IdRange>> SociRows::move_row(SociSession& session, std::string_view tag,
                                                  std::int64_t count_ids) {
  const std::string tag_text(tag);
  const long long count = count_ids;
  const long long limit = kIdMax - count_ids;
  const std::optional<KnownFloors::Known> known =
      session.settings().has_records ? floors_.find(tag) : std::nullopt;
  const Result<Moved> moved =
      known
          ? raise_max_id(session, tag, count_ids, *known)
          : write_max_id(session, tag, dialect_.lease + records_.condition(session) + led(session),
                         use(count, "count"), use(tag_text, "tag"), use(limit, "limit"));
  return range_of(moved, count_ids);
}

// The period's own row. Its options are those of the tag.
Result<std::optional<IdRange>> SociRows::move_row_in(SociSession& session, std::string_view tag,
                                                     const Period& period, std::int64_t count_ids) {
  const auto ms_of = [](WallTime at) -> long long { return at.time_since_epoch().count(); };
  const PeriodRule rule = periods_.find(tag);
  if (!rule.is_set() || !session.settings().has_records) return std::optional<IdRange>();
  const WallTime own = own_clock_();
  const std::string base(tag);
  const std::string name = period_row(tag, period);
  const long long count = count_ids;
  const long long limit = kIdMax - count_ids;
  const long long kind = static_cast<long long>(rule.kind);
  const long long offset = rule.offset_minutes;
  const long long begin_ms = ms_of(begin_of(rule, period) - kPeriodAheadMax);
  const long long end_ms = ms_of(
      std::min(end_of(rule, period) - std::chrono::milliseconds(1), own + kPeriodClockAheadMax));
  const long long own_ms = ms_of(own);
  const std::string sql = dialect_.lease + std::string(dialect_.tags.in_period) + led(session);
  return range_of(
      write_max_id(session, name, sql, use(count, "count"), use(name, "tag"), use(limit, "limit"),
                   use(base, "base"), use(kind, "kind"), use(offset, "offset"),
                   use(begin_ms, "begin_ms"), use(end_ms, "end_ms"), use(own_ms, "own_ms")),
      count_ids);
}

Result<std::optional<IdRange>> SociRows::range_of(const Result<Moved>& moved,
                                                  std::int64_t count_ids) const {
  if (!moved.ok()) return moved.status();
  if (!*moved) return std::optional<IdRange>();
  const long long max_id = **moved;
  if (max_id < count_ids || max_id > kIdMax) {
    throw soci::soci_error("the answer to a lease gives " + std::to_string(max_id) +
                           " as max_id; a trigger on " + table_ + " or a proxy has changed it");
  }
  return std::optional<IdRange>(IdRange{max_id - count_ids + 1, max_id + 1});
}

Result<bool> SociRows::exchange_max_id(std::string_view tag, std::int64_t expected,
                                       std::int64_t desired, std::int64_t known) {
  const std::string tag_text(tag);
  const long long old_max_id = expected;
  const long long new_max_id = desired;
  const auto exchange_once = [&](SociSession& session) {
    return run_once(session,
                    dialect_.exchange_max_id + led(session) + records_.not_recalled(session, known),
                    use(new_max_id, "max_id"), use(tag_text, "tag"), use(old_max_id, "expected"))
               .affected_rows == 1;
  };
  const auto exchange = [&](SociSession& session) -> Result<bool> {
    records_.look(session);
    if (exchange_once(session)) return true;
    const Result<bool> changed = settings_guard_.changed(session);
    if (!changed.ok()) return changed.status();
    // An operator's process, which has leased nothing, learns the term here.
    if (leader_guard_.active(session) && !leader_guard_.knows_term()) {
      if (Status status = follow_leader(session); !status.ok()) return status;
    } else if (!*changed) {
      return false;
    }
    return exchange_once(session);
  };
  Result<bool> exchanged = transact(exchange, Repeat::kNever);
  if (exchanged.status().code() == StatusCode::kNotFound) return false;  // no tag of that column
  return exchanged;
}

}  // namespace featherid
