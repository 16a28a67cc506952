// SPDX-License-Identifier: MIT
#include "server/store/stores.h"

#include <sys/stat.h>

#include <fstream>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

using Addresses = std::vector<std::string>;

StoreOptions at(const std::string& address) {
  StoreOptions options;
  options.addresses = {address};
  return options;
}

}  // namespace

TEST_CASE("addresses are separated by blanks, and a SQLite path may contain them", "[stores]") {
  CHECK(*split_addresses(" mysql://a/d\n mysql://b/d ") == Addresses{"mysql://a/d", "mysql://b/d"});
  CHECK(*split_addresses("sqlite3:a b.db") == Addresses{"sqlite3:a b.db"});
  for (const char* const empty : {"", " ", "\n"}) {
    CHECK(split_addresses(empty).status().code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("a file of addresses must hold one", "[stores]") {
  const test::ScratchDir scratch;
  std::ofstream(scratch.file("url")) << "sqlite3:a b.db\n\n";
  CHECK(*read_addresses(scratch.file("url")) == Addresses{"sqlite3:a b.db"});
  std::ofstream(scratch.file("url")) << "  \n";
  CHECK(read_addresses(scratch.file("url")).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("an address of an unknown kind is refused with the known forms", "[stores]") {
  for (const char* const unknown : {"oracle://u:s3cret@h/d", "ids.db", ":", "", "SQLITE3:a"}) {
    INFO(unknown);
    const Status status = open_store(at(unknown)).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find("; use " + address_forms()) != std::string::npos);
    CHECK(status.message().find("s3cret") == std::string::npos);
    CHECK(init_store(at(unknown)).status().code() == StatusCode::kInvalidArgument);
    CHECK(check_store_exists(at(unknown)).code() == StatusCode::kInvalidArgument);
    CHECK(redacted({unknown}) == "***");
  }
  CHECK(address_forms() ==
        "sqlite3:FILE, mysql://USER:PASSWORD@HOST:PORT/DB, postgresql://…, http://HOST:PORT or "
        "etcd://HOST:2379,…/PREFIX");
}

TEST_CASE("an address of each kind is recognised, also as other libraries write it", "[stores]") {
  for (const char* const address :
       {"sqlite3:ids.db", "sqlite:///ids.db", "mysql://h/d", " MariaDB://h/d", "postgres://h/d",
        "postgresql+psycopg2://h/d", "jdbc:mysql://h/d"}) {
    CAPTURE(address);
    CHECK(resembles_address(address));
  }
  for (const char* const other : {"", "mysql", "http://mysql/", "my sql:", "tcp://h:3306"}) {
    CAPTURE(other);
    CHECK_FALSE(resembles_address(other));
  }
}

TEST_CASE("a name that mentions a kind of store is recognised", "[stores]") {
  for (const char* const name : {"_SQL_", "_MYSQL_URL_", "_SQLITE_", "_MARIADB_", "_POSTGRES_"}) {
    CAPTURE(name);
    CHECK(mentions_kind(name));
  }
  for (const char* const other : {"", "_LOG_DIR_", "_DB_", "_mysql_"}) {
    CAPTURE(other);
    CHECK_FALSE(mentions_kind(other));
  }
}

TEST_CASE("servers are a store of their own kind, and not a database", "[stores]") {
  const StoreOptions servers = at("http://127.0.0.1:1,https://ids.example:8443");
  CHECK(open_store(servers).ok());
  CHECK(redacted(servers.addresses) == "http://127.0.0.1:1,https://ids.example:8443");
  CHECK(redacted({"http://ann:s3cret@ids.example"}) == "***");
  const Status init = init_store(servers).status();
  CHECK(init.code() == StatusCode::kInvalidArgument);
  CHECK(init.message().find("run featherid init on that database") != std::string::npos);
  CHECK(check_store_exists(servers).ok());
  CHECK_FALSE(skips_at_failover(servers));
  CHECK(query_database(servers, "SELECT 1").status().code() == StatusCode::kInvalidArgument);
  StoreOptions wrong = servers;
  wrong.ca_file = "/nowhere";
  CHECK(open_store(wrong).status().code() == StatusCode::kInvalidArgument);
  wrong = at("http://127.0.0.1:1");
  wrong.addresses.emplace_back("mysql://h/d");
  CHECK(open_store(wrong).status().code() == StatusCode::kInvalidArgument);
  const std::vector<Finding> found = examine_store(at("http://127.0.0.1:1"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].level == Finding::Level::kProblem);
}

TEST_CASE("a database gets the options of the server", "[stores]") {
  const test::ScratchDir scratch;
  const StoreOptions good = at("sqlite3:" + scratch.file("ids.db"));
  const auto why = [](const StoreOptions& options) {
    return open_store(options).status().message();
  };
  StoreOptions options = good;
  options.calls_max = 66;  // more than a database allows: as many as it allows
  CHECK(open_store(options).ok());
  options.calls_max = 0;
  CHECK(why(options).find("sessions_max") == 0);
  options = good;
  options.call_timeout = std::chrono::seconds(61);
  CHECK(why(options).find("call_timeout") == 0);
  options = good;
  options.failover_guard_ids = 0;
  CHECK(why(options).find("failover_guard_ids") == 0);

  // A session warns if others can read the file that the login comes from.
  options = good;
  options.database_file = scratch.file("url");
  std::ofstream(options.database_file) << options.addresses.front();
  ::chmod(options.database_file.c_str(), 0644);
  std::string logged;
  options.log = [&logged](LogLevel, std::string_view line) { logged += line; };
  REQUIRE(init_store(options).ok());
  CHECK(logged.find(options.database_file + " can be read") != std::string::npos);
}

TEST_CASE("no password is shown", "[stores]") {
  CHECK(redacted({"mysql://u:s3cret@a/d", "mysql://u@b/d"}) == "mysql://u:***@a/d, mysql://u@b/d");
}

TEST_CASE("a SQLite file that is missing is told apart, and is created by init", "[stores]") {
  const test::ScratchDir scratch;
  const StoreOptions options = at("sqlite3:" + scratch.file("ids.db"));
  CHECK(check_store_exists(options).code() == StatusCode::kNotFound);
  CHECK(check_store_exists(at("mysql://h/d")).ok());  // only its server could tell
  CHECK(*init_store(options) ==
        "the tables id_segments and id_tags exist; tags created: health, order, user");
  CHECK(check_store_exists(options).ok());
  CHECK(*init_store(options) == "the tables id_segments and id_tags exist; tags created: none");
  CHECK((*open_store(options))->find("order")->step == 1000);
}

}  // namespace featherid
