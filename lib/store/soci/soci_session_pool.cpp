// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_session_pool.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "lib/store/soci/sqlite3_file.h"

namespace featherid {

using soci::into;

namespace {

// A call that lost against another transaction is tried again at once, up to this many times, and
// then with a pause that doubles.
constexpr int kConflictsAtOnce = 3;
constexpr int kDoublingsMax = 6;

std::chrono::milliseconds pause_after(int conflicts) {
  const int doublings = std::min(conflicts - kConflictsAtOnce, kDoublingsMax);
  return std::chrono::milliseconds(doublings > 0 ? 1 << doublings : 0);
}

}  // namespace

SociSessionPool::Place::Place(SociSessionPool& pool, TimePoint deadline) : pool_(pool) {
  const MutexLock lock(pool_.mutex_);
  while (pool_.calls_ >= pool_.calls_max_) {
    if (!pool_.freed_.wait_until(pool_.mutex_, deadline) && pool_.calls_ >= pool_.calls_max_) {
      return;
    }
  }
  ++pool_.calls_;
  granted_ = true;
}

SociSessionPool::Place::~Place() {
  if (!granted_) return;
  const MutexLock lock(pool_.mutex_);
  --pool_.calls_;
  pool_.freed_.notify_one();
}

void SociSessionPool::Failure::add(Status next, bool try_next_address) {
  try_next = try_next_address;
  if (status.ok()) {
    status = std::move(next);
    return;
  }
  // If one address may recover by itself, nobody has to fix another.
  const bool may_pass = status.code() == StatusCode::kUnavailable;
  status = {may_pass ? status.code() : next.code(), status.message() + "; then " + next.message()};
}

SociSessionPool::SociSessionPool(std::vector<DatabaseUrl> addresses,
                                 const SociStoreOptions& options, SetUp set_up)
    : addresses_(std::move(addresses)),
      options_(options),
      set_up_(std::move(set_up)),
      calls_max_(engine() == Engine::kSqlite3 ? 1 : options_.sessions_max),
      choice_(addresses_.size()),
      warned_in_clear_(addresses_.size()),
      warned_of_login_(addresses_.size()),
      idle_(addresses_.size()) {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    connectors_.emplace_back(calls_max_);
    logins_.push_back(std::make_shared<LoginSource>(addresses_[i], options_.database_file, i));
  }
  const MutexLock lock(mutex_);
  // So that push_back in keep() never throws.
  for (auto& idle : idle_) idle.reserve(static_cast<std::size_t>(calls_max_));
}

SociSessionPool::~SociSessionPool() {
  const MutexLock lock(mutex_);
  std::optional<Sqlite3Use> use;  // needs no memory: there was one in this process
  if (engine() == Engine::kSqlite3 && !idle_.front().empty()) use.emplace();
  idle_.clear();
}

Status SociSessionPool::enter(std::optional<Sqlite3Use>* use) const {
  if (engine() != Engine::kSqlite3) return {};
  use->emplace();
  if (Status status = (*use)->status(); !status.ok()) return status;
  if (Status status = check_sqlite3_library(); !status.ok()) return status;
  return check_sqlite3_file(addresses_.front().database);
}

std::unique_ptr<SociSession> SociSessionPool::take_idle(std::size_t address) {
  const MutexLock lock(mutex_);
  std::vector<std::unique_ptr<SociSession>>& idle = idle_[address];
  if (idle.empty()) return nullptr;
  std::unique_ptr<SociSession> session = std::move(idle.back());
  idle.pop_back();
  return session;
}

void SociSessionPool::keep(std::size_t address, std::unique_ptr<SociSession> session) {
  choice_.worked(address);
  {
    const MutexLock lock(mutex_);
    idle_[address].push_back(std::move(session));
  }
  // While this address works, nobody uses those after it.
  for (std::size_t later = address + 1; later < addresses_.size(); ++later) drop(later);
}

