// SPDX-License-Identifier: MIT
#include "featherid/soci_store.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/bounds.h"
#include "lib/store/soci/database_url.h"
#include "lib/store/soci/secret_file.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_leader_guard.h"
#include "lib/store/soci/soci_session.h"
#include "lib/store/soci/soci_session_pool.h"
#include "lib/store/soci/soci_settings_guard.h"
#include "lib/store/soci/soci_tag_records.h"
#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"

namespace featherid {

namespace {

using soci::into;
using soci::use;

constexpr std::int64_t kGuardIdsMax = std::int64_t{1} << 40;
constexpr std::int64_t kAddressesMax = 16;

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

// A row as it was read: as texts, because SQLite keeps any value in any column, and a column may
// hold NULL or a number that is too large.
struct RawRow {
  std::string tag;
  std::string max_id;
  std::string step;
  std::string cap;  // empty: none

  // `table`: what messages call it.
  Result<SegmentRow> read(const std::string& table) const {
    SegmentRow row;
    row.tag = tag;
    if (Status bad = read_number(table, tag, "max_id", max_id, &row.max_id); !bad.ok()) return bad;
    if (Status bad = read_number(table, tag, "step", step, &row.step); !bad.ok()) return bad;
    if (cap.empty()) return row;
    if (Status bad = read_number(table, tag, "cap", cap, &row.cap); !bad.ok()) return bad;
    return row;
  }
};

Status several_rows(const std::string& table, std::string_view tag) {
  return {StatusCode::kFailedPrecondition, "tag '" + std::string(tag) + "' has several rows in " +
                                               table +
                                               "; remove all but the one with the highest max_id, "
                                               "and make biz_tag the primary key"};
}

// A call that met other settings or another leader than it knew is tried again.
constexpr int kTriesMax = 4;

// Less than a node needs to restart: otherwise a node could go down before the last one to restart
// is marked.
constexpr std::chrono::seconds kMarkAgainAfter{2};

class SociStore final : public Store {
 public:
  SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options);
  ~SociStore() override;

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

