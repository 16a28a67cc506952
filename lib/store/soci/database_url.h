// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_DATABASE_URL_H_
#define FEATHERID_LIB_STORE_SOCI_DATABASE_URL_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/status.h"

namespace featherid {

enum class Engine { kMysql, kPostgresql, kSqlite3 };

// How a connection is encrypted, from the weakest to the strongest.
enum class TlsMode {
  kOff,
  kPreferred,   // if the server offers it; the certificate is not checked
  kRequired,    // the certificate is not checked
  kVerifyCa,    // its chain must end at a known authority
  kVerifyFull,  // and it must be for the URL's host
};

// The options of a URL, after its database: ?key=value&key=value
struct UrlOptions {
  std::optional<TlsMode> tls;
  std::string ca;    // these three: files in PEM; empty: none
  std::string cert;  // the client's own
  std::string key;
  std::string schema;  // of the tables, in PostgreSQL; empty: the first of the search path
  std::string table = "id_segments";
  std::string password_file;
  std::optional<std::chrono::seconds> connect_timeout;  // unset: call_timeout
  std::string application_name = "featherid";
};

// A database URL taken apart, percent-escapes decoded.
struct DatabaseUrl {
  Engine engine = Engine::kSqlite3;
  std::string user;
  std::string password;
  std::string host;      // starts with "/" for a Unix socket; empty for SQLite
  int port = 0;          // 0: the engine's own
  std::string database;  // SQLite: the path of the file
  UrlOptions options;
  std::string place;              // all that comes after the login, as it was written
  bool login_may_change = false;  // it is in a file that is read again for each session
};

// kInvalidArgument for a malformed URL; the message does not quote it, because it may contain a
// password.
Result<DatabaseUrl> parse_database_url(std::string_view url);

// Whether the database is reached without a network: a loopback address, "localhost" or a Unix
// socket.
bool is_local(const DatabaseUrl& url);

// What messages call the database: "mysql database ids at db.example:3306".
std::string describe(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_DATABASE_URL_H_
