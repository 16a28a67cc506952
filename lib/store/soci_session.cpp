// SPDX-License-Identifier: MIT
#include "lib/store/soci_session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "lib/clock.h"
#include "lib/store/sqlite3_file.h"

#ifdef FEATHERID_SOCI_MYSQL
#include <soci/mysql/soci-mysql.h>
#endif
#ifdef FEATHERID_SOCI_POSTGRESQL
#include <soci/postgresql/soci-postgresql.h>
#endif
#ifdef FEATHERID_SOCI_SQLITE3
#include <soci/sqlite3/soci-sqlite3.h>
#endif

namespace featherid {

namespace {

[[maybe_unused]] std::string parameter(const char* name, const std::string& value) {
  std::string text = std::string(name) + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "' ";
}

// What the adapter asks of one engine's driver.
struct Driver {
  const soci::backend_factory& factory;
  std::string (*parameters)(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
                            std::chrono::seconds answer_timeout);
  int (*socket)(soci::session& session);
  void (*read_code)(const std::exception& error, EngineError& result);
  // Throws the error of the last statement where SOCI has not.
  void (*check_answer)(soci::session& session);
  // For a driver without a socket: it waits for locks until the deadline, whatever that is then.
  void (*bound_lock_waits)(soci::session& session, TimePoint* deadline) = nullptr;
};

#ifdef FEATHERID_SOCI_MYSQL
std::string mysql_parameters(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
                             std::chrono::seconds answer_timeout) {
  std::string text;
  if (url.host.front() == '/') {
    text += parameter("unix_socket", url.host);
  } else {
    // For "localhost" the driver would take its default Unix socket, whatever the port.
    text += parameter("host", url.host == "localhost" ? "127.0.0.1" : url.host);
  }
  if (url.port != 0) text += parameter("port", std::to_string(url.port));
  if (!url.user.empty()) text += parameter("user", url.user);
  if (!url.password.empty()) text += parameter("password", url.password);
  return text + parameter("dbname", url.database) + parameter("charset", "utf8mb4") +
         parameter("connect_timeout", std::to_string(connect_timeout.count())) +
         parameter("read_timeout", std::to_string(answer_timeout.count())) +
         parameter("write_timeout", std::to_string(answer_timeout.count()));
}

const Driver kMysqlDriver = {
    soci::mysql, mysql_parameters,
    [](soci::session& session) {
      MYSQL* const connection =
          static_cast<soci::mysql_session_backend*>(session.get_backend())->conn_;
#ifdef MARIADB_PACKAGE_VERSION
      return static_cast<int>(mysql_get_socket(connection));
#else
      return static_cast<int>(connection->net.fd);
#endif
    },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::mysql_soci_error*>(&error)) {
        result.number = static_cast<int>(coded->err_num_);
      }
    },
    [](soci::session& session) {
      // A connection that is lost amid the rows of an answer is an answer without rows to SOCI.
      MYSQL* const connection =
          static_cast<soci::mysql_session_backend*>(session.get_backend())->conn_;
      if (const unsigned int error = mysql_errno(connection); error != 0) {
        throw soci::mysql_soci_error(mysql_error(connection), static_cast<int>(error));
      }
    }};
#endif

#ifdef FEATHERID_SOCI_POSTGRESQL
std::string postgresql_parameters(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
                                  std::chrono::seconds answer_timeout) {
  const long long answer_ms = std::chrono::milliseconds(answer_timeout).count();
  std::string text = parameter("host", url.host);
  if (url.port != 0) text += parameter("port", std::to_string(url.port));
  if (!url.user.empty()) text += parameter("user", url.user);
  if (!url.password.empty()) text += parameter("password", url.password);
  // Lock waits end first, so that the error says what was waited for. The driver would print
  // notices to standard error.
  return text + parameter("dbname", url.database) + parameter("client_encoding", "UTF8") +
         parameter("application_name", "featherid") +
         parameter("connect_timeout", std::to_string(connect_timeout.count())) +
         parameter("tcp_user_timeout", std::to_string(answer_ms)) +
         parameter("options",
                   "-c client_min_messages=error -c lock_timeout=" + std::to_string(answer_ms / 2) +
                       " -c statement_timeout=" + std::to_string(answer_ms * 3 / 4));
}