  Result<std::vector<TagInfo>> list() override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& change) override;
  Status advance(std::string_view tag, std::int64_t max_id) override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to) override;
  Status remove(std::string_view tag, std::string_view by) override;
  Status probe() override;

  // As query_soci().
  Result<std::vector<std::string>> query(const std::string& sql);

  // As init_soci_schema().
  Status init_schema(std::vector<std::string>* tags_made);

 private:
  using Repeat = SociSessionPool::Repeat;

  // As SociSessionPool::call(), if this is the process that opened the store.
  template <typename Body>
  auto call(Body body, Repeat repeat = Repeat::kSafe)
      -> decltype(body(std::declval<SociSession&>()));
  // The same for a body that writes: under settings that allow it, and inside the engine's
  // transaction if it needs one. The transaction is committed if the body's result took effect.
  template <typename Body>
  auto transact(Body body, Repeat repeat = Repeat::kSafe)
      -> decltype(body(std::declval<SociSession&>()));
  template <typename T>
  static bool took_effect(const T& result) {
    return result.ok();
  }
  static bool took_effect(const Result<bool>& result) { return result.ok() && *result; }

  // Changes a tag: runs `body` in one transaction, in which no other change is made. False: a
  // statement has found other rows than it stated, so nothing was changed. The body runs again if
  // settings or leader were the reason.
  enum class Needs { kRow, kLeader, kNewTerm };
  struct Change {
    bool recorded = false;  // in id_tags, with this number at this time
    SociTagRecords::Head head = {};
    long long term = 0;  // kNewTerm
  };
  template <typename Body>  // Result<bool>(SociSession&, const Change&)
  Result<bool> change(Needs needs, Body body);
  // Runs a statement on one row; `sql` lacks its conditions. False: it found none.
  template <typename... Uses>
  bool run_on_row(SociSession& session, const std::string& sql, Uses... uses);
  // The same in a call of its own. kNotFound: there is no row.
  template <typename... Uses>
  Status write_row(std::string_view tag, const char* sql, Uses... uses);

  // In a transaction: the last condition of a statement that must not take effect twice.
  std::string once(SociSession& session);
  // Runs such a statement in a transaction of its own; `sql` lacks that condition.
  template <typename... Uses>
  SociSession::Outcome run_once(SociSession& session, const std::string& sql, Uses... uses);

  Status no_place_for_options(std::string_view tag) const;
  // As many ids of a tag as the failovers so far may have lost.
  std::int64_t ids_lost_in_failovers(std::int64_t step) const;

  // Called after an error of a statement. It may have run on another session of the server than the
  // one that was judged, with another search path, for example. OK: that is not the reason.
  Status refused_behind_pooler(SociSession& session);

  std::vector<std::string> tags(SociSession& session) const;  // of all rows, in order
  // Makes the tables and their first rows if they are missing. Returns the tags that it made.
  std::vector<std::string> fill_schema(SociSession& session) const;

  Result<RawRow> find_raw(SociSession& session, std::string_view tag);
  Result<SegmentRow> find_row(SociSession& session, std::string_view tag);
  // Moves max_id forward. Returns nothing if no row was moved.
  Result<std::optional<IdRange>> move_row(SociSession& session, std::string_view tag,
                                          std::int64_t count_ids);
  // A compare-and-set of a row's max_id, only on a server that leads: another server's row may lack
  // leases that were made after the caller's. False: it has another max_id, or there is no such
  // row.
  Result<bool> exchange_max_id(std::string_view tag, std::int64_t expected, std::int64_t desired);
  // The conditions of a statement that writes: the settings are as judged …
  std::string stated(const SociSession& session) const {
    return " AND " + settings_guard_.stated(session);
  }
  // … and this server leads the rows.
  std::string led(const SociSession& session) const {
    return stated(session) + leader_guard_.condition(session);
  }
  // Called after a statement that needs a leader has moved no row. OK: it may be tried again.
  Status follow_leader(SociSession& session);

  // Called after a lease on a Galera node. From time to time it gives the mark to nodes that have
  // joined since, so that the mark survives whichever node goes down next.
  void mark_other_nodes(const SociSession& session);

  const NamedDialect named_;
  const SociDialect& dialect_;
  const TableNames names_;
  const std::string table_;  // what messages call it
  const internal::ForkGuard fork_guard_;
  const LogCallback log_;
  LeaderGuard leader_guard_;
  SettingsGuard settings_guard_;
  SociTagRecords records_;
  const std::int64_t failover_guard_ids_;
  std::unique_ptr<SociSessionPool> sessions_;
  std::atomic<TimePoint> mark_again_at_{TimePoint()};
};

SociStore::SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options)
    : named_(addresses.front()),
      dialect_(*named_),
      names_(addresses.front()),
      table_(names_.in("id_segments")),
      log_(options.log),
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
      failover_guard_ids_(options.failover_guard_ids),
      sessions_(std::make_unique<SociSessionPool>(
          std::move(addresses), options,
          [this](SociSession& session) { settings_guard_.set_up(session); })) {}

SociStore::~SociStore() {
  if (fork_guard_.forked()) static_cast<void>(sessions_.release());  // leaked on purpose
}

template <typename Body>
auto SociStore::call(Body body, Repeat repeat) -> decltype(body(std::declval<SociSession&>())) {
  if (fork_guard_.forked()) return store_was_forked();
  return sessions_->call(std::move(body), repeat);
}