void SociSessionPool::drop(std::size_t address) {
  connectors_[address].drop();
  while (take_idle(address) != nullptr) {
  }
}

std::unique_ptr<SociSession> SociSessionPool::open(std::size_t address, TimePoint open_by,
                                                   TimePoint deadline) {
  std::unique_ptr<SociSession> session = take_idle(address);
  if (session != nullptr && session->lost()) {
    session.reset();
    warn(address, "an idle session was lost; opening another");
  }
  if (session == nullptr) return connect(address, open_by, deadline);
  session->begin_call(deadline);
  return session;
}

std::unique_ptr<SociSession> SociSessionPool::connect(std::size_t address, TimePoint open_by,
                                                      TimePoint deadline) {
  const UrlOptions& url_options = addresses_[address].options;
  if (url_options.connect_timeout) {
    open_by = std::min(open_by, std::chrono::steady_clock::now() + *url_options.connect_timeout);
  }
  // The drivers' timeouts are in seconds, and apply to each address of a name.
  const auto time_left = open_by - std::chrono::steady_clock::now();
  const auto connect_timeout =
      std::max(std::chrono::ceil<std::chrono::seconds>(time_left), std::chrono::seconds(1));
  const auto open = [address_url = addresses_[address], login_source = logins_[address],
                     connect_timeout, answer_timeout = options_.call_timeout] {
    DatabaseUrl url = address_url;
    Result<LoginSource::Login> login = login_source->read();
    if (!login.ok()) throw NoLogin(login.status());
    url.user = std::move(login->user);
    url.password = std::move(login->password);
    return std::make_unique<SociSession>(url, connect_timeout, answer_timeout);
  };
  std::unique_ptr<SociSession> session =
      engine() == Engine::kSqlite3 ? open() : connectors_[address].connect(open, open_by);
  if (session == nullptr) return nullptr;
  if (!is_local(addresses_[address]) && session->password_in_clear() &&
      !warned_in_clear_[address].exchange(true)) {
    warn(address,
         "the password is sent over the network unencrypted; set tls=required or, better, "
         "tls=verify-full in the database URL");
  }
  const std::string risk = logins_[address]->risk();
  if (!risk.empty() && !warned_of_login_[address].exchange(true)) warn(address, risk);
  session->begin_call(deadline);
  const Watchdog::Guard guard(watchdog_, session->socket(), open_by);
  if (engine() == Engine::kSqlite3) {
    set_up_sqlite3(*session);
  } else {
    set_up_(*session);
  }
  return session;
}

bool SociSessionPool::ask_each(TimePoint deadline,
                               const std::function<bool(SociSession& session)>& ask) {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint by = now + (deadline - now) / static_cast<int>(addresses_.size() - i);
    try {
      const std::unique_ptr<SociSession> session = connect(i, by, by);
      if (session == nullptr) continue;
      const Watchdog::Guard guard(watchdog_, session->socket(), by);
      const bool answer = ask(*session);
      session->end_call();
      if (answer) return true;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {  // it is reported when the address is used
    }
  }
  return false;
}

