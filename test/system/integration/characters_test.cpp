// SPDX-License-Identifier: MIT
// Every character in user, password, database and path. The URL, SOCI and the driver each have
// their own rules for some.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// Each printable ASCII character at the beginning and inside a text, some others, and pairs that
// could be split wrongly.
std::vector<std::string> texts() {
  std::vector<std::string> texts = {"\\'x",     "'\\x",       "\"'x",        "' \"x",
                                    "\\\\'x",   "'' x",       "x='y'",       "%27x%y",
                                    "$(x)${y}", "x' user='y", "a&host=b?c#", "p://u:p@h/d?x=y",
                                    "x  y",     ":a ':b :",   "ü段ß — é",    "=x ='y\\ \"z"};
  for (char c = ' '; c <= '~'; ++c) texts.push_back({c, 'x', c, 'y'});
  return texts;
}

std::string all_characters() {
  std::string text;
  for (char c = ' '; c <= '~'; ++c) text += c;
  return text + "ü段🜁";
}

std::string escaped(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += {'%', kDigits[byte / 16], kDigits[byte % 16]};
  }
  return result;
}

// A constant for a server that reads a backslash as the start of an escape.
std::string constant(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += c;
    result += c;
  }
  return result + "'";
}

struct Login {
  std::string user;
  std::string password;
  std::string database;
};

std::string url_of(const std::string& scheme, int port, const Login& login) {
  return scheme + "://" + escaped(login.user) + ":" + escaped(login.password) +
         "@127.0.0.1:" + std::to_string(port) + "/" + escaped(login.database);
}

Status lease_as(const std::string& scheme, int port, const Login& login) {
  UNSCOPED_INFO(scheme << " user " << login.user << ", password " << login.password << ", database "
                       << login.database);
  return (*open_soci_store(url_of(scheme, port, login), patient_options()))
      ->lease("order", 1)
      .status();
}

// Its only user and its only database are renamed again and again.
class RenamedMariadb {
 public:
  RenamedMariadb() {
    run("CREATE USER " + constant(login_.user) + "@'%'");
    run("GRANT ALL ON *.* TO " + constant(login_.user) + "@'%'");
    run("CREATE DATABASE " + name(login_.database));
    REQUIRE(init_soci_schema(mariadb().url(login_.database)).ok());
  }

  const Login& become(const Login& login) {
    run("RENAME USER " + constant(login_.user) + "@'%' TO " + constant(login.user) + "@'%'");
    run("ALTER USER " + constant(login.user) + "@'%' IDENTIFIED BY " + constant(login.password));
    run("CREATE DATABASE " + name(login.database));
    for (const char* table : {"id_segments", "id_leader"}) {
      run("RENAME TABLE " + name(login_.database) + "." + table + " TO " + name(login.database) +
          "." + table);
    }
    run("DROP DATABASE " + name(login_.database));
    return login_ = login;
  }

 private:
  static std::string name(const std::string& database) {
    std::string result = "`";
    for (const char c : database) result += c == '`' ? "``" : std::string(1, c);
    return result + "`";
  }
  // As a constant, because SOCI reads a colon in the statement as the start of a parameter's name.
  void run(const std::string& statement) {
    sql_.run("SET @statement = " + constant(statement));
    sql_.run("PREPARE renaming FROM @statement");
    sql_.run("EXECUTE renaming");
  }

  RawSql sql_{mariadb().url("mysql")};
  Login login_ = {"renamed", "", "renamed"};
};

class RenamedPostgresql {
 public:
  RenamedPostgresql() {
    sql_.run("CREATE ROLE renamed LOGIN SUPERUSER");
    sql_.run("CREATE DATABASE renamed");
    REQUIRE(init_soci_schema(postgresql().url(login_.database)).ok());
  }

  const Login& become(const Login& login) {
    // A session outlives its connection briefly, and its database keeps its name until then.
    REQUIRE(wait_until([&] {
      return sql_.number("SELECT count(*) FROM pg_stat_activity WHERE datname = E" +
                         constant(login_.database)) == 0;
    }));
    run("ALTER DATABASE %I RENAME TO %I", login_.database, login.database);
    run("ALTER ROLE %I RENAME TO %I", login_.user, login.user);
    run("ALTER ROLE %I PASSWORD %L", login.user, login.password);
    return login_ = login;
  }

 private:
  // As constants, as above.
  void run(const std::string& format, const std::string& first, const std::string& second) {
    sql_.run("DO E" + constant("BEGIN EXECUTE format('" + format + "', E" + constant(first) +
                               ", E" + constant(second) + "); END"));
  }

  RawSql sql_{postgresql().url("postgres")};
  Login login_ = {"renamed", "", "renamed"};
};

template <typename Renamed>
void check_all(const std::string& scheme, int port) {
  Renamed server;
  for (const std::string& text : texts()) {
    CHECK(lease_as(scheme, port, server.become({text, text, text})).ok());
  }
  Login login = server.become({"renamed", all_characters(), "renamed"});
  CHECK(lease_as(scheme, port, login).ok());
  login.password += '!';
  const Status refused = lease_as(scheme, port, login);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(says(refused, "login refused"));
}

}  // namespace

TEST_CASE("MariaDB: every character in user, password and database", "[mariadb][characters]") {
  check_all<RenamedMariadb>("mysql", mariadb().port());
}

TEST_CASE("PostgreSQL: every character in user, password and database",
          "[postgresql][characters]") {
  check_all<RenamedPostgresql>("postgresql", postgresql().port());
}

TEST_CASE("SQLite: every character in the path except the double quote, which is refused",
          "[sqlite3][characters]") {
  const ScratchDir scratch;
  std::vector<std::string> names;
  for (const std::string& text : texts()) {
    // SOCI reads a name with an equals sign differently.
    for (const char* more : {"", "= '"}) names.push_back(text + more);
  }
  for (std::string name : names) {
    std::replace(name.begin(), name.end(), '/', '|');
    const std::string path = scratch.file(name);
    INFO(path);
    const auto store = open_soci_store("sqlite3:" + escaped(path), short_options());
    if (name.find('"') != std::string::npos) {
      CHECK(store.status().code() == StatusCode::kInvalidArgument);
      CHECK(says(store.status(), "double quote"));
      continue;
    }
    REQUIRE(store.ok());
    CHECK(lease_one(**store).ok());
    CHECK(std::filesystem::exists(path));
  }
}