template <typename Body>
auto SociStore::transact(Body body, Repeat repeat) -> decltype(body(std::declval<SociSession&>())) {
  const auto in_transaction = [&](SociSession& session) -> decltype(body(session)) {
    if (dialect_.begin != nullptr) {
      session.run(dialect_.begin);
      SociSessionPool::require_durable_sqlite3(session);
    }
    auto result = body(session);
    if (dialect_.commit != nullptr) session.run(took_effect(result) ? dialect_.commit : "ROLLBACK");
    return result;
  };
  const auto as_judged = [&](SociSession& session) -> decltype(body(session)) {
    if (Status refused = settings_guard_.check(session); !refused.ok()) return refused;
    try {
      return in_transaction(session);
    } catch (const soci::soci_error&) {
      if (Status refused = refused_behind_pooler(session); !refused.ok()) return refused;
      throw;
    }
  };
  return call(as_judged, repeat);
}

template <typename... Uses>
bool SociStore::run_on_row(SociSession& session, const std::string& sql, Uses... uses) {
  const auto outcome = session.run(sql + stated(session), uses...);
  return outcome.affected_rows != 0;
}

template <typename... Uses>
Status SociStore::write_row(std::string_view tag, const char* sql, Uses... uses) {
  return transact([&](SociSession& session) -> Status {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      const auto outcome = session.run(sql + stated(session), uses...);
      if (outcome.affected_rows > 1) return several_rows(table_, tag);
      if (outcome.affected_rows == 1) return {};
      const Result<bool> changed = settings_guard_.changed(session);
      if (!changed.ok()) return changed.status();
      if (!*changed) break;
    }
    const Result<SegmentRow> row = find_row(session, tag);
    return row.ok() ? changed_meanwhile(tag) : row.status();
  });
}

// A proxy that lost the answer may repeat the statement on another connection. Inside a transaction
// it repeats no single statement, and a whole transaction fails the last condition. (The number is
// added to 0 because ProxySQL answers the bare query itself, with its own number.)
std::string SociStore::once(SociSession& session) {
  if (dialect_.transaction == nullptr) return "";
  long long transaction = 0;
  session.run(std::string("SELECT 0 + ") + dialect_.transaction, into(transaction));
  return std::string(" AND ") + dialect_.transaction + " = " + std::to_string(transaction);
}

template <typename... Uses>
SociSession::Outcome SociStore::run_once(SociSession& session, const std::string& sql,
                                         Uses... uses) {
  if (dialect_.transaction == nullptr) return session.run(sql, uses...);
  session.run(dialect_.leader.begin);
  const SociSession::Outcome outcome = session.run(sql + once(session), uses...);
  session.run(dialect_.leader.commit);
  return outcome;
}

Status SociStore::refused_behind_pooler(SociSession& session) {
  if (!session.settings().pooled || session.lost()) return {};
  try {
    settings_guard_.set_up(session);
  } catch (const soci::soci_error&) {
    return {};  // the first error says more
  }
  return session.settings().refused;
}

Status SociStore::follow_leader(SociSession& session) {
  return leader_guard_.follow(session, settings_guard_.stated(session));
}

void SociStore::mark_other_nodes(const SociSession& session) {
  const TimePoint now = std::chrono::steady_clock::now();
  TimePoint due = mark_again_at_.load();
  if (now < due || !mark_again_at_.compare_exchange_strong(due, now + kMarkAgainAfter)) return;
  sessions_->ask_each(now + (session.deadline() - now) / 2, [this](SociSession& node) {
    leader_guard_.keep_mark(node);
    return false;
  });
}

std::vector<std::string> SociStore::tags(SociSession& session) const {
  std::vector<std::string> tags;
  RawRow raw;
  session.for_each_row(
      dialect_.list, [&] { tags.push_back(raw.tag); }, into(raw.tag), into(raw.max_id),
      into(raw.step), into(raw.cap));
  std::sort(tags.begin(), tags.end());
  return tags;
}

