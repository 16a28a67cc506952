// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_DIALECT_H_
#define FEATHERID_LIB_STORE_SOCI_DIALECT_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/store/database_url.h"

namespace featherid {

// What LeaderGuard says; null where an engine has no servers.
struct LeaderSql {
  // A further condition of a statement on id_segments, up to the number of the term and a closing
  // bracket: this server leads the rows, in that term.
  const char* condition;
  const char* begin;
  const char* lock;  // gives the server recorded, the term, and the server that this is
  // Moves every tag forward by :count or ten steps, up to :limit.
  const char* skip;
  const char* record;
  // How many replications write to this server what another leads; null where none can.
  const char* replications;
};

// What SociStore says to one engine. Parameters by name: :tag, :count, :limit (the highest max_id
// that may be leased from), :step, :max_id, :expected (the max_id that there must be), :term,
// :server.
struct SociDialect {
  // Where a lease finds the max_id that it wrote.
  enum class Leased { kInsertId, kReturnedRow };

  const char* begin;   // null: every statement is a transaction of its own
  const char* commit;  // null as well
  Leased leased;
  const char* lease;            // ends in its conditions …
  const char* lease_returning;  // … and this comes after them
  const char* find;             // gives biz_tag, max_id, step
  const char* list;             // the same, in any order
  const char* create;
  const char* set_step;
  const char* advance;
  const char* give_back;  // ends in its conditions
  LeaderSql leader;
  const char* schema;  // the text of sql/<engine>.sql
};

const SociDialect& dialect_of(Engine engine);

// Statements for a new session of MySQL and PostgreSQL, and what they show about a lease's safety.
namespace mysql_sql {
// Nothing of the server's defaults may decide whether a lease is committed or a text is cut.
std::string set_up(std::chrono::seconds lock_timeout);
extern const char* const kReadCommitted;  // for a session with the failover guard
extern const char* const kSettings;       // name, value
extern const char* const kTableEngine;    // name, value
}  // namespace mysql_sql

namespace postgresql_sql {
extern const char* const kSettings;  // name, value
extern const char* const kCommitSynchronously;
}  // namespace postgresql_sql

namespace sqlite3_sql {
extern const char* const kSetJournalMode;  // gives the mode that is on then
extern const char* const kJournalMode;
extern const char* const kJournalModeWanted;
extern const char* const kSetSynchronous;
extern const char* const kSynchronous;
extern const char* const kSetWritable;
constexpr long long kSynchronousWanted = 2;  // FULL
extern const char* const kSchemaVersion;     // 0: the file is new, no table was ever made in it
}  // namespace sqlite3_sql

struct ServerSetting {
  std::string name;
  std::string value;
};

// One sentence for each setting that lets a crash take back a lease.
std::vector<std::string> unsafe_settings(Engine engine, const std::vector<ServerSetting>& settings);

// The statements of a schema file, without its comment lines.
std::vector<std::string> split_statements(std::string_view script);

// Whether that is an upgrade or a failover that lost the record together with leases, only the
// operator knows: a skip would cost every upgrade its ids.
extern const char* const kNoLeaderOnRecord;

// A database's words in a message: blanks and control characters become one blank.
std::string one_line(const std::string& text);

// An error as the driver gave it.
struct EngineError {
  int number = 0;        // MySQL's error number, SQLite's primary result code; 0: none
  std::string sqlstate;  // PostgreSQL's; empty: none
  std::string text;
};

// What an error tells of the server that it came from.
enum class ServerState {
  kServes,      // the trouble is with the statement, or passes by itself
  kRolledBack,  // it serves; it says that the transaction lost against another one
  kRefuses,     // it does not serve (read-only, not ready), and has not run the statement
  kLost,        // whether the statement was run is not known
};
ServerState server_state(Engine engine, const EngineError& error);

// The status for an error of `url`'s engine, in one line: where, what it means, what to do, and the
// engine's own words. kAlreadyExists for a key that is there already, kExhausted for a number that
// its column cannot hold, kFailedPrecondition for what somebody has to mend, else kUnavailable.
Status to_status(const DatabaseUrl& url, const EngineError& error);

// kUnavailable for a call that was not over in time; `detail` says where it stood.
Status timed_out(const DatabaseUrl& url, std::chrono::seconds timeout, const std::string& detail);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_DIALECT_H_
