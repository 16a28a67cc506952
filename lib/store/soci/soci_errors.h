// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_ERRORS_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_ERRORS_H_

#include <chrono>
#include <optional>
#include <string>

#include "featherid/status.h"
#include "lib/store/soci/database_url.h"

namespace featherid {

// Only the operator knows whether this is an upgrade, or a failover that lost the record together
// with leases. A skip would waste ids at every upgrade.
extern const char* const kNoLeaderOnRecord;

// A database's text for a message: blanks and control characters become one blank.
std::string one_line(const std::string& text);

// An error as the driver reported it.
struct EngineError {
  int number = 0;        // MySQL's error number, SQLite's primary result code; 0: none
  std::string sqlstate;  // PostgreSQL's; empty: none
  std::string text;
  bool connecting = false;  // there was no connection yet
  // For an error before the server was asked for anything. The text then says what to do.
  std::optional<StatusCode> before_login = {};
};

// What an error says about the server that it came from.
enum class ServerState {
  kServes,      // the problem is in the statement, or passes by itself
  kRolledBack,  // it serves; it says that the transaction lost against another one
  kRefuses,     // it does not serve (read-only, not ready), and has not run the statement
  kLost,        // it is unknown whether the statement ran
};
ServerState server_state(Engine engine, const EngineError& error);

// Whether it says that a table or a column is missing, or that the user may not use it.
bool is_table_unusable(Engine engine, const EngineError& error);
// Whether the user may not use it, so that it may well exist.
bool is_privilege_missing(Engine engine, const EngineError& error);

// The status for an error of `url`'s engine, in one line: where, what it means, what to do, and the
// engine's own message. kAlreadyExists for a key that already exists, kExhausted for a number that
// its column cannot hold, kNotFound for a tag that it cannot hold, kFailedPrecondition for what
// somebody must fix, else kUnavailable.
Status to_status(const DatabaseUrl& url, const EngineError& error);

// kFailedPrecondition: all statements of a call were answered, but what they did may be lost
// (SociSession::end_call()).
Status not_committed(const DatabaseUrl& url);

// kUnavailable for a call that did not finish in time; `detail` says how far it got.
Status timed_out(const DatabaseUrl& url, std::chrono::seconds timeout, const std::string& detail);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_ERRORS_H_