// The tags are read on the session that makes them: another address may lag behind.
std::vector<std::string> SociStore::fill_schema(SociSession& session) const {
  const std::vector<std::string> statements = split_statements(dialect_.schema);
  session.run(statements.front());  // makes id_segments
  // A session of SQLite makes a new file's tags by itself.
  const std::vector<std::string> before =
      sessions_->has_made_schema() ? std::vector<std::string>() : tags(session);
  for (std::size_t i = 1; i < statements.size(); ++i) session.run(statements[i]);
  const std::vector<std::string> after = tags(session);
  std::vector<std::string> made;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(made));
  return made;
}

Result<std::vector<std::string>> SociStore::query(const std::string& sql) {
  return call(
      [&](SociSession& session) -> Result<std::vector<std::string>> {
        std::vector<std::string> answers;
        std::string text;
        soci::indicator indicator = soci::i_ok;
        session.for_each_row(
            sql,
            [&] {
              if (indicator != soci::i_null) answers.push_back(text);
            },
            into(text, indicator));
        return answers;
      },
      Repeat::kNever);
}

Status SociStore::init_schema(std::vector<std::string>* tags_made) {
  Status status;
  std::vector<std::string> made;
  // PostgreSQL's IF NOT EXISTS fails if two run it at once; the next try finds the table.
  for (int tries = 0; tries < 3; ++tries) {
    status = transact([&](SociSession& session) {
      if (dialect_.schema_begin != nullptr) session.run_script(dialect_.schema_begin);
      made = fill_schema(session);
      if (dialect_.schema_end != nullptr) session.run_script(dialect_.schema_end);
      if (session.settings().in_galera) session.run_script(dialect_.leader.mark.schema);
      // A failover that loses the first leader's record would go unnoticed, so it is made before
      // any lease.
      if (!leader_guard_.active(session)) return Status();
      const Result<bool> changed = settings_guard_.changed(session);  // by the new tables
      return changed.ok() ? follow_leader(session) : changed.status();
    });
    if (status.code() != StatusCode::kAlreadyExists) break;
  }
  if (tags_made != nullptr) *tags_made = std::move(made);
  return status;
}

Result<RawRow> SociStore::find_raw(SociSession& session, std::string_view tag) {
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
                       into(row.step), into(row.cap));
  if (count > 1) return several_rows(table_, tag);
  if (found) return *std::move(found);
  return twin.empty() ? no_such_tag(tag) : only_its_twin(tag, one_line(twin));
}

Result<SegmentRow> SociStore::find_row(SociSession& session, std::string_view tag) {
  const Result<RawRow> raw = find_raw(session, tag);
  return raw.ok() ? raw->read(table_) : raw.status();
}

Result<std::optional<IdRange>> SociStore::move_row(SociSession& session, std::string_view tag,
                                                   std::int64_t count_ids) {
  const std::string tag_text(tag);
  const long long count = count_ids;
  const long long limit = kIdMax - count_ids;
  const std::string sql =
      dialect_.lease + records_.condition(session) + led(session) + dialect_.lease_returning;
  long long max_id = 0;
  long long rows = 0;
  if (dialect_.leased == SociDialect::Leased::kReturnedRow) {
    session.for_each_row(
        sql, [&] { ++rows; }, use(count, "count"), use(tag_text, "tag"), use(limit, "limit"),
        into(max_id));
  } else {
    rows = session.run(sql, use(count, "count"), use(tag_text, "tag"), use(limit, "limit"))
               .affected_rows;
    if (rows == 1) max_id = session.last_insert_id();
  }
  if (rows == 0) return std::optional<IdRange>();
  if (rows > 1) return several_rows(table_, tag);
  if (max_id < count || max_id > kIdMax) {
    throw soci::soci_error("the answer to a lease gives " + std::to_string(max_id) +
                           " as max_id; a trigger on " + table_ + " or a proxy has changed it");
  }
  return std::optional<IdRange>(IdRange{max_id - count + 1, max_id + 1});
}

