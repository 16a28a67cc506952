// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "lib/base/clock.h"
#include "lib/base/exception_text.h"
#include "lib/store/soci/postgresql_refusal.h"
#include "lib/store/soci/sqlite3_file.h"
#include "lib/store/soci/tls_options.h"

#ifdef FEATHERID_SOCI_MYSQL
#include <soci/mysql/soci-mysql.h>

#include "lib/store/soci/mysql_connect.h"
#endif
// SOCI's headers from 4.1 on do not include those of libpq and SQLite.
#ifdef FEATHERID_SOCI_POSTGRESQL
#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#endif
#ifdef FEATHERID_SOCI_SQLITE3
namespace sqlite_api {  // as SOCI has it
#include <sqlite3.h>
}  // namespace sqlite_api
#include <soci/sqlite3/soci-sqlite3.h>
#endif

namespace featherid {

// What the adapter needs from one engine's driver.
struct SociDriver {
  // Throws what SOCI throws.
  void (*open)(soci::session& session, const DatabaseUrl& url, std::chrono::seconds connect_timeout,
               std::chrono::seconds answer_timeout);
  int (*socket)(soci::session& session);
  long long (*server_process)(soci::session& session);
  void (*read_code)(const std::exception& error, EngineError& result);
  // Throws the error of the last statement if SOCI has not.
  void (*check_answer)(soci::session& session);
  // Whether a transaction is open, or the next statement would begin one that stays open.
  bool (*in_transaction)(soci::session& session);
  // Whether a password was used, and the connection is not encrypted.
  bool (*password_in_clear)(soci::session& session);
  // For a driver without a socket: makes it wait for locks until the deadline of each call.
  void (*bound_lock_waits)(soci::session& session, TimePoint* deadline) = nullptr;
  // For a driver whose server can answer a commit before it is durable: notes when it does.
  void (*watch_commits)(soci::session& session, bool* wait_was_cancelled) = nullptr;
  // For a driver whose session can be switched to another database than it was opened for.
  void (*use_database)(soci::session& session, const std::string& database) = nullptr;
};

namespace {

#ifdef FEATHERID_SOCI_MYSQL
MYSQL* mysql_connection(soci::session& session) {
  return static_cast<soci::mysql_session_backend*>(session.get_backend())->conn_;
}

const SociDriver kMysqlDriver = {
    open_mysql,
    [](soci::session& session) {
#ifdef MARIADB_PACKAGE_VERSION
      return static_cast<int>(mysql_get_socket(mysql_connection(session)));
#else
      return static_cast<int>(mysql_connection(session)->net.fd);
#endif
    },
    [](soci::session&) { return 0LL; },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::mysql_soci_error*>(&error)) {
        result.number = static_cast<int>(coded->err_num_);
      }
    },
    [](soci::session& session) {
      // If the connection is lost amid the rows of an answer, SOCI sees an answer without rows.
      MYSQL* const connection = mysql_connection(session);
      if (const unsigned int error = mysql_errno(connection); error != 0) {
        throw soci::mysql_soci_error(mysql_error(connection), static_cast<int>(error));
      }
    },
    [](soci::session& session) {
      // From the server's last answer: a COMMIT may have begun another transaction.
      const unsigned int status = mysql_connection(session)->server_status;
      return (status & SERVER_STATUS_IN_TRANS) != 0 || (status & SERVER_STATUS_AUTOCOMMIT) == 0;
    },
    [](soci::session& session) {
      MYSQL* const connection = mysql_connection(session);
      const char* const password = connection->passwd;
      return mysql_get_ssl_cipher(connection) == nullptr && password != nullptr && *password != 0;
    },
    nullptr, nullptr,
    // Not USE: SOCI would read a colon in the name as the beginning of a parameter.
    [](soci::session& session, const std::string& database) {
      MYSQL* const connection = mysql_connection(session);
      if (mysql_select_db(connection, database.c_str()) != 0) {
        throw soci::mysql_soci_error(mysql_error(connection),
                                     static_cast<int>(mysql_errno(connection)));
      }
    }};
#endif

#ifdef FEATHERID_SOCI_POSTGRESQL
// In a URI. SOCI from 4.1 on parses a connection string and rebuilds it, with other rules for
// quotes and backslashes than the driver's. A URI contains neither.
std::string uri_parameter(const char* name, const std::string& value) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string text = std::string(name) + "=";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    text += {'%', kDigits[byte / 16], kDigits[byte % 16]};
  }
  return text + "&";
}