void SociSessionPool::note(std::size_t address, bool opened, TimePoint deadline,
                           const std::exception& error, Failure* failure) {
  // The retry of a call that lost got no session. The call's error says both.
  if (!opened && failure->try_same) failure->add(failure->conflict, false);
  const EngineError engine_error = to_engine_error(engine(), error, !opened);
  const ServerState state = server_state(engine(), engine_error);
  const TimePoint now = std::chrono::steady_clock::now();
  // If the watchdog cut the connection, it looks lost; report a timeout instead.
  const bool late = engine() != Engine::kSqlite3 && now >= deadline;
  // If many write to one row of a cluster, one in two loses: callers should not wait for a back-off
  // each time.
  const bool rolled_back = opened && !late && state == ServerState::kRolledBack;
  const bool may_repeat = !opened || failure->repeat == Repeat::kSafe;
  if (rolled_back) note_conflict(address, engine_error, failure);
  // A late attempt would be cut off at the deadline, and look like a lost connection.
  failure->try_same = rolled_back && may_repeat && deadline - now > options_.call_timeout / 2;
  if (failure->try_same) return std::this_thread::sleep_for(pause_after(failure->conflicts));
  if (!rolled_back && (!opened || late || state != ServerState::kServes)) {
    choice_.failed(address, now);
    // A server that refuses a login may still serve open sessions.
    if (opened || late || state != ServerState::kServes) drop(address);
  }
  failure->add(late ? timed_out(addresses_[address], options_.call_timeout, engine_error.text)
                    : to_status(addresses_[address], engine_error),
               !late && may_repeat && (!opened || state == ServerState::kRefuses));
}

void SociSessionPool::note_conflict(std::size_t address, const EngineError& error,
                                    Failure* failure) {
  ++failure->conflicts;
  failure->conflict = to_status(addresses_[address], error);
  if (const std::int64_t count = conflicts_.add(std::chrono::steady_clock::now()); count > 0) {
    warn(address, "statements that lost against another transaction since the last such message: " +
                      std::to_string(count) + " (" + one_line(error.text) +
                      "); leases are tried again. If several servers of a cluster are written to, "
                      "give every process their addresses in the same order");
  }
}

void SociSessionPool::note_no_session(std::size_t address, Failure* failure) {
  if (std::exchange(failure->try_same, false)) {  // it serves; the time is up
    failure->add(failure->conflict, false);
    return;
  }
  choice_.failed(address, std::chrono::steady_clock::now());
  const std::chrono::seconds time =
      addresses_[address].options.connect_timeout.value_or(options_.call_timeout);
  failure->add(timed_out(addresses_[address], time,
                         "no connection; make sure that its name can be looked up, and that "
                         "it runs and can be reached"),
               true);
}

void SociSessionPool::require_durable_sqlite3(SociSession& session) {
  std::string journal_mode;
  session.run(sqlite3_sql::kJournalMode, into(journal_mode));
  long long synchronous = -1;
  session.run(sqlite3_sql::kSynchronous, into(synchronous));
  if (journal_mode != sqlite3_sql::kJournalModeWanted ||
      synchronous != sqlite3_sql::kSynchronousWanted) {
    throw soci::soci_error("journal_mode=" + journal_mode +
                           " and synchronous=" + std::to_string(synchronous) +
                           " instead of truncate and 2; close every "
                           "program that has the file open in another mode");
  }
}

void SociSessionPool::set_up_sqlite3(SociSession& session) {
  std::string journal_mode;
  session.run(sqlite3_sql::kSetJournalMode, into(journal_mode));
  session.run(sqlite3_sql::kSetSynchronous);
  session.run(sqlite3_sql::kSetWritable);
  require_durable_sqlite3(session);
  long long schema_version = -1;
  session.run(sqlite3_sql::kSchemaVersion, into(schema_version));
  if (schema_version == 0) {
    if (has_had_schema_) {
      throw soci::soci_error(
          "the file was removed or emptied while it was in use, so ids would begin at 1 again; put "
          "it back, or stop this process first");
    }
    const NamedDialect dialect(addresses_.front());
    session.run((*dialect).begin);
    session.run_script((*dialect).schema);
    session.run((*dialect).commit);
    has_made_schema_ = true;
  }
  has_had_schema_ = true;
  if (!options_.log_risks || warned_.exchange(true)) return;
  const std::string risk = file_system_risk(addresses_.front().database);
  if (!risk.empty()) warn(0, risk);
}

void SociSessionPool::warn(std::size_t address, const std::string& warning) const {
  if (options_.log) options_.log(LogLevel::kWarn, describe(addresses_[address]) + ": " + warning);
}

}  // namespace featherid