Result<IdRange> SociStore::lease(std::string_view tag, LeaseSize size) {
  if (Status status = check_lease(tag, size); !status.ok()) return status;
  return transact([&](SociSession& session) -> Result<IdRange> {
    records_.look(session);
    std::int64_t count_ids = size.most_ids;
    Status refused;
    // The first lease of a process learns the term. Further tries follow a failover or a change of
    // settings in between.
    for (int tries = 0; tries < kTriesMax; ++tries) {
      const Result<std::optional<IdRange>> range = move_row(session, tag, count_ids);
      if (!range.ok()) return range.status();
      if (*range) {
        if (session.settings().in_galera) mark_other_nodes(session);
        return **range;
      }
      const Result<SegmentRow> row = find_row(session, tag);
      if (!row.ok()) return row.status();
      refused = refused_lease(*row, size, table_);
      const std::int64_t grants = ids_to_grant(*row, size);
      if (grants == 0) break;
      if (std::exchange(count_ids, grants) > grants) continue;  // its end is near
      const Result<bool> changed = settings_guard_.changed(session);
      if (!changed.ok()) return changed.status();
      if (*changed) continue;
      if (!leader_guard_.active(session)) break;
      if (Status status = follow_leader(session); !status.ok()) return status;
    }
    return refused;
  });
}

Result<SegmentRow> SociStore::find(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return call([&](SociSession& session) {
    records_.look(session);
    return find_row(session, tag);
  });
}

Result<TagChanges> SociStore::changes(std::int64_t version) {
  return call([&](SociSession& session) -> Result<TagChanges> {
    if (leader_guard_.active(session) && !leader_guard_.has_known_term(session)) {
      Status status = settings_guard_.check(session);
      if (status.ok()) status = follow_leader(session);
      if (!status.ok()) return status;
    }
    TagChanges changes;
    if (!records_.look(session)) return changes;
    changes.version = records_.head(session).version;
    if (version < 0 || version == changes.version) return changes;
    const std::int64_t known = known_change(version, changes.version);
    for (const TagRecord& record : records_.changed(session, known, changes.version)) {
      add_limit(record, known, &changes);
    }
    return changes;
  });
}

Result<std::vector<TagInfo>> SociStore::list() {
  return call([&](SociSession& session) -> Result<std::vector<TagInfo>> {
    std::map<std::string, TagRecord> records;
    if (records_.look(session)) {
      for (TagRecord& record : records_.changed(session, -1, kIdMax)) {
        std::string tag = record.tag;
        records.insert_or_assign(std::move(tag), std::move(record));
      }
    }
    std::vector<TagInfo> rows;
    RawRow raw;
    const auto add_row = [&] {
      Result<SegmentRow> row = raw.read(table_);
      if (row.ok()) {
        const auto found = records.find(row->tag);
        const TagRecord record = found != records.end() ? found->second : TagRecord();
        row->cap = record.cap;
        rows.push_back(tag_info(*row, record));
      } else if (log_) {
        log_(LogLevel::kWarn, session.where() + ": " + row.status().message());
      }
    };
    session.for_each_row(dialect_.list, add_row, into(raw.tag), into(raw.max_id), into(raw.step),
                         into(raw.cap));
    // Here, not by ORDER BY: a column's collation does not sort by bytes.
    std::sort(rows.begin(), rows.end(),
              [](const TagInfo& a, const TagInfo& b) { return a.tag < b.tag; });
    return rows;
  });
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

template <typename Body>
Result<bool> SociStore::change(Needs needs, Body body) {
  const auto run_body = [&](SociSession& session) -> Result<bool> {
    Change change;
    change.recorded = records_.look(session, /*ask=*/true);
    if (needs == Needs::kNewTerm && leader_guard_.active(session)) {
      change.term = leader_guard_.renewed_term(session);
    }
    if (dialect_.begin == nullptr) session.run(dialect_.leader.begin);
    Result<bool> done = !change.recorded || records_.begin_change(session, stated(session));
    if (*done) {
      if (change.recorded) change.head = records_.head(session);
      done = body(session, change);
    }
    if (dialect_.begin == nullptr) {
      session.run(took_effect(done) ? dialect_.leader.commit : "ROLLBACK");
    }
    if (took_effect(done) && change.term != 0) leader_guard_.learn_renewal(change.term);
    return done;
  };
  const auto repeatedly = [&](SociSession& session) -> Result<bool> {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      const Result<bool> done = run_body(session);
      if (!done.ok() || *done) return done;
      const Result<bool> changed = settings_guard_.changed(session);
      if (!changed.ok()) return changed.status();
      const bool follows =
          needs == Needs::kLeader || (needs == Needs::kNewTerm && !leader_guard_.knows_term());
      if (follows && leader_guard_.active(session)) {
        if (Status status = follow_leader(session); !status.ok()) return status;
      } else if (!*changed) {
        break;
      }
    }
    return false;
  };
  return transact(repeatedly, needs == Needs::kNewTerm ? Repeat::kNever : Repeat::kSafe);
}

