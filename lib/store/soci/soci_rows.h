// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_ROWS_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_ROWS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "featherid/internal/fork_guard.h"
#include "featherid/soci_store.h"
#include "lib/base/clock.h"
#include "lib/store/soci/database_url.h"
#include "lib/store/soci/known_floors.h"
#include "lib/store/soci/known_periods.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_leader_guard.h"
#include "lib/store/soci/soci_session.h"
#include "lib/store/soci/soci_session_pool.h"
#include "lib/store/soci/soci_settings_guard.h"
#include "lib/store/soci/soci_tag_records.h"
#include "lib/store/soci/table_names.h"
#include "lib/store/store_arguments.h"

namespace featherid {

// A row as it was read: as texts, because SQLite keeps any value in any column, and a column may
// hold NULL or a number that is too large.
struct RawRow {
  std::string tag;
  std::string max_id;
  std::string step;
  std::string cap;          // empty: none
  std::string strict = {};  // empty or 0: plain order
  std::string floor = {};   // empty: none; otherwise as SociDialect::find says
  std::string period = {};  // likewise

  // `table`: what messages call it.
  Result<SegmentRow> read(const std::string& table) const;
};

inline Status several_rows(const std::string& table, std::string_view tag) {
  return {StatusCode::kFailedPrecondition, "tag '" + std::string(tag) + "' has several rows in " +
                                               table +
                                               "; remove all but the one with the highest max_id, "
                                               "and make biz_tag the primary key"};
}

// A call that met other settings or another leader than it knew is tried again.
constexpr int kTriesMax = 4;

// The row of a tag, in one database: what reads and writes it. Every statement that writes runs
// under settings that were judged, and if it needs one, on the server that leads. SociStore is made
// of these. Thread-safe.
class SociRows {
 public:
  SociRows(const SociRows&) = delete;
  SociRows& operator=(const SociRows&) = delete;

 protected:
  SociRows(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options);
  ~SociRows();

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
  Result<bool> change_tag(Needs needs, Body body);
  // Runs a statement on one row; `sql` lacks its conditions. False: it found none.
  template <typename... Uses>
  bool run_on_row(SociSession& session, const std::string& sql, Uses... uses);
  // The same in a call of its own. kNotFound: there is no row.
  template <typename... Uses>
  Status write_row(std::string_view tag, const char* sql, Uses... uses);

  // In a transaction: the last condition of a statement that must not take effect twice.
  std::string once(SociSession& session);

  Result<RawRow> find_raw(SociSession& session, std::string_view tag);
  Result<SegmentRow> find_row(SociSession& session, std::string_view tag);
  // Calls `on_row` for each row of the query, in order. Returns how many there were.
  std::int64_t for_each_row(SociSession& session, const TagQuery& query,
                            const std::function<void(const RawRow&)>& on_row) const;
  // Moves max_id forward, as the tag's floor says that this process has seen last. Returns nothing
  // if no row was moved.
  Result<std::optional<IdRange>> move_row(SociSession& session, std::string_view tag,
                                          std::int64_t count_ids);
  // The same for the row of a period, by the rule that this process knows of the tag.
  Result<std::optional<IdRange>> move_row_in(SociSession& session, std::string_view tag,
                                             const Period& period, std::int64_t count_ids);
  // The time by the clock that time floors and periods follow: the server's or, without one, the
  // process's. kFailedPrecondition: the server's cannot be trusted.
  Result<WallTime> store_time(SociSession& session) const;
  // A compare-and-set of a row's max_id, only on a server that leads: another server's row may lack
  // leases that were made after the caller's. False: it has another max_id, there is no such row,
  // or a change after the number `known` made processes drop the tag's ids.
  Result<bool> exchange_max_id(std::string_view tag, std::int64_t expected, std::int64_t desired,
                               std::int64_t known);
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
  // Called after a lease has moved no row although the row has ids. Whether it may be tried again:
  // under other settings, or with another leader.
  Result<bool> may_lease_again(SociSession& session);

  // Called after a lease on a Galera node. From time to time it gives the mark to nodes that have
  // joined since, so that the mark survives whichever node goes down next.
  void mark_other_nodes(const SociSession& session);

  const NamedDialect named_;
  const SociDialect& dialect_;
  const TableNames names_;
  const std::string table_;  // what messages call it
  LeaderGuard leader_guard_;
  SettingsGuard settings_guard_;
  SociTagRecords records_;
  KnownFloors floors_;
  KnownPeriods periods_;
  const WallClock own_clock_;
  std::unique_ptr<SociSessionPool> sessions_;

 private:
  // Runs a lease's statement. Returns the max_id that it wrote; nothing if it moved no row.
  using Moved = std::optional<long long>;
  template <typename... Uses>
  Result<Moved> write_max_id(SociSession& session, std::string_view tag, const std::string& sql,
                             Uses... uses);
  // The same for a tag with a floor. The statement moves no row unless the record is as known.
  Result<Moved> raise_max_id(SociSession& session, std::string_view tag, std::int64_t count_ids,
                             const KnownFloors::Known& known);
  Result<std::optional<IdRange>> range_of(const Result<Moved>& moved, std::int64_t count_ids) const;
  // Around each transaction, if the engine requires one.
  void begin(SociSession& session);
  void end(SociSession& session, bool commits);
  // Runs a statement in a transaction of its own, with the condition once().
  template <typename... Uses>
  SociSession::Outcome run_once(SociSession& session, const std::string& sql, Uses... uses);
  // Called after an error of a statement. It may have run on another session of the server than the
  // one that was judged, with another search path, for example. OK: that is not the reason.
  Status refused_behind_pooler(SociSession& session);

  const internal::ForkGuard fork_guard_;
  std::atomic<TimePoint> mark_again_at_{TimePoint()};
};

template <typename Body>
auto SociRows::call(Body body, Repeat repeat) -> decltype(body(std::declval<SociSession&>())) {
  if (fork_guard_.forked()) return store_was_forked();
  return sessions_->call(std::move(body), repeat);
}

template <typename Body>
auto SociRows::transact(Body body, Repeat repeat) -> decltype(body(std::declval<SociSession&>())) {
  const auto in_transaction = [&](SociSession& session) -> decltype(body(session)) {
    begin(session);
    auto result = body(session);
    end(session, took_effect(result));
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
bool SociRows::run_on_row(SociSession& session, const std::string& sql, Uses... uses) {
  const auto outcome = session.run(sql + stated(session), uses...);
  return outcome.affected_rows != 0;
}

template <typename... Uses>
Status SociRows::write_row(std::string_view tag, const char* sql, Uses... uses) {
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

template <typename Body>
Result<bool> SociRows::change_tag(Needs needs, Body body) {
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
      Result<bool> done = run_body(session);
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

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_ROWS_H_