PGconn* postgresql_connection(soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

void open_postgresql(soci::session& session, const DatabaseUrl& url,
                     std::chrono::seconds connect_timeout, std::chrono::seconds answer_timeout) {
  const std::string answer_ms = std::to_string(std::chrono::milliseconds(answer_timeout).count());
  // What the driver would otherwise take from its environment or its files is stated, too.
  std::string text = "postgresql:///?" + uri_parameter("host", url.host) +
                     uri_parameter("hostaddr", "") +
                     uri_parameter("port", std::to_string(url.port != 0 ? url.port : 5432)) +
                     uri_parameter("target_session_attrs", "any");
  if (!url.user.empty()) text += uri_parameter("user", url.user);
  if (!url.password.empty()) text += uri_parameter("password", url.password);
  // Without options: a pooler refuses them, and an empty value keeps PGOPTIONS out.
  text += uri_parameter("dbname", url.database) + uri_parameter("options", "") +
          uri_parameter("client_encoding", "UTF8") +
          uri_parameter("application_name", url.options.application_name) +
          uri_parameter("connect_timeout", std::to_string(connect_timeout.count())) +
          uri_parameter("tcp_user_timeout", answer_ms);
  for (const auto& [name, value] : postgresql_tls(url)) text += uri_parameter(name, value);
  const TimePoint deadline = std::chrono::steady_clock::now() + connect_timeout;
  try {
    session.open(soci::postgresql, text);
  } catch (const soci::soci_error& error) {
    const std::string state = postgresql_refusal(text, deadline);
    if (state.empty()) throw;
    throw soci::postgresql_soci_error(error.get_error_message(), state.c_str());
  }
}

// If a commit's wait for a synchronous standby is cancelled, the commit is answered as if it were
// durable, with only a warning. The server's function identifies it, because its text is in the
// server's language. (Without a receiver the driver prints notices to standard error.)
void receive_notice(void* wait_was_cancelled, const PGresult* notice) {
  const char* const from = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (from != nullptr && std::string_view(from) == "SyncRepWaitForLSN") {
    *static_cast<bool*>(wait_was_cancelled) = true;
  }
}

const SociDriver kPostgresqlDriver = {
    open_postgresql,
    [](soci::session& session) { return PQsocket(postgresql_connection(session)); },
    [](soci::session& session) {
      return static_cast<long long>(PQbackendPID(postgresql_connection(session)));
    },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
        result.sqlstate = coded->sqlstate();
      }
    },
    [](soci::session&) {},
    [](soci::session& session) {
      return PQtransactionStatus(postgresql_connection(session)) != PQTRANS_IDLE;
    },
    [](soci::session& session) {
      PGconn* const connection = postgresql_connection(session);
      return PQconnectionUsedPassword(connection) != 0 && PQsslInUse(connection) == 0 &&
             PQgssEncInUse(connection) == 0;
    },
    nullptr,
    [](soci::session& session, bool* wait_was_cancelled) {
      PQsetNoticeReceiver(postgresql_connection(session), receive_notice, wait_was_cancelled);
    }};
#endif

#ifdef FEATHERID_SOCI_SQLITE3
void open_sqlite3(soci::session& session, const DatabaseUrl& url, std::chrono::seconds,
                  std::chrono::seconds) {
  const Result<std::string> file = kernel_path(url.database);
  if (!file.ok()) throw soci::soci_error(file.status().message());
  // If the whole text is the path, SOCI does not parse it. Its parser loops for ever if there is no
  // memory for the parts.
  const bool plain = file->find('=') == std::string::npos;
  session.open(soci::sqlite3, plain ? *file : "dbname=\"" + *file + "\"");
}

// What SQLite calls while it waits for a lock; 0: stop waiting. Its own timeout would begin again
// with every lock of every statement.
int wait_for_lock(void* deadline, int waits) {
  constexpr int kWaitMsMax = 50;
  const auto left = *static_cast<TimePoint*>(deadline) - std::chrono::steady_clock::now();
  if (left <= Duration::zero()) return 0;
  std::this_thread::sleep_for(
      std::min<Duration>(left, std::chrono::milliseconds(std::min(1 + waits, kWaitMsMax))));
  return 1;
}