Status SociStore::no_place_for_options(std::string_view tag) const {
  return {StatusCode::kFailedPrecondition,
          "tag '" + std::string(tag) +
              "' can have no options and is not created automatically, "
              "because the table " +
              names_.in("id_tags") +
              " is missing or may not be used; run featherid-server --init-schema"};
}

std::int64_t SociStore::ids_lost_in_failovers(std::int64_t step) const {
  const std::int64_t each = std::max(failover_guard_ids_, 10 * step);
  return std::min(leader_guard_.failovers(), kIdMax / each) * each;
}

Status SociStore::create(std::string_view tag, const NewTag& tag_to_make) {
  if (Status status = check_new_tag(tag, tag_to_make); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long step = tag_to_make.step;
  const TagOptions& options = tag_to_make.options;
  const bool plain = options.description.empty() && options.owner.empty() && options.cap == kIdMax;
  Status refused;
  const auto make = [&](SociSession& session, const Change& change) -> Result<bool> {
    if (find_raw(session, tag).ok()) return tag_exists(tag);
    const std::optional<TagRecord> old =
        change.recorded ? records_.find(session, tag) : std::nullopt;
    const Result<std::int64_t> first =
        first_max_id(tag, tag_to_make, old, ids_lost_in_failovers(step));
    refused = first.status();
    if (!change.recorded && (!plain || tag_to_make.automatic)) refused = no_place_for_options(tag);
    if (!refused.ok()) return refused;
    const long long max_id = *first;
    const std::string sql =
        dialect_.create + (tag_to_make.automatic ? led(session) : stated(session));
    if (session.run(sql, use(tag_text, "tag"), use(max_id, "max_id"), use(step, "step"))
            .affected_rows == 0) {
      return false;
    }
    if (!change.recorded) return true;
    TagRecord record = old.value_or(TagRecord());
    record.tag = tag_text;
    record.version = change.head.version;
    create_in(record, tag_to_make, change.head.now);
    records_.write(session, record);
    return true;
  };
  const Result<bool> made = change(tag_to_make.automatic ? Needs::kLeader : Needs::kRow, make);
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

Status SociStore::update(std::string_view tag, const TagChange& wanted) {
  if (Status status = check_change(tag, wanted); !status.ok()) return status;
  const std::string tag_text(tag);
  const bool plain = !wanted.description && !wanted.owner && !wanted.cap;
  const auto set = [&](SociSession& session, const Change& change) -> Result<bool> {
    const Result<RawRow> raw = find_raw(session, tag);
    if (!raw.ok()) return raw.status();
    if (!change.recorded && !plain) return no_place_for_options(tag);
    if (wanted.cap) {
      const Result<SegmentRow> row = raw->read(table_);
      if (!row.ok()) return row.status();
      if (*wanted.cap < row->max_id) return cap_below(tag, *wanted.cap, row->max_id);
    }
    const long long step = wanted.step.value_or(0);
    if (wanted.step &&
        !run_on_row(session, dialect_.update, use(step, "step"), use(tag_text, "tag"))) {
      return false;
    }
    if (!change.recorded) return true;
    TagRecord record = records_.find(session, tag).value_or(TagRecord());
    record.tag = tag_text;
    record.version = change.head.version;
    change_in(record, wanted, change.head.now);
    records_.write(session, record);
    return true;
  };
  const Result<bool> done = change(Needs::kRow, set);
  if (!done.ok()) return done.status();
  return *done ? Status() : changed_meanwhile(tag);
}

Status SociStore::advance(std::string_view tag, std::int64_t max_id) {
  if (Status status = check_advance(tag, max_id); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long new_max_id = max_id;
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
    if (change.recorded) {
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
    }
    return run_on_row(session, dialect_.remove, use(tag_text, "tag"));
  };
  const Result<bool> done = change(Needs::kRow, take_out);
  if (!done.ok()) return done.status();
  return *done ? Status() : changed_meanwhile(tag);
}

Result<bool> SociStore::exchange_max_id(std::string_view tag, std::int64_t expected,
                                        std::int64_t desired) {
  const std::string tag_text(tag);
  const long long old_max_id = expected;
  const long long new_max_id = desired;
  const auto exchange_once = [&](SociSession& session) {
    return run_once(session, dialect_.exchange_max_id + led(session), use(new_max_id, "max_id"),
                    use(tag_text, "tag"), use(old_max_id, "expected"))
               .affected_rows == 1;
  };
  const auto exchange = [&](SociSession& session) -> Result<bool> {
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

Result<bool> SociStore::give_back(std::string_view tag, IdRange tail) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  return exchange_max_id(tag, tail.last(), tail.first - 1);
}

Result<bool> SociStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to) {
  if (Status status = check_rewind(tag, from, to); !status.ok()) return status;
  const std::string tag_text(tag);
  const long long old_max_id = from;
  const long long new_max_id = to;
  const auto move_back = [&](SociSession& session, const Change& change) -> Result<bool> {
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
    records_.write(session, record);
    return true;
  };
  Result<bool> done = change(Needs::kNewTerm, move_back);
  if (done.status().code() == StatusCode::kNotFound) return false;  // no tag of that column
  return done;
}

Status SociStore::probe() {
  // A commit that changes nothing, on the row that init_soci_schema() makes for this.
  Status committed = advance("health", 0);
  if (!committed.ok() && committed.code() != StatusCode::kNotFound) return committed;
  // Checks which server leads, as a lease does. No tag is empty, so this matches no row.
  return exchange_max_id("", kIdMax, kIdMax - 1).status();
}

Status check_options(const SociStoreOptions& options) {
  if (Status s = check_bounds("sessions_max", options.sessions_max, 1, 64); !s.ok()) return s;
  if (Status s = check_bounds("call_timeout", options.call_timeout.count(), 2, 60, "s"); !s.ok()) {
    return s;
  }
  return check_bounds("failover_guard_ids", options.failover_guard_ids, 1, kGuardIdsMax);
}

// Later sessions must find the same file, even if the working directory changes.
void make_absolute(std::string& file) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(file, error).string();
  if (!file.empty() && !error) file = path;
}

Status check_password_file(DatabaseUrl& url) {
  std::string& file = url.options.password_file;
  if (file.empty()) return {};
  make_absolute(file);
  const Result<std::string> password = read_secret_file(file);
  if (password.ok()) return {};
  return {StatusCode::kInvalidArgument,
          "the database URL has an option password-file: " + password.status().message()};
}

Result<std::unique_ptr<SociStore>> make_store(const std::vector<std::string>& urls,
                                              const SociStoreOptions& options) {
  if (Status bad = check_bounds("the number of database URLs",
                                static_cast<std::int64_t>(urls.size()), 1, kAddressesMax);
      !bad.ok()) {
    return bad;
  }
  if (Status bad = check_options(options); !bad.ok()) return bad;
  std::vector<DatabaseUrl> addresses;
  for (const std::string& url : urls) {
    Result<DatabaseUrl> parsed = parse_database_url(url);
    if (!parsed.ok()) return parsed.status();
    if (!has_driver(parsed->engine)) {
      return Status(StatusCode::kInvalidArgument,
                    "this build lacks SOCI's driver for the " + describe(*parsed));
    }
    if (Status bad = check_password_file(*parsed); !bad.ok()) return bad;
    if (!options.database_file.empty()) parsed->login_may_change = true;
    addresses.push_back(*std::move(parsed));
  }
  DatabaseUrl& first = addresses.front();
  for (const DatabaseUrl& address : addresses) {
    if (address.engine != first.engine || address.database != first.database ||
        address.options.schema != first.options.schema ||
        address.options.table != first.options.table) {
      return Status(StatusCode::kInvalidArgument,
                    "several database URLs must be addresses of one database: of one engine and "
                    "with one database name, schema and table");
    }
    if (address.options.connect_timeout.value_or(options.call_timeout) > options.call_timeout) {
      return Status(StatusCode::kInvalidArgument,
                    "the database URL has a connect_timeout of more than call-timeout (" +
                        std::to_string(options.call_timeout.count()) + " s); lower it");
    }
  }
  if (first.engine == Engine::kSqlite3) {
    if (addresses.size() > 1) {
      return Status(StatusCode::kInvalidArgument, "a SQLite file has one address only");
    }
    // Later sessions must find the same file, even if the working directory changes.
    std::error_code error;
    first.database = std::filesystem::absolute(first.database, error).string();
    if (error) {
      return Status(StatusCode::kInvalidArgument,
                    "a SQLite file has a relative path, and there is no working directory (" +
                        error.message() + "); give its absolute path");
    }
  }
  SociStoreOptions for_good = options;
  make_absolute(for_good.database_file);
  return std::make_unique<SociStore>(std::move(addresses), for_good);
}

}  // namespace

