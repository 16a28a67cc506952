// SPDX-License-Identifier: MIT
#include "lib/store/soci/sqlite3_use.h"

#include <sqlite3.h>

#include <optional>
#include <string>
#include <thread>

#include "test/support/catch.h"
#include "test/support/in_fork.h"

// (Tests with stores and SQLite itself: test/system/integration/sqlite3_fork_test.cpp.)
namespace featherid {

namespace {

int refused() { return Sqlite3Use().status().ok() ? 0 : 1; }

}  // namespace

TEST_CASE("any number of uses of SQLite may overlap, in threads or nested", "[sqlite3_use]") {
  const Sqlite3Use outer;
  std::thread([&] {
    const Sqlite3Use other;
    CHECK(other.status().ok());
  }).join();
  CHECK(Sqlite3Use().status().ok());
  CHECK(outer.status().ok());
}

TEST_CASE("a fork while SQLite is in use shuts the child and its children out", "[sqlite3_use]") {
  CHECK(test::failures_in_fork(refused) == 0);
  {
    const Sqlite3Use use;
    CHECK(test::failures_in_fork(refused) == 1);
    CHECK(test::failures_in_fork([] { return refused() + refused(); }) == 2);
    CHECK(test::failures_in_fork([] { return test::failures_in_fork(refused); }) == 1);
    CHECK(test::failures_in_fork([] { return refused() + test::failures_in_fork(refused); }) == 2);
    CHECK(use.status().ok());  // the parent itself
    CHECK(test::failures_in_fork([] {
            const std::string message = Sqlite3Use().status().message();
            return message.find("exec a program first") == std::string::npos ? 1 : 0;
          }) == 0);
  }
  CHECK(test::failures_in_fork(refused) == 0);
  CHECK(test::failures_in_fork([] { return refused() + test::failures_in_fork(refused); }) == 0);
}

TEST_CASE("a use that the forking thread itself ends in the child is over", "[sqlite3_use]") {
  std::optional<Sqlite3Use> use;
  use.emplace();
  CHECK(test::failures_in_fork([&] {
          use.reset();
          return refused();
        }) == 0);
}

TEST_CASE("a child's own uses shut its children out, too", "[sqlite3_use]") {
  CHECK(test::failures_in_fork([] {
          const Sqlite3Use use;
          return test::failures_in_fork(refused);
        }) == 1);
}

TEST_CASE("a SQLite that takes no locks by default is refused", "[sqlite3_use]") {
  CHECK(check_sqlite3_library().ok());
  CHECK(test::failures_in_fork([] {
          sqlite3_vfs_register(sqlite3_vfs_find("unix-none"), 1);
          const Status status = check_sqlite3_library();
          return status.code() == StatusCode::kFailedPrecondition &&
                         status.message().find("'unix-none'") != std::string::npos
                     ? 0
                     : 1;
        }) == 0);
}

}  // namespace featherid