sqlite_api::sqlite3* sqlite3_connection(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

const SociDriver kSqlite3Driver = {
    open_sqlite3,
    [](soci::session&) { return -1; },
    [](soci::session&) { return 0LL; },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
        result.number = coded->result() & 0xFF;  // the primary part of an extended code
      }
    },
    [](soci::session&) {},
    [](soci::session& session) {
      return sqlite_api::sqlite3_get_autocommit(sqlite3_connection(session)) == 0;
    },
    [](soci::session&) { return false; },
    [](soci::session& session, TimePoint* deadline) {
      sqlite_api::sqlite3_busy_handler(sqlite3_connection(session), wait_for_lock, deadline);
    }};
#endif

// Null if this build lacks it.
const SociDriver* driver_of(Engine engine) {
  switch (engine) {
#ifdef FEATHERID_SOCI_MYSQL
    case Engine::kMysql:
      return &kMysqlDriver;
#endif
#ifdef FEATHERID_SOCI_POSTGRESQL
    case Engine::kPostgresql:
      return &kPostgresqlDriver;
#endif
#ifdef FEATHERID_SOCI_SQLITE3
    case Engine::kSqlite3:
      return &kSqlite3Driver;
#endif
    default:
      return nullptr;
  }
}

}  // namespace

bool has_driver(Engine engine) { return driver_of(engine) != nullptr; }

EngineError to_engine_error(Engine engine, const std::exception& error, bool connecting) {
  EngineError result;
  result.connecting = connecting;
  // what() adds the statement and its parameters, which do not belong in a log line.
  const auto* const general = dynamic_cast<const soci::soci_error*>(&error);
  if (const auto* const no_login = dynamic_cast<const NoLogin*>(&error)) {
    result.before_login = no_login->code();
  }
  result.text = general != nullptr ? general->get_error_message() : text_of(error);
  driver_of(engine)->read_code(error, result);
  return result;
}

SociSession::SociSession(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
                         std::chrono::seconds answer_timeout)
    : driver_(*driver_of(url.engine)), where_(describe(url)) {
  if (const std::string error = tls_file_error(url.options); !error.empty()) {
    throw soci::soci_error(error);
  }
  driver_.open(session_, url, connect_timeout, answer_timeout);
  const int driver_socket = driver_.socket(session_);
  if (driver_socket < 0) {
    file_ = url.database;
    file_identity_ = identify(file_);
    driver_.bound_lock_waits(session_, &deadline_);
    return;
  }
  socket_ = ::fcntl(driver_socket, F_DUPFD_CLOEXEC, 0);
  if (socket_ < 0) throw soci::soci_error("no file descriptor is left for the connection");
  if (driver_.watch_commits != nullptr)
    driver_.watch_commits(session_, &commit_wait_was_cancelled_);
}

SociSession::~SociSession() {
  if (in_call_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  try {
    session_.close();
  } catch (const std::exception&) {  // it is gone either way
  }
  if (socket_ >= 0) ::close(socket_);
}

SociSession::FileIdentity SociSession::identify(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

bool SociSession::lost() const {
  if (socket_ < 0) {
    const FileIdentity now = identify(file_);
    return now.device != file_identity_.device || now.inode != file_identity_.inode;
  }
  pollfd poll_fd{socket_, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) != 0;
}

bool SociSession::password_in_clear() { return driver_.password_in_clear(session_); }

long long SociSession::server_process() { return driver_.server_process(session_); }

bool SociSession::end_call() {
  const bool committed = !driver_.in_transaction(session_) && !commit_wait_was_cancelled_;
  in_call_ = !committed;
  return committed;
}

void SociSession::use_database(const std::string& database) {
  if (driver_.use_database != nullptr) driver_.use_database(session_, database);
}

void SociSession::run_script(std::string_view script) {
  for (const std::string& statement : split_statements(script)) run(statement);
}

bool SociSession::execute(soci::statement& statement) {
  const bool got_row = statement.execute(true);
  driver_.check_answer(session_);
  return got_row;
}

long long SociSession::last_insert_id() {
  long long value = 0;
  if (!session_.get_last_insert_id("id_segments", value)) {
    throw soci::soci_error("the driver returned no LAST_INSERT_ID");
  }
  return value;
}

}  // namespace featherid
