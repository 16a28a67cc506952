// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_leader_guard.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <utility>

#include "featherid/id_range.h"
#include "lib/store/leader_term.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

using soci::into;
using soci::use;

namespace {

long long next_term(long long term) {
  const long long random = std::random_device{}();
  return (leader_count(term) + 1) * kOneLeader + random;
}

// With other random bits.
long long another_term(long long term) {
  long long other = term;
  while (other == term) other = next_term(term) - kOneLeader;
  return other;
}

}  // namespace

LeaderGuard::LeaderGuard(const LeaderSql& sql, const SociStoreOptions& options,
                         ClusterMark::AskNodes ask_nodes, const TableNames& names)
    : sql_(sql),
      failover_(options.failover),
      skip_ids_(options.failover_guard_ids),
      mark_(sql.mark, std::move(ask_nodes), names),
      log_(options.log),
      own_clock_(options.clock ? options.clock : system_time),
      names_(names) {}

std::string LeaderGuard::condition(const SociSession& session) const {
  if (!active(session)) return "";
  const long long term = term_.load();
  return sql_.condition + std::to_string(term) + ")" +
         (session.settings().in_galera ? mark_.condition(term) : "");
}

// Why a lease needs no lock on id_leader. On one server, the record changes from another's name to
// its own only once, in the transaction that moves the tags: a statement that sees its server's
// name also sees those moves. One that still sees the old name moves nothing and leads here.
//
// A cluster's node is marked with the next term before the term begins, because it cannot be marked
// within the transaction. After it, others could see the term without any mark, and skip again.
Status LeaderGuard::follow(SociSession& session, const std::string& stated) {
  const bool in_galera = session.settings().in_galera;
  ClusterMark::Node node;
  if (in_galera) node = mark_.look(session);
  if (!node.refused.ok()) return node.refused;
  const long long next = next_term(node.term);
  const bool may_take_lead = failover_ != Failover::kStop || node.term == 0;
  if (in_galera && may_take_lead && !(node.leads && node.lives)) mark_.add(session, next);

  Lead lead;
  long long as_stated = 0;
  const auto at = [&](const Status& status) {
    return Status(status.code(), session.where() + ": " + status.message());
  };
  if (Status refused = begin(session); !refused.ok()) return at(refused);
  // The row's lock makes one process handle a failover while the others wait for it here.
  const std::string record = "SELECT server, term, " + std::string(sql_.server) + ", CASE WHEN " +
                             stated + " THEN 1 ELSE 0 END" + sql_.locked_record;
  const bool got_row =
      session.run(record, into(lead.recorded), into(lead.term), into(lead.here), into(as_stated))
          .got_row;
  // Another process may have handled it by now.
  const bool leads = lead.recorded == lead.here;
  const bool as_looked_at = !in_galera || (lead.term == node.term && leads == node.leads);
  if (!got_row || as_stated == 0 || !as_looked_at) {
    session.run(sql_.commit);
    if (!got_row) return at({StatusCode::kFailedPrecondition, names_.in(kNoLeaderOnRecord)});
    if (as_stated != 0) return {};
    return at({StatusCode::kUnavailable,
               "the settings of the database have changed during the call; try again"});
  }
  lead.lives = !in_galera || node.lives;
  const long long seen = term_.load();  // now: another thread may have learnt more during the wait
  Status status;
  std::string warning;
  long long term = lead.term;
  if (!may_follow(term, seen)) {
    status = went_another_way(lead.here, term, seen);
  } else if (!leads || !lead.lives) {
    term = in_galera ? next : next_term(term);
    status = take_lead(session, lead, term, &warning);
  }
  session.run(sql_.commit);
  if (!status.ok()) return at(status);
  {
    const MutexLock lock(mutex_);
    leader_ = lead.here;
  }
  // If another thread has met a server that diverged, the next try finds out.
  for (long long known = seen; leader_count(known) < leader_count(term);) {
    if (term_.compare_exchange_weak(known, term)) break;
  }
  if (!warning.empty() && log_) log_(LogLevel::kWarn, session.where() + ": " + warning);
  return {};
}

bool LeaderGuard::has_known_term(SociSession& session) const {
  const long long known = term_.load();
  long long term = 0;
  return known < 0 || !session.run(sql_.term, into(term)).got_row || term == known;
}

std::int64_t LeaderGuard::recorded_term(SociSession& session) const {
  long long term = 0;
  return active(session) && session.run(sql_.term, into(term)).got_row ? term : 0;
}

std::string LeaderGuard::leader() const {
  const MutexLock lock(mutex_);
  return leader_;
}

std::int64_t LeaderGuard::failovers() const {
  return std::max<std::int64_t>(0, leader_count(term_.load()) - 1);
}

long long LeaderGuard::renewed_term(SociSession& session) const {
  const long long term = another_term(term_.load());
  if (session.settings().in_galera && knows_term()) mark_.add(session, term);
  return term;
}

bool LeaderGuard::record_renewal(SociSession& session, long long term) const {
  Lead lead;
  const std::string lock = "SELECT server, term, " + std::string(sql_.server) + sql_.locked_record;
  const bool got_row =
      session.run(lock, into(lead.recorded), into(lead.term), into(lead.here)).got_row;
  if (!got_row || lead.recorded != lead.here || lead.term != term_.load()) return false;
  session.run(sql_.record, use(lead.here, "server"), use(term, "term"));
  return true;
}

void LeaderGuard::learn_renewal(long long term) {
  long long known = term_.load();
  while (leader_count(known) == leader_count(term) && !term_.compare_exchange_weak(known, term)) {
  }
}

