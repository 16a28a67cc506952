// SPDX-License-Identifier: MIT
#include "featherid/soci_store.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <utility>

#include "featherid/fork_guard.h"
#include "lib/mutex.h"
#include "lib/store/database_url.h"
#include "lib/store/soci_dialect.h"
#include "lib/store/soci_leader_guard.h"
#include "lib/store/soci_session.h"
#include "lib/store/store_arguments.h"
#include "lib/store/watchdog.h"

namespace featherid {

namespace {

using soci::into;
using soci::use;

constexpr std::int64_t kGuardIdsMax = std::int64_t{1} << 40;

// All that a child made by fork() must not touch: its destructor would lock the parent's mutexes
// and speak on the parent's connections.
struct Sessions {
  Mutex mutex;
  CondVar freed;
  std::vector<std::unique_ptr<SociSession>> idle GUARDED_BY(mutex);
  int calls GUARDED_BY(mutex) = 0;  // under way, each with a session of its own
  Watchdog watchdog;
};

class SociStore final : public SegmentStore {
 public:
  SociStore(DatabaseUrl url, SociStoreOptions options);
  ~SociStore() override;

  Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<std::vector<SegmentRow>> list() override;
  Status create(std::string_view tag, std::int64_t step) override;
  Status set_step(std::string_view tag, std::int64_t step) override;
  Status advance(std::string_view tag, std::int64_t max_id) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;

  Status init_schema();

 private:
  class Slot;

  // Runs `body` on a session within the time-out. The one place where the driver's exceptions stop.
  template <typename Body>
  auto call(Body body) -> decltype(body(std::declval<SociSession&>()));
  // The same inside the engine's transaction, where it needs one.
  template <typename Body>
  auto transact(Body body) -> decltype(body(std::declval<SociSession&>()));

  void begin(SociSession& session);
  void commit(SociSession& session);
  void bound_lock_waits(SociSession& session);
  std::unique_ptr<SociSession> open_session(TimePoint deadline);
  void set_up(SociSession& session);
  void set_up_mysql(SociSession& session);
  void set_up_postgresql(SociSession& session);
  void set_up_sqlite3(SociSession& session);
  void warn(const std::string& warning) const;
  void warn_once_of(const std::vector<ServerSetting>& settings);
  void run_schema(SociSession& session);
  Result<SegmentRow> find_row(SociSession& session, std::string_view tag);
  // Moves max_id forward; nothing when there was no row to move.
  std::optional<IdRange> move_row(SociSession& session, std::string_view tag,
                                  std::int64_t count_ids);

  const DatabaseUrl url_;
  const SociDialect& dialect_;
  const SociStoreOptions options_;
  // SQLite has one writer at a time: threads wait for it here, in turn, not by polling the file
  // lock.
  const int calls_max_;
  const internal::ForkGuard fork_guard_;

  LeaderGuard leader_guard_;
  std::atomic<bool> warned_{false};
  std::unique_ptr<Sessions> sessions_;
};

// A place among the calls under way, and the idle session that came with it, if any.
class SociStore::Slot {
 public:
  Slot(Sessions& sessions, int calls_max, TimePoint deadline) : sessions_(sessions) {
    const MutexLock lock(sessions_.mutex);
    while (sessions_.calls >= calls_max) {
      if (!sessions_.freed.wait_until(sessions_.mutex, deadline) && sessions_.calls >= calls_max) {
        return;
      }
    }
    ++sessions_.calls;
    granted_ = true;
    if (sessions_.idle.empty()) return;
    session_ = std::move(sessions_.idle.back());
    sessions_.idle.pop_back();
  }

  ~Slot() {
    if (!granted_) return;
    const MutexLock lock(sessions_.mutex);
    --sessions_.calls;
    if (session_ != nullptr) sessions_.idle.push_back(std::move(session_));
    sessions_.freed.notify_one();
  }

  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  bool granted() const { return granted_; }
  std::unique_ptr<SociSession> take() { return std::move(session_); }
  void put_back(std::unique_ptr<SociSession> session) { session_ = std::move(session); }