Result<std::unique_ptr<Store>> open_soci_store(const std::vector<std::string>& urls,
                                               const SociStoreOptions& options) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  if (!store.ok()) return store.status();
  return std::unique_ptr<Store>(*std::move(store));
}

Result<std::unique_ptr<Store>> open_soci_store(std::string_view url,
                                               const SociStoreOptions& options) {
  return open_soci_store(std::vector<std::string>{std::string(url)}, options);
}

std::string sqlite3_file_of(std::string_view url) {
  const Result<DatabaseUrl> parsed = parse_database_url(url);
  return parsed.ok() && parsed->engine == Engine::kSqlite3 ? parsed->database : "";
}

std::string name_soci_tables(std::string_view text, std::string_view url) {
  const Result<DatabaseUrl> parsed = parse_database_url(url);
  return parsed.ok() ? TableNames(*parsed).in(text) : std::string(text);
}

Status init_soci_schema(const std::vector<std::string>& urls, const SociStoreOptions& options,
                        std::vector<std::string>* tags_made) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  return store.ok() ? (*store)->init_schema(tags_made) : store.status();
}

Status init_soci_schema(std::string_view url, const SociStoreOptions& options,
                        std::vector<std::string>* tags_made) {
  return init_soci_schema(std::vector<std::string>{std::string(url)}, options, tags_made);
}

Result<std::vector<std::string>> query_soci(const std::vector<std::string>& urls,
                                            const std::string& sql,
                                            const SociStoreOptions& options) {
  Result<std::unique_ptr<SociStore>> store = make_store(urls, options);
  if (!store.ok()) return store.status();
  return (*store)->query(sql);
}

bool soci_threads_left_behind() { return SociConnector::left_threads_behind(); }

}  // namespace featherid
