// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_POOL_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_POOL_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "featherid/soci_store.h"
#include "featherid/status.h"
#include "lib/base/address_choice.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/watchdog.h"
#include "lib/store/soci/conflict_count.h"
#include "lib/store/soci/database_url.h"
#include "lib/store/soci/login_source.h"
#include "lib/store/soci/soci_connector.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_session.h"
#include "lib/store/soci/sqlite3_use.h"

namespace featherid {

// The sessions of one database, which may have several addresses. Runs calls on them, each within
// the timeout. Thread-safe. A child made by fork() must neither call nor destroy it: it would lock
// the parent's mutexes and use the parent's connections.
class SociSessionPool {
 public:
  // Makes a new session of a server ready for a body. Throws what SociSession throws.
  using SetUp = std::function<void(SociSession& session)>;

  // `addresses` are of one engine, the preferred first.
  SociSessionPool(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options,
                  SetUp set_up);
  ~SociSessionPool();

  // Whether a body that has begun may run again.
  enum class Repeat { kSafe, kNever };

  // Runs `body` on a session. The driver's exceptions are caught only here. If an address gives no
  // session, or its server refuses to serve, the next is tried. A body that lost against another
  // transaction runs again. After an error that leaves open what the body did, it does not. kNever
  // is for what must not happen twice even if a server reports as rolled back what its cluster has
  // committed: a second give_back would take back what was leased to others in between.
  template <typename Body>
  auto call(Body body, Repeat repeat = Repeat::kSafe)
      -> decltype(body(std::declval<SociSession&>()));

  // Calls `ask` with a new session for each address, in order, until it returns true or the time is
  // over. Skips addresses that fail. Returns whether `ask` returned true. For use in a body.
  bool ask_each(TimePoint deadline, const std::function<bool(SociSession& session)>& ask);

  // SQLite: a session has found a new file and made the tables in it.
  bool has_made_schema() const { return has_made_schema_; }

  // Throws if a crash could undo a commit. Call it inside the transaction that will be committed:
  // before that, another program can change the file's journal mode for everybody.
  static void require_durable_sqlite3(SociSession& session);

 private:
  // A place among the running calls.
  class Place {
   public:
    Place(SociSessionPool& pool, TimePoint deadline);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool granted() const { return granted_; }

   private:
    SociSessionPool& pool_;
    bool granted_ = false;
  };

  struct Failure {
    Repeat repeat = Repeat::kSafe;
    Status status;
    bool try_next = true;  // of the addresses
    bool try_same = false;
    int conflicts = 0;
    Status conflict;  // the last one
    void add(Status next, bool try_next_address);
  };

  Engine engine() const { return addresses_.front().engine; }
  // Begins a use of SQLite; OK without one for the other engines.
  Status enter(std::optional<Sqlite3Use>* use) const;
  std::unique_ptr<SociSession> take_idle(std::size_t address) EXCLUDES(mutex_);
  void keep(std::size_t address, std::unique_ptr<SociSession> session) EXCLUDES(mutex_);
  void drop(std::size_t address) EXCLUDES(mutex_);
  // A session that is ready for the body; null if none has arrived by `open_by`.
  std::unique_ptr<SociSession> open(std::size_t address, TimePoint open_by, TimePoint deadline);
  std::unique_ptr<SociSession> connect(std::size_t address, TimePoint open_by, TimePoint deadline);
  void note(std::size_t address, bool opened, TimePoint deadline, const std::exception& error,
            Failure* failure);
  void note_no_session(std::size_t address, Failure* failure);
  void note_conflict(std::size_t address, const EngineError& error, Failure* failure);
  void warn(std::size_t address, const std::string& warning) const;

  void set_up_sqlite3(SociSession& session);

  const std::vector<DatabaseUrl> addresses_;
  const SociStoreOptions options_;
  const SetUp set_up_;
  // SQLite has one writer at a time: threads wait for it here, in turn, not by polling the file
  // lock.
  const int calls_max_;

  AddressChoice choice_;
  ConflictCount conflicts_;
  std::atomic<bool> has_had_schema_{false};  // SQLite: the file is not new
  std::atomic<bool> has_made_schema_{false};
  std::atomic<bool> warned_{false};       // SQLite: of its file system
  std::deque<SociConnector> connectors_;  // by address
  // By address. An attempt to connect may outlive the pool.
  std::vector<std::shared_ptr<LoginSource>> logins_;
  std::vector<std::atomic<bool>> warned_in_clear_;  // by address
  std::vector<std::atomic<bool>> warned_of_login_;  // by address
  Watchdog watchdog_;

  Mutex mutex_;
  CondVar freed_;
  std::vector<std::vector<std::unique_ptr<SociSession>>> idle_ GUARDED_BY(mutex_);  // by address
  int calls_ GUARDED_BY(mutex_) = 0;  // running, each with its own session
};

template <typename Body>
auto SociSessionPool::call(Body body, Repeat repeat)
    -> decltype(body(std::declval<SociSession&>())) {
  const TimePoint start = std::chrono::steady_clock::now();
  const TimePoint deadline = start + options_.call_timeout;
  const Place place(*this, deadline);
  if (!place.granted()) {
    return timed_out(addresses_.front(), options_.call_timeout, "every session is in use");
  }
  std::optional<Sqlite3Use> use;
  if (Status refused = enter(&use); !refused.ok()) return refused;
  Failure failure;
  failure.repeat = repeat;
  const std::vector<std::size_t> order = choice_.order(start);
  for (std::size_t i = 0; i < order.size() && failure.try_next; i += failure.try_same ? 0 : 1) {
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint open_by = now + (deadline - now) / static_cast<int>(order.size() - i);
    bool opened = false;
    try {
      std::unique_ptr<SociSession> session = open(order[i], open_by, deadline);
      if (session == nullptr) {
        note_no_session(order[i], &failure);
        continue;
      }
      opened = true;
      auto result = [&] {
        const Watchdog::Guard guard(watchdog_, session->socket(), deadline);
        return body(*session);
      }();
      if (!session->end_call()) {
        if (result.ok()) return not_committed(addresses_[order[i]]);
        return result;
      }
      keep(order[i], std::move(session));
      return result;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      note(order[i], opened, deadline, error, &failure);
    }
  }
  return failure.status;
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_POOL_H_