// A pooler that refuses transactions looks like a network failure: it ends the connection, but
// always here.
Status LeaderGuard::begin(SociSession& session) const {
  try {
    session.run(sql_.begin);
  } catch (const soci::soci_error&) {
    if (!session.settings().pooled || !session.lost()) throw;
    return {StatusCode::kFailedPrecondition,
            "a pooler ended the failover guard's transaction when it began; if this happens again, "
            "use pool_mode = transaction or session (pool_mode = statement requires failover = "
            "synchronous)"};
  }
  return {};
}

Status LeaderGuard::take_lead(SociSession& session, const Lead& lead, long long next,
                              std::string* warning) const {
  long long replications = 0;
  if (sql_.replications != nullptr) session.run(sql_.replications, into(replications));
  if (replications != 0) return still_a_replica(lead.here);
  if (lead.term != 0) {  // else there was no leader, and no lease
    if (failover_ == Failover::kStop) return refuse(lead);
    const std::string skipped = skip(session);  // before furthest() reads
    note_failovers(session, leader_count(next) - 1);
    *warning = "FAILOVER: " + what_happened(lead) + "; the last leases may be missing here, so " +
               skipped + furthest(session);
  }
  session.run(sql_.record, use(lead.here, "server"), use(next, "term"));
  return {};
}

// A tag with a time floor could not be leased from for long if it skipped as much as others.
std::string LeaderGuard::skip(SociSession& session) const {
  const long long limit = kIdMax;
  std::string with_floor;
  std::string sql = sql_.skip;
  if (session.settings().has_records) {
    long long now_ms = 0;
    session.run(sql_.now, into(now_ms));
    const long long own_ms = own_clock_().time_since_epoch().count();
    const long long latest_ms = own_ms + std::chrono::milliseconds(kClockAheadMax).count();
    now_ms = now_ms == 0 ? own_ms : std::min(now_ms, latest_ms);
    const auto outcome = session.run(sql_.skip_with_floor, use(skip_ids_, "count"),
                                     use(limit, "limit"), use(now_ms, "now_ms"));
    if (outcome.affected_rows != 0) {
      with_floor = "Tags with a time floor (" + std::to_string(outcome.affected_rows) +
                   ") skipped to the end of their lead. ";
    }
    sql += sql_.skip_unless_floor;
  }
  const auto outcome = session.run(sql, use(skip_ids_, "count"), use(limit, "limit"));
  return "all tags (" + std::to_string(outcome.affected_rows) + ") skipped " +
         std::to_string(skip_ids_) + " ids, or ten steps if that is more. " + with_floor;
}

// A row of a period that was lost must not begin its ids again. Whoever makes it asks the tag's
// record when the last failover was. (Without tags that have periods, a user needs no right to
// write the table.)
void LeaderGuard::note_failovers(SociSession& session, long long failovers) const {
  if (!session.settings().has_records) return;
  long long tags = 0;
  session.run(sql_.periods, into(tags));
  if (tags == 0) return;
  long long now_ms = 0;
  session.run(sql_.now, into(now_ms));
  now_ms = std::max<long long>(now_ms, own_clock_().time_since_epoch().count());
  session.run(sql_.note_failovers, use(failovers, "failovers"), use(now_ms, "now_ms"));
}

std::string LeaderGuard::what_happened(const Lead& lead) const {
  if (lead.recorded == lead.here) {
    return lead.here +
           " has died as a whole: no node is known to have stayed up since the last lease";
  }
  return names_.in("id_segments was led by ") + lead.recorded + " and is led by " + lead.here +
         " now";
}

// How far the ids have come, for a log line: each skip uses up part of what a column or a client
// can hold.
std::string LeaderGuard::furthest(SociSession& session) const {
  long long max_id = 0;
  const long long limit = kIdMax;
  session.run(sql_.furthest, use(limit, "limit"), into(max_id));
  const auto percent_of = [&](long double largest) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3Lg %%", 100 * static_cast<long double>(max_id) / largest);
    return std::string(text);
  };
  return "The highest max_id is " + std::to_string(max_id) + " now: " + percent_of(0x1p31L) +
         " of int32, " + percent_of(0x1p53L) + " of 2^53";
}

Status LeaderGuard::still_a_replica(const std::string& here) const {
  return {
      StatusCode::kFailedPrecondition,
      here +
          names_.in(
              " does not take the lead of id_segments while its replication runs, which could undo "
              "its leases; let it apply its whole relay log, then STOP REPLICA; RESET REPLICA ALL. "
              "If it replicates only other tables, STOP REPLICA until the first lease")};
}

Status LeaderGuard::refuse(const Lead& lead) const {
  // In one session, on one node; the others get the mark from there.
  const std::string to_mark =
      lead.lives ? "" : names_.in(" INSERT IGNORE INTO id_mark SELECT term FROM id_leader;");
  return {StatusCode::kDataLoss,
          what_happened(lead) +
              names_.in("; the last leases may be missing here. Advance every tag past the ids "
                        "ever handed out (featherid advance TAG ID), then UPDATE "
                        "id_leader SET server = '") +
              lead.here + "', term = term + " + std::to_string(kOneLeader) + " WHERE server = '" +
              lead.recorded + "' AND term = " + std::to_string(lead.term) + ";" + to_mark +
              " and restart every process"};
}

Status LeaderGuard::went_another_way(const std::string& here, long long term,
                                     long long seen) const {
  return {
      StatusCode::kDataLoss,
      names_.in("the rows of id_segments on ") + here +
          " are older than those that this process has seen, or have diverged from them (term " +
          std::to_string(term) + " after " + std::to_string(seen) +
          names_.in(
              " in id_leader): an old server or backup is back, or a server was promoted that had "
              "not followed the last leader, or id_leader was created again, or a tag was rewound. "
              "After a rewind, restart every process. Otherwise advance every tag past the ids "
              "ever handed out (featherid advance TAG ID) before that")};
}

}  // namespace featherid
