// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_errors.h"

#include <utility>

#include "lib/store/soci/table_names.h"
#include "lib/store/soci/tls_options.h"

namespace featherid {

namespace {

enum class Fault {
  kUnknown,
  kConflict,
  kLockTimeout,
  kConnection,
  kNotReady,
  kNotMember,
  kReadOnly,
  kNoTable,
  kNoLeaderTable,
  kNoMarkTable,
  kNoTagsTable,
  kNoColumn,
  kNoMemoryTable,
  kNoDatabase,
  kLoginRefused,
  kInitConnect,
  kNoPrivilege,
  kDuplicate,
  kOutOfRange,
  kNoSpace,
  kNotOpened,
  kDamaged,
  kStatementLog,
  kCancelled,
  kNotStorable,
  kPoolerRefused,
  kTlsWanted,   // by the server
  kTlsMissing,  // at the server
  kTlsFailed,
  kNoSchema,
};

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The client's message about TLS, which OpenSSL does not translate. `otherwise`: the fault if the
// connection was cut.
Fault tls_fault(const std::string& text, Fault otherwise) {
  if (contains(text, "not support")) return Fault::kTlsMissing;
  for (const char* word :
       {"certificate", "Certificate", "verification failed", " alert ", "private key",
        "key values mismatch", "PEM", "no start line", "unsupported"}) {
    if (contains(text, word)) return Fault::kTlsFailed;
  }
  return otherwise;
}

bool mysql_refuses_login(int number) {
  switch (number) {
    case 1045:  // no such user, or another password
    case 1129:  // the host had too many failed connections
    case 1130:  // the host may not connect
    case 1251:
    case 1275:
    case 1524:
    case 1698:
    case 1820:  // the password has expired; the session may only change it
    case 1862:
    case 2049:
    case 2059:
    case 2061:  // the login's plugin is missing
    case 3118:
    case 3955:
    case 4151:  // the account is locked
      return true;
    default:
      return false;
  }
}

// caching_sha2_password: a password that the server has not seen since its start is sent over TLS,
// or encrypted with a key pair, which this server or this driver does not have.
bool mysql_wants_tls(const EngineError& error) {
  return error.number == 2061 &&
         (contains(error.text, "RSA") || contains(error.text, "secure connection"));
}

constexpr std::pair<int, Fault> kMysqlFaults[] = {
    {1020, Fault::kConflict},  // the row changed since the snapshot (innodb_snapshot_isolation)
    {1180, Fault::kConflict},  // a cluster's conflict, found at the commit
    {1213, Fault::kConflict},  // Galera reports its conflicts as deadlocks
    {3101, Fault::kConflict},
    {1205, Fault::kLockTimeout},
    {1317, Fault::kCancelled},
    {1969, Fault::kCancelled},
    {3024, Fault::kCancelled},
    {3100, Fault::kNotMember},  // expelled during the commit, which is rolled back there
    {1040, Fault::kNotReady},
    {1047, Fault::kNotReady},  // a Galera node that is not in sync, or has no majority
    {1203, Fault::kNotReady},
    {1226, Fault::kNotReady},
    {1053, Fault::kConnection},
    {1927, Fault::kConnection},
    {4031, Fault::kConnection},
    {2002, Fault::kConnection},
    {2003, Fault::kConnection},
    {2005, Fault::kConnection},
    {2006, Fault::kConnection},
    {2013, Fault::kConnection},
    {3159, Fault::kTlsWanted},  // require_secure_transport
    {1290, Fault::kReadOnly},
    {1792, Fault::kReadOnly},
    {1836, Fault::kReadOnly},
    {1286, Fault::kNoMemoryTable},  // enforce_storage_engine
    {4165, Fault::kNoMemoryTable},  // wsrep_mode
    {1184, Fault::kInitConnect},
    {1054, Fault::kNoColumn},
    {1046, Fault::kNoDatabase},
    {1049, Fault::kNoDatabase},
    {1044, Fault::kNoPrivilege},
    {1142, Fault::kNoPrivilege},
    {1143, Fault::kNoPrivilege},
    {1227, Fault::kNoPrivilege},
    {1062, Fault::kDuplicate},
    {1264, Fault::kOutOfRange},
    {1690, Fault::kOutOfRange},
    {1021, Fault::kNoSpace},
    {1114, Fault::kNoSpace},
    {1665, Fault::kStatementLog},
    {1267, Fault::kNotStorable},
    {1366, Fault::kNotStorable},
    {1406, Fault::kNotStorable},
    {3854, Fault::kNotStorable},
    {3988, Fault::kNotStorable},
};

Fault mysql_fault(const EngineError& error) {
  if (mysql_wants_tls(error)) return Fault::kTlsWanted;
  if (mysql_refuses_login(error.number)) return Fault::kLoginRefused;
  for (const auto& [number, fault] : kMysqlFaults) {
    if (number == error.number) return fault;
  }
  switch (error.number) {
    case 1123:  // a function that only a member of a group has
      return contains(error.text, "group_replication") ? Fault::kNotMember : Fault::kUnknown;
    case 2026:
      return tls_fault(error.text, Fault::kConnection);
    case 1146:
      return Fault::kNoTable;
    default:
      return error.number == 0 ? tls_fault(error.text, Fault::kUnknown) : Fault::kUnknown;
  }
}

// The password itself is wrong. PostgreSQL has a state for this; PgBouncer only has words.
bool is_password_refused(const EngineError& error) {
  return error.sqlstate == "28P01" ||
         (error.sqlstate == "08P01" && contains(error.text, "authentication failed"));
}

Fault postgresql_fault(const EngineError& error) {
  const std::string& state = error.sqlstate;
  // SOCI has a state for each error of an open connection. An error without one comes from the
  // client itself, for example a value that it cannot read.
  if (state.empty()) {
    return error.connecting ? tls_fault(error.text, Fault::kConnection) : Fault::kUnknown;
  }
  if (state == "40001" || state == "40P01") return Fault::kConflict;
  if (state == "55P03") return Fault::kLockTimeout;
  if (state == "57014") return Fault::kCancelled;
  if (state == "25006") return Fault::kReadOnly;
  if (state == "42P01") return Fault::kNoTable;
  if (state == "42703") return Fault::kNoColumn;
  if (state == "3F000") return Fault::kNoSchema;
  if (state == "42501") return Fault::kNoPrivilege;
  if (state == "23505" || state == "42P07") return Fault::kDuplicate;
  if (state == "22003") return Fault::kOutOfRange;
  if (state == "22P05" || state == "22001") return Fault::kNotStorable;
  if (state == "53100") return Fault::kNoSpace;
  if (state == "57P03" || state == "53300") return Fault::kNotReady;
  if (state == "3D000" || (state == "55000" && error.connecting)) return Fault::kNoDatabase;
  if (state.compare(0, 2, "28") == 0 || is_password_refused(error)) return Fault::kLoginRefused;
  if (state == "08P01") {  // PgBouncer's, for whatever it refuses
    return contains(error.text, "SSL required") ? Fault::kTlsWanted : Fault::kPoolerRefused;
  }
  if (state.compare(0, 2, "08") == 0 || state.compare(0, 3, "57P") == 0) {
    return Fault::kConnection;
  }
  return Fault::kUnknown;
}

Fault sqlite3_fault(const EngineError& error) {
  switch (error.number) {
    case 5:
    case 6:
      return Fault::kLockTimeout;
    case 8:
      return Fault::kReadOnly;
    case 10:
    case 11:
    case 26:
      return Fault::kDamaged;
    case 13:
      return Fault::kNoSpace;
    case 14:
      return Fault::kNotOpened;
    case 19:
      return Fault::kDuplicate;
    default:
      if (contains(error.text, "no such column")) return Fault::kNoColumn;
      return contains(error.text, "no such table") ? Fault::kNoTable : Fault::kUnknown;
  }
}

Fault classify(Engine engine, const EngineError& error) {
  switch (engine) {
    case Engine::kMysql:
      return mysql_fault(error);
    case Engine::kPostgresql:
      return postgresql_fault(error);
    case Engine::kSqlite3:
      return sqlite3_fault(error);
  }
  return Fault::kUnknown;
}

// Whether somebody must fix it before a retry can help.
bool needs_an_operator(Engine engine, Fault fault) {
  switch (fault) {
    case Fault::kNoTable:
    case Fault::kNoLeaderTable:
    case Fault::kNoMarkTable:
    case Fault::kNoMemoryTable:
    case Fault::kNoSchema:
    case Fault::kNoDatabase:
    case Fault::kLoginRefused:
    case Fault::kInitConnect:
    case Fault::kNoPrivilege:
    case Fault::kNotOpened:
    case Fault::kDamaged:
    case Fault::kStatementLog:
    case Fault::kTlsWanted:
    case Fault::kTlsMissing:
    case Fault::kTlsFailed:
      return true;
    case Fault::kReadOnly:  // a server may be about to be promoted
      return engine == Engine::kSqlite3;
    default:
      return false;
  }
}

// What to do.
constexpr std::pair<Fault, const char*> kAdvice[] = {
    {Fault::kConflict, "lost against another transaction; try again"},
    {Fault::kLockTimeout, "another program holds the row or the file; try again"},
    {Fault::kNotReady, "no connection; make sure that the server runs and can be reached"},
    {Fault::kConnection, "no connection; make sure that the server runs and can be reached"},
    {Fault::kNotMember,
     "this server has been a member of a MySQL group and is not online in the group's majority, so "
     "its rows may be old; START GROUP_REPLICATION there. To continue without the group, "
     "stop every process, UNINSTALL PLUGIN group_replication, and advance every tag past all ids "
     "ever handed out (featherid advance TAG ID)"},
    {Fault::kReadOnly,
     "the database does not allow this write; use the writable server, or give this user write "
     "access to the file and its folder"},
    {Fault::kNoTable,
     "the table id_segments is missing; run featherid init and, if ids were handed "
     "out before, featherid advance TAG ID past them, before any other process runs"},
    {Fault::kNoMarkTable,
     "the table id_mark is missing, so a crash of the whole Galera cluster would go unnoticed; "
     "run featherid init"},
    {Fault::kNoTagsTable,
     "the table id_tags has disappeared, so the next call continues without the options of tags, "
     "such as caps; run featherid init"},
    {Fault::kNoMemoryTable,
     "the server refuses the MEMORY table id_mark, so a crash of the whole Galera cluster would go "
     "unnoticed; set enforce_storage_engine = NULL and wsrep_mode without STRICT_REPLICATION while "
     "featherid init runs, and remove DISALLOW_LOCAL_GTID from wsrep_mode "
     "permanently"},
    {Fault::kNoDatabase,
     "there is no such database, or it accepts no connections; create it or correct the URL"},
    {Fault::kLoginRefused, "login refused; check user and password"},
    {Fault::kInitConnect,
     "the server's init_connect fails for this user, so it gets no session; correct init_connect"},
    {Fault::kNoPrivilege,
     "the user lacks a privilege, or there is no such database; grant SELECT, INSERT and UPDATE on "
     "id_segments, SELECT and UPDATE on id_leader, SELECT, INSERT and UPDATE on id_tags, on "
     "a Galera cluster SELECT and INSERT on id_mark, DELETE on id_segments to remove tags, and for "
     "featherid init CREATE (in PostgreSQL on the schema) and INSERT on all of these tables"},
    {Fault::kDuplicate, "the key already exists"},
    {Fault::kOutOfRange, "a number does not fit its column; max_id must be a bigint"},
    {Fault::kNoSpace, "the disk is full; free some space"},
    {Fault::kNotOpened, "the file cannot be opened; its folder must exist and be writable"},
    {Fault::kDamaged,
     "the file cannot be read or written as a database; check the disk and the file, and that this "
     "user may write to its folder"},
    {Fault::kStatementLog,
     "a lease must be logged by row, or a replica does not repeat it; set binlog_format to MIXED "
     "or ROW"},
    {Fault::kCancelled,
     "the statement was cancelled, by a timeout of the server (statement_timeout, "
     "max_statement_time) or by an operator; try again, and raise the timeout for this user"},
    {Fault::kNotStorable,
     "the column biz_tag cannot hold this tag, so there is no such tag; make the column "
     "varchar(64) in UTF-8 (utf8mb4) to use it"},
    {Fault::kPoolerRefused,
     "a pooler refused; use pool_mode = transaction or session (pool_mode = statement requires "
     "failover = synchronous, and unused ids are not given back), and make sure that it knows this "
     "database and user"},
    {Fault::kTlsWanted,
     "the server accepts this login over an encrypted connection only; set tls=required or, "
     "better, tls=verify-full in the database URL"},
    {Fault::kTlsMissing,
     "TLS is required by the database URL, and the server does not offer it; give the server a "
     "certificate, or set tls=preferred or tls=off"},
    {Fault::kTlsFailed,
     "no TLS connection; check tls, ca, cert and key in the database URL, and the server's "
     "certificate"},
    {Fault::kNoSchema,
     "there is no such schema, or the search path names no schema; create it (CREATE SCHEMA), or "
     "correct the URL's option schema"},
};

const char* advice(Fault fault) {
  if (fault == Fault::kNoLeaderTable) return kNoLeaderOnRecord;
  for (const auto& [known, text] : kAdvice) {
    if (known == fault) return text;
  }
  return "the database refused the call";
}

// A server that requires TLS answers a login without it like one with a wrong password.
std::string advice_on(const DatabaseUrl& url, const EngineError& error, Fault fault) {
  std::string general = advice(fault);
  if (fault != Fault::kLoginRefused || is_password_refused(error)) return general;
  if (tls_mode(url) == TlsMode::kOff) {
    return general +
           "; if it requires TLS (REQUIRE SSL, hostssl in pg_hba.conf), set tls=required in the "
           "database URL";
  }
  if (url.options.cert.empty()) {
    return general +
           "; if it requires a client's certificate (REQUIRE X509, clientcert in pg_hba.conf), set "
           "cert and key in the database URL";
  }
  return general + ", and the client's certificate";
}

Fault missing_table(const TableNames& names, const EngineError& error) {
  if (contains(error.text, names.mark().c_str())) return Fault::kNoMarkTable;
  if (contains(error.text, names.tags().c_str())) return Fault::kNoTagsTable;
  return contains(error.text, names.leader().c_str()) ? Fault::kNoLeaderTable : Fault::kNoTable;
}

}  // namespace

const char* const kNoLeaderOnRecord =
    "the failover guard's table id_leader, or its row, is missing; if this server has taken over "
    "from another, first stop every process and advance every tag past all ids ever handed out "
    "(featherid advance TAG ID); then run featherid init, or turn the "
    "guard off with failover = synchronous";

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (line.empty() || line.back() == ' ')) continue;
    line += blank ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

