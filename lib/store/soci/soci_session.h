// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_H_

// Include SOCI only through this file, which handles what differs between its versions and
// packages.
#include <soci/soci-config.h>
// Debian's SOCI was built with Boost and its headers say so, but its package does not require
// Boost.
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME
#include <soci/soci.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/store/soci/database_url.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_errors.h"

namespace featherid {

struct SociDriver;

// Whether this build has the engine's driver.
bool has_driver(Engine engine);

// Thrown if there is no login to open a session with.
class NoLogin : public soci::soci_error {
 public:
  explicit NoLogin(const Status& status) : soci_error(status.message()), code_(status.code()) {}
  StatusCode code() const { return code_; }

 private:
  StatusCode code_;
};

// The error that a driver threw; it must come from a SociSession of `engine`. `connecting`: no
// session was opened.
EngineError to_engine_error(Engine engine, const std::exception& error, bool connecting);

// One connection, owned and used by one thread at a time. Methods throw what SOCI throws. After any
// error it can only be destroyed; SOCI's reconnect() is never called.
class SociSession {
 public:
  // Connects. `connect_timeout` applies to each address of the host, `answer_timeout` to each
  // answer of the server if the driver supports it (see Watchdog).
  SociSession(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
              std::chrono::seconds answer_timeout);
  // Never waits for the server.
  ~SociSession();
  SociSession(const SociSession&) = delete;
  SociSession& operator=(const SociSession&) = delete;

  // The connection's socket, open as long as this object; -1: it has none.
  int socket() const { return socket_; }

  // What messages call the database.
  const std::string& where() const { return where_; }

  // What is known of the server. SettingsGuard's:
  struct Settings {
    std::string text;  // as it was read last
    Status refused;    // why no row may be moved
    TimePoint read_at;
    bool pooled = false;        // a session of the server that other programs use as well
    bool in_galera = false;     // on a node of such a cluster
    bool group_member = false;  // of a server that may only serve inside its cluster
    // SociTagRecords':
    bool has_records = false;     // id_tags can be read
    bool records_denied = false;  // it cannot, because the user lacks a privilege
    TimePoint records_looked_for_at;
  };
  Settings& settings() { return settings_; }
  const Settings& settings() const { return settings_; }

  // The number of the server's process that the driver was told when it connected; 0: none. Behind
  // a pooler it is not the one that runs the statements.
  long long server_process();

  // Of the current call.
  TimePoint deadline() const { return deadline_; }

  // Whether a password was sent, and the connection is not encrypted.
  bool password_in_clear();

  // While no statement runs: whether the server has hung up (or sent something unexpected), or
  // whether the SQLite database's path now leads to another file.
  bool lost() const;

  // From a call's begin until its success, the state of the connection is unknown, and the
  // destructor cuts it instead of closing it properly. SQLite waits for its locks until the
  // deadline.
  void begin_call(TimePoint deadline) {
    in_call_ = true;
    deadline_ = deadline;
  }
  // False: the connection is still inside a transaction, or the server did not wait for a
  // synchronous standby, so what the call did may be lost.
  bool end_call();

  // Runs one statement in one round trip, with SOCI's use() by name and into().
  struct Outcome {
    bool got_row;
    long long affected_rows;
  };
  template <typename... Exchanges>
  Outcome run(const std::string& sql, Exchanges&&... exchanges) {
    soci::statement statement(session_);
    prepare(statement, sql, std::forward<Exchanges>(exchanges)...);
    const bool got_row = execute(statement);
    return {got_row, statement.get_affected_rows()};
  }

  // Runs one query and calls `on_row()` for each row, after it has been read into the exchanges.
  template <typename OnRow, typename... Exchanges>
  void for_each_row(const std::string& sql, OnRow on_row, Exchanges&&... exchanges) {
    soci::statement statement(session_);
    prepare(statement, sql, std::forward<Exchanges>(exchanges)...);
    for (bool got_row = execute(statement); got_row; got_row = statement.fetch()) on_row();
  }

  // Makes sure that statements use the database that the session was opened for, if something may
  // have switched it to another.
  void use_database(const std::string& database);

  // Runs the statements of a schema file.
  void run_script(std::string_view script);

  // MySQL: the value of LAST_INSERT_ID(…) in the last statement's answer, 0 if it was not reached.
  long long last_insert_id();

 private:
  // One-time statements: a prepared one would cost PostgreSQL two more round trips.
  template <typename... Exchanges>
  static void prepare(soci::statement& statement, const std::string& sql,
                      Exchanges&&... exchanges) {
    (statement.exchange(std::forward<Exchanges>(exchanges)), ...);
    statement.alloc();
    statement.prepare(sql, soci::details::st_one_time_query);
    statement.define_and_bind();
  }

  // Whether there was a row. Also throws if the driver knows of an error that SOCI does not.
  bool execute(soci::statement& statement);

  // Identifies a file; all 0 if there is none.
  struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  static FileIdentity identify(const std::string& path);

  soci::session session_;
  const SociDriver& driver_;
  const std::string where_;
  Settings settings_;
  int socket_ = -1;  // a duplicate: the driver may close its own at any error
  std::string file_;
  FileIdentity file_identity_;
  bool in_call_ = false;
  bool commit_wait_was_cancelled_ = false;
  TimePoint deadline_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_SESSION_H_
