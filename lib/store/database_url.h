// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_DATABASE_URL_H_
#define FEATHERID_LIB_STORE_DATABASE_URL_H_

#include <string>
#include <string_view>

#include "featherid/status.h"

namespace featherid {

enum class Engine { kMysql, kPostgresql, kSqlite3 };

// A database URL taken apart, percent-escapes decoded.
struct DatabaseUrl {
  Engine engine = Engine::kSqlite3;
  std::string user;
  std::string password;
  std::string host;      // starts with "/" for a Unix socket; empty for SQLite
  int port = 0;          // 0: the engine's own
  std::string database;  // SQLite: the path of the file
};

// kInvalidArgument for a malformed URL; the message does not quote it, for it may hold a password.
Result<DatabaseUrl> parse_database_url(std::string_view url);

// What messages call the database: "mysql database ids at db.example:3306".
std::string describe(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_DATABASE_URL_H_