ServerState server_state(Engine engine, const EngineError& error) {
  if (error.before_login) return ServerState::kServes;
  switch (classify(engine, error)) {
    case Fault::kNotReady:
    case Fault::kNotMember:
    case Fault::kReadOnly:
      return ServerState::kRefuses;
    case Fault::kConnection:
    case Fault::kPoolerRefused:
      return ServerState::kLost;
    case Fault::kConflict:
      return ServerState::kRolledBack;
    default:
      return ServerState::kServes;
  }
}

bool is_table_unusable(Engine engine, const EngineError& error) {
  const Fault fault = classify(engine, error);
  return fault == Fault::kNoTable || fault == Fault::kNoColumn || fault == Fault::kNoPrivilege;
}

bool is_privilege_missing(Engine engine, const EngineError& error) {
  return classify(engine, error) == Fault::kNoPrivilege;
}

Status to_status(const DatabaseUrl& url, const EngineError& error) {
  if (error.before_login) return {*error.before_login, describe(url) + ": " + error.text};
  const TableNames names(url);
  Fault fault = classify(url.engine, error);
  if (fault == Fault::kNoTable) fault = missing_table(names, error);
  // It passes while a password is being changed, at the server and in the file.
  const bool passes = fault == Fault::kLoginRefused && url.login_may_change;
  const StatusCode code = fault == Fault::kDuplicate             ? StatusCode::kAlreadyExists
                          : fault == Fault::kOutOfRange          ? StatusCode::kExhausted
                          : fault == Fault::kNotStorable         ? StatusCode::kNotFound
                          : passes                               ? StatusCode::kUnavailable
                          : needs_an_operator(url.engine, fault) ? StatusCode::kFailedPrecondition
                                                                 : StatusCode::kUnavailable;
  const std::string label = error.number != 0        ? std::to_string(error.number) + ": "
                            : error.sqlstate.empty() ? ""
                                                     : error.sqlstate + ": ";
  return {code, one_line(describe(url) + ": " + names.in(advice_on(url, error, fault)) + " (" +
                         label + error.text + ")")};
}

Status not_committed(const DatabaseUrl& url) {
  return {
      StatusCode::kFailedPrecondition,
      describe(url) +
          ": the statement was answered, but not committed durably: the connection is still "
          "inside a transaction, or the wait for a synchronous standby was cancelled. Make sure "
          "that neither a setting (autocommit, completion_type, init_connect) nor a proxy begins "
          "transactions, and that nobody cancels commits"};
}

Status timed_out(const DatabaseUrl& url, std::chrono::seconds timeout, const std::string& detail) {
  return {StatusCode::kUnavailable,
          one_line(describe(url) + " did not serve the call within " +
                   std::to_string(timeout.count()) + " s (" + detail + ")")};
}

}  // namespace featherid