 private:
  Sessions& sessions_;
  bool granted_ = false;
  std::unique_ptr<SociSession> session_;
};

SociStore::SociStore(DatabaseUrl url, SociStoreOptions options)
    : url_(std::move(url)),
      dialect_(dialect_of(url_.engine)),
      options_(std::move(options)),
      calls_max_(url_.engine == Engine::kSqlite3 ? 1 : options_.sessions_max),
      leader_guard_(dialect_.leader, options_, [this](const std::string& text) { warn(text); }),
      sessions_(std::make_unique<Sessions>()) {
  const MutexLock lock(sessions_->mutex);
  sessions_->idle.reserve(
      static_cast<std::size_t>(calls_max_));  // a session comes back without fail
}

SociStore::~SociStore() {
  if (fork_guard_.forked()) static_cast<void>(sessions_.release());  // leaked on purpose
}

template <typename Body>
auto SociStore::call(Body body) -> decltype(body(std::declval<SociSession&>())) {
  if (fork_guard_.forked()) return store_was_forked();
  const TimePoint deadline = std::chrono::steady_clock::now() + options_.call_timeout;
  Slot slot(*sessions_, calls_max_, deadline);
  if (!slot.granted()) return timed_out(url_, options_.call_timeout, "every session is in use");
  try {
    std::unique_ptr<SociSession> session = slot.take();
    if (session != nullptr && session->lost()) {
      session.reset();
      warn("a session that was idle is lost; opening another");
    }
    const bool fresh = session == nullptr;
    if (fresh) {
      session = open_session(deadline);
      if (session == nullptr)
        return timed_out(url_, options_.call_timeout, "no time was left to connect");
    }
    session->begin_call(deadline);
    const Watchdog::Guard guard(sessions_->watchdog, session->socket(), deadline);
    bound_lock_waits(*session);
    if (fresh) set_up(*session);
    auto result = body(*session);
    session->end_call();
    slot.put_back(std::move(session));
    return result;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    const EngineError engine_error = to_engine_error(url_.engine, error);
    // A line that the watchdog cut looks like a lost connection; say what it was.
    if (url_.engine != Engine::kSqlite3 && std::chrono::steady_clock::now() >= deadline) {
      return timed_out(url_, options_.call_timeout, engine_error.text);
    }
    return to_status(url_, engine_error);
  }
}

template <typename Body>
auto SociStore::transact(Body body) -> decltype(body(std::declval<SociSession&>())) {
  return call([&](SociSession& session) {
    begin(session);
    auto result = body(session);
    commit(session);
    return result;
  });
}

void SociStore::begin(SociSession& session) {
  if (dialect_.begin != nullptr) session.run(dialect_.begin);
}

void SociStore::commit(SociSession& session) {
  if (dialect_.commit == nullptr) return;
  bound_lock_waits(session);  // begin may have waited already
  session.run(dialect_.commit);
}

// SQLite waits for its lock by itself, as long as it was last told.
void SociStore::bound_lock_waits(SociSession& session) {
  if (url_.engine != Engine::kSqlite3) return;
  long long applied_ms = 0;
  session.run(sqlite3_sql::busy_timeout(session.time_left()), into(applied_ms));
}

std::unique_ptr<SociSession> SociStore::open_session(TimePoint deadline) {
  // A little grace, or a call that has only just begun would have one whole second less.
  const auto left = std::chrono::floor<std::chrono::seconds>(
      deadline - std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  // libpq makes two seconds of one.
  if (left < std::chrono::seconds(url_.engine == Engine::kPostgresql ? 2 : 1)) return nullptr;
  return std::make_unique<SociSession>(url_, left, options_.call_timeout);
}

void SociStore::set_up(SociSession& session) {
  switch (url_.engine) {
    case Engine::kMysql:
      return set_up_mysql(session);
    case Engine::kPostgresql:
      return set_up_postgresql(session);
    case Engine::kSqlite3:
      return set_up_sqlite3(session);
  }
}

std::vector<ServerSetting> read_settings(SociSession& session, const char* sql) {
  std::vector<ServerSetting> settings;
  ServerSetting setting;
  session.for_each_row(
      sql, [&] { settings.push_back(setting); }, into(setting.name), into(setting.value));
  return settings;
}

void SociStore::set_up_mysql(SociSession& session) {
  session.run(mysql_sql::set_up(options_.call_timeout / 2));
  if (leader_guard_.active()) session.run(mysql_sql::kReadCommitted);
  if (warned_.load()) return;
  std::vector<ServerSetting> settings = read_settings(session, mysql_sql::kSettings);
  for (ServerSetting& engine : read_settings(session, mysql_sql::kTableEngine)) {
    settings.push_back(std::move(engine));
  }
  warn_once_of(settings);
}

void SociStore::set_up_postgresql(SociSession& session) {
  const std::vector<ServerSetting> settings = read_settings(session, postgresql_sql::kSettings);
  for (const ServerSetting& setting : settings) {
    if (setting.name == "synchronous_commit" && setting.value == "off") {
      session.run(postgresql_sql::kCommitSynchronously);
    }
  }
  warn_once_of(settings);
}

void SociStore::set_up_sqlite3(SociSession& session) {
  std::string journal_mode;
  session.run(sqlite3_sql::kSetJournalMode, into(journal_mode));
  session.run(sqlite3_sql::kSetSynchronous);
  long long synchronous = -1;
  session.run(sqlite3_sql::kSynchronous, into(synchronous));
  if (journal_mode != sqlite3_sql::kJournalModeWanted ||
      synchronous != sqlite3_sql::kSynchronousWanted) {
    throw soci::soci_error("journal_mode=" + journal_mode +
                           " and synchronous=" + std::to_string(synchronous) +
                           " instead of truncate and 2; close every "
                           "program that has the file open in another mode");
  }
  long long tables = -1;
  session.run(sqlite3_sql::kCountTables, into(tables));
  if (tables == 0) {
    begin(session);
    run_schema(session);
    commit(session);
  }
}

void SociStore::warn(const std::string& warning) const {
  if (options_.warn) options_.warn(describe(url_) + ": " + warning);
}

void SociStore::warn_once_of(const std::vector<ServerSetting>& settings) {
  if (warned_.exchange(true)) return;
  for (const std::string& warning : unsafe_settings(url_.engine, settings)) warn(warning);
}

void SociStore::run_schema(SociSession& session) {
  for (const std::string& statement : split_statements(dialect_.schema)) session.run(statement);
}

Status SociStore::init_schema() {
  Status status;
  // PostgreSQL's IF NOT EXISTS fails when two do it at once; the second time it finds the table.
  for (int tries = 0; tries < 3; ++tries) {
    status = transact([&](SociSession& session) {
      run_schema(session);
      return Status();
    });
    if (status.code() != StatusCode::kAlreadyExists) break;
  }
  return status;
}

Result<SegmentRow> SociStore::find_row(SociSession& session, std::string_view tag) {
  const std::string name(tag);
  SegmentRow row;
  long long max_id = 0;
  long long step = 0;
  const bool got_row =
      session.run(dialect_.find, use(name, "tag"), into(row.biz_tag), into(max_id), into(step))
          .got_row;
  if (!got_row) return no_such_tag(tag);
  row.max_id = max_id;
  row.step = step;
  return row;
}

std::optional<IdRange> SociStore::move_row(SociSession& session, std::string_view tag,
                                           std::int64_t count_ids) {
  const std::string name(tag);
  const long long count = count_ids;
  const long long limit = kIdMax - count_ids;
  const std::string sql = dialect_.lease + leader_guard_.condition() + dialect_.lease_returning;
  long long max_id = 0;
  if (dialect_.leased == SociDialect::Leased::kReturnedRow) {
    const bool got_row =
        session.run(sql, use(count, "count"), use(name, "tag"), use(limit, "limit"), into(max_id))
            .got_row;
    if (!got_row) return std::nullopt;
  } else {
    const SociSession::Outcome outcome =
        session.run(sql, use(count, "count"), use(name, "tag"), use(limit, "limit"));
    if (outcome.affected_rows != 1) return std::nullopt;
    max_id = session.last_insert_id();
  }
  if (max_id < count || max_id > kIdMax) {
    throw soci::soci_error("the answer to a lease gives " + std::to_string(max_id) +
                           " as max_id; a proxy in between may have changed it");
  }
  return IdRange{max_id - count + 1, max_id + 1};
}

Result<IdRange> SociStore::lease(std::string_view tag, std::int64_t count_ids) {
  if (Status status = check_lease(tag, count_ids); !status.ok()) return status;
  return transact([&](SociSession& session) -> Result<IdRange> {
    Status refused;
    // The first lease of a process comes to know the term; a third try follows a failover in
    // between.
    for (int tries = 0; tries < 3; ++tries) {
      if (const std::optional<IdRange> range = move_row(session, tag, count_ids)) return *range;
      const Result<SegmentRow> row = find_row(session, tag);
      if (!row.ok()) return row.status();
      refused = refused_lease(*row, count_ids);
      if (!leader_guard_.active() || !may_lease(*row, count_ids)) break;
      if (Status status = leader_guard_.follow(session); !status.ok()) return status;
    }
    return refused;
  });
}

Result<SegmentRow> SociStore::find(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  return call([&](SociSession& session) { return find_row(session, tag); });
}

Result<std::vector<SegmentRow>> SociStore::list() {
  return call([&](SociSession& session) -> Result<std::vector<SegmentRow>> {
    std::vector<SegmentRow> rows;
    SegmentRow row;
    long long max_id = 0;
    long long step = 0;
    session.for_each_row(
        dialect_.list,
        [&] {
          row.max_id = max_id;
          row.step = step;
          rows.push_back(row);
        },
        into(row.biz_tag), into(max_id), into(step));
    // Here, and not by ORDER BY: the order of a column's collation is not that of the bytes.
    std::sort(rows.begin(), rows.end(),
              [](const SegmentRow& a, const SegmentRow& b) { return a.biz_tag < b.biz_tag; });
    return rows;
  });
}

Status SociStore::create(std::string_view tag, std::int64_t step) {
  if (Status status = check_step(tag, step); !status.ok()) return status;
  return transact([&](SociSession& session) {
    const std::string name(tag);
    const long long new_step = step;
    session.run(dialect_.create, use(name, "tag"), use(new_step, "step"));
    return Status();
  });
}

Status SociStore::set_step(std::string_view tag, std::int64_t step) {
  if (Status status = check_step(tag, step); !status.ok()) return status;
  return transact([&](SociSession& session) {
    const std::string name(tag);
    const long long new_step = step;
    const auto outcome = session.run(dialect_.set_step, use(new_step, "step"), use(name, "tag"));
    return outcome.affected_rows == 1 ? Status() : no_such_tag(tag);
  });
}

Status SociStore::advance(std::string_view tag, std::int64_t max_id) {
  if (Status status = check_advance(tag, max_id); !status.ok()) return status;
  return transact([&](SociSession& session) {
    const std::string name(tag);
    const long long new_max_id = max_id;
    const auto outcome = session.run(dialect_.advance, use(new_max_id, "max_id"), use(name, "tag"));
    return outcome.affected_rows == 1 ? Status() : no_such_tag(tag);
  });
}

Result<bool> SociStore::give_back(std::string_view tag, IdRange tail) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  return transact([&](SociSession& session) -> Result<bool> {
    const std::string name(tag);
    const long long new_max_id = tail.first - 1;
    const long long expected = tail.last();
    // Not on a server that does not lead: its row may lack leases that others made after this one.
    const std::string sql = dialect_.give_back + leader_guard_.condition();
    const auto outcome =
        session.run(sql, use(new_max_id, "max_id"), use(name, "tag"), use(expected, "expected"));
    return outcome.affected_rows == 1;
  });
}

Result<std::unique_ptr<SociStore>> make_store(std::string_view url, SociStoreOptions options) {
  Result<DatabaseUrl> parsed = parse_database_url(url);
  if (!parsed.ok()) return parsed.status();
  if (Status s = check_bounds("sessions_max", options.sessions_max, 1, 64); !s.ok()) return s;
  if (Status s = check_bounds("call_timeout (in s)", options.call_timeout.count(), 2, 60);
      !s.ok()) {
    return s;
  }
  if (Status s = check_bounds("failover_guard_ids", options.failover_guard_ids, 1, kGuardIdsMax);
      !s.ok()) {
    return s;
  }
  if (!has_driver(parsed->engine)) {
    return Status(StatusCode::kInvalidArgument,
                  "this build lacks SOCI's driver for the " + describe(*parsed));
  }
  if (parsed->engine == Engine::kSqlite3) {
    // A later session must find the same file, wherever the process has gone meanwhile.
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(parsed->database, error);
    if (!error) parsed->database = path.lexically_normal().string();
  }
  return std::make_unique<SociStore>(*std::move(parsed), std::move(options));
}

}  // namespace

Result<std::unique_ptr<SegmentStore>> open_soci_store(std::string_view url,
                                                      SociStoreOptions options) {
  Result<std::unique_ptr<SociStore>> store = make_store(url, std::move(options));
  if (!store.ok()) return store.status();
  return std::unique_ptr<SegmentStore>(*std::move(store));
}

Status init_soci_schema(std::string_view url, SociStoreOptions options) {
  Result<std::unique_ptr<SociStore>> store = make_store(url, std::move(options));
  return store.ok() ? (*store)->init_schema() : store.status();
}

}  // namespace featherid