const Driver kPostgresqlDriver = {
    soci::postgresql, postgresql_parameters,
    [](soci::session& session) {
      return PQsocket(static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_);
    },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
        result.sqlstate = coded->sqlstate();
      }
    },
    [](soci::session&) {}};
#endif

#ifdef FEATHERID_SOCI_SQLITE3
std::string sqlite3_parameters(const DatabaseUrl& url, std::chrono::seconds, std::chrono::seconds) {
  const Result<std::string> file = kernel_path(url.database);
  if (!file.ok()) throw soci::soci_error(file.status().message());
  // Where SOCI may take the whole text for the path it does not take it apart, a loop that never
  // ends when there is no memory for the parts.
  if (file->find('=') == std::string::npos) return *file;
  return "dbname=\"" + *file + "\"";
}

// What SQLite calls while it waits for a lock; 0: it waits no longer. Its own timeout would begin
// again with every lock of every statement.
int wait_for_lock(void* deadline, int waits) {
  constexpr int kWaitMsMax = 50;
  const auto left = *static_cast<TimePoint*>(deadline) - std::chrono::steady_clock::now();
  if (left <= Duration::zero()) return 0;
  std::this_thread::sleep_for(
      std::min<Duration>(left, std::chrono::milliseconds(std::min(1 + waits, kWaitMsMax))));
  return 1;
}

const Driver kSqlite3Driver = {
    soci::sqlite3,
    sqlite3_parameters,
    [](soci::session&) { return -1; },
    [](const std::exception& error, EngineError& result) {
      if (const auto* const coded = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
        result.number = coded->result() & 0xFF;  // the primary part of an extended code
      }
    },
    [](soci::session&) {},
    [](soci::session& session, TimePoint* deadline) {
      sqlite_api::sqlite3_busy_handler(
          static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_, wait_for_lock,
          deadline);
    }};
#endif

// Null when this build lacks it.
const Driver* driver_of(Engine engine) {
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

EngineError to_engine_error(Engine engine, const std::exception& error) {
  EngineError result;
  // what() adds the statement and its parameters, which do not belong into a log line.
  const auto* const general = dynamic_cast<const soci::soci_error*>(&error);
  result.text = general != nullptr ? general->get_error_message() : error.what();
  driver_of(engine)->read_code(error, result);
  return result;
}

SociSession::SociSession(const DatabaseUrl& url, std::chrono::seconds connect_timeout,
                         std::chrono::seconds answer_timeout)
    : check_answer_(driver_of(url.engine)->check_answer) {
  const Driver& driver = *driver_of(url.engine);
  session_.open(driver.factory, driver.parameters(url, connect_timeout, answer_timeout));
  const int driver_socket = driver.socket(session_);
  if (driver_socket < 0) {
    file_ = url.database;
    file_identity_ = identify(file_);
    driver.bound_lock_waits(session_, &deadline_);
    return;
  }
  socket_ = ::fcntl(driver_socket, F_DUPFD_CLOEXEC, 0);
  if (socket_ < 0) throw soci::soci_error("no file descriptor is left for the connection");
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

void SociSession::run_script(std::string_view script) {
  for (const std::string& statement : split_statements(script)) run(statement);
}

bool SociSession::execute(soci::statement& statement) {
  const bool got_row = statement.execute(true);
  check_answer_(session_);
  return got_row;
}

long long SociSession::last_insert_id() {
  long long value = 0;
  if (!session_.get_last_insert_id("id_segments", value)) {
    throw soci::soci_error("the driver gives no LAST_INSERT_ID");
  }
  return value;
}

}  // namespace featherid
