// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_session_pool.h"

#include <atomic>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid {

using soci::into;
using std::chrono::seconds;

namespace {

// A pool over a SQLite file. (Tests with real servers: test/system/integration.)
struct Fixture {
  explicit Fixture(seconds call_timeout = seconds(10))
      : pool(addresses(), options(call_timeout), nullptr) {}
  SociStoreOptions options(seconds call_timeout) {
    SociStoreOptions options;
    options.call_timeout = call_timeout;
    options.log = [this](LogLevel level, std::string_view line) {
      // The scratch folder may well be on a tmpfs.
      const bool on_tmpfs = line.find("the file is on ") != std::string_view::npos;
      if (level == LogLevel::kWarn && !on_tmpfs) warnings.emplace_back(line);
    };
    return options;
  }
  std::vector<DatabaseUrl> addresses() const {
    return {*parse_database_url("sqlite3:" + scratch.file("ids.db"))};
  }
  Status run(const std::string& sql) {
    return pool.call([&](SociSession& session) {
      session.run(sql);
      return Status();
    });
  }
  Result<long long> number(const std::string& sql) {
    return pool.call([&](SociSession& session) -> Result<long long> {
      long long value = -1;
      session.run(sql, into(value));
      return value;
    });
  }

  const test::ScratchDir scratch;
  std::vector<std::string> warnings;
  SociSessionPool pool;
};

}  // namespace

TEST_CASE("a call runs on a session that is set up and returns its body's result",
          "[soci_session_pool]") {
  Fixture f;
  CHECK(f.number("SELECT count(*) FROM id_segments").value() == 3);
  CHECK(f.number("PRAGMA synchronous").value() == sqlite3_sql::kSynchronousWanted);
  CHECK(f.number("PRAGMA query_only").value() == 0);
  CHECK(f.pool.call([](SociSession&) { return Status(StatusCode::kNotFound, "no"); }).code() ==
        StatusCode::kNotFound);
}

TEST_CASE("a session is kept for the next call, and gone after an error", "[soci_session_pool]") {
  Fixture f;
  REQUIRE(f.run("CREATE TEMP TABLE mine (x)").ok());  // there for this session alone
  CHECK(f.run("INSERT INTO mine VALUES (1)").ok());
  const Status error = f.run("SELECT * FROM absent");
  CHECK(error.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(error.message(), Contains("ids.db") && Contains("no such table"));
  CHECK_FALSE(f.run("INSERT INTO mine VALUES (2)").ok());
  CHECK(f.run("CREATE TEMP TABLE mine (x)").ok());
}

TEST_CASE("a call that leaves a transaction open fails and loses its session",
          "[soci_session_pool]") {
  Fixture f;
  const Status status = f.run("BEGIN IMMEDIATE");
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains("ids.db") && Contains("not committed"));
  const Status error = f.pool.call([](SociSession& session) {
    session.run("BEGIN IMMEDIATE");  // which fails in a transaction, or beside one
    session.run("UPDATE id_segments SET max_id = 7");
    return Status(StatusCode::kNotFound, "no");
  });
  CHECK(error.code() == StatusCode::kNotFound);
  CHECK(f.number("SELECT max(max_id) FROM id_segments").value() == 0);
}

TEST_CASE("an exception from a body becomes a status, and bad_alloc passes",
          "[soci_session_pool]") {
  Fixture f;
  const Status status =
      f.pool.call([](SociSession&) -> Status { throw std::runtime_error("boom"); });
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK_THAT(status.message(), Contains("boom"));
  const auto without_memory = [&] {
    return f.pool.call([](SociSession&) -> Status { throw std::bad_alloc(); });
  };
  for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(without_memory(), std::bad_alloc);
  CHECK(f.run("SELECT 1").ok());  // its place was given back
}

TEST_CASE("a session whose file was replaced is not used, and a warning says so",
          "[soci_session_pool]") {
  Fixture f;
  REQUIRE(f.run("UPDATE id_segments SET max_id = 7").ok());
  std::filesystem::copy(f.scratch.file("ids.db"), f.scratch.file("other.db"));
  REQUIRE(f.run("UPDATE id_segments SET max_id = 8").ok());
  std::filesystem::rename(f.scratch.file("other.db"), f.scratch.file("ids.db"));
  CHECK(f.number("SELECT max(max_id) FROM id_segments").value() == 7);
  REQUIRE(f.warnings.size() == 1);
  CHECK_THAT(f.warnings[0], Contains("ids.db: ") && Contains("lost"));
}

TEST_CASE("a missing file is not created again", "[soci_session_pool]") {
  Fixture f;
  REQUIRE(f.run("UPDATE id_segments SET max_id = 7").ok());
  std::filesystem::rename(f.scratch.file("ids.db"), f.scratch.file("old.db"));
  for (int i = 0; i < 2; ++i) {
    CHECK_THAT(f.run("SELECT 1").message(), Contains("ids.db: ") && Contains("removed or emptied"));
  }
  std::filesystem::rename(f.scratch.file("old.db"), f.scratch.file("ids.db"));
  CHECK(f.number("SELECT max(max_id) FROM id_segments").value() == 7);
}

TEST_CASE("calls of one SQLite file take turns", "[soci_session_pool][threads]") {
  Fixture f(seconds(60));
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) {
        const Status status = f.pool.call([&](SociSession&) {
          most = std::max(most.load(), ++inside);
          std::this_thread::yield();
          --inside;
          return Status();
        });
        if (!status.ok()) most = -1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
}

TEST_CASE("a call without a session within its timeout says so", "[soci_session_pool][threads]") {
  Fixture f(seconds(0));
  test::Gate gate;
  std::atomic<bool> inside{false};
  std::thread first([&] {
    const Status status = f.pool.call([&](SociSession&) {
      inside = true;
      gate.wait();
      return Status();
    });
    if (!status.ok()) inside = true;
  });
  REQUIRE(test::wait_until([&] { return inside.load(); }));
  const Status second = f.run("SELECT 1");
  CHECK(second.code() == StatusCode::kUnavailable);
  CHECK_THAT(second.message(), Contains("every session is in use"));
  gate.open();
  first.join();
  CHECK(f.run("SELECT 1").ok());
}

TEST_CASE("each address is asked until one accepts, and failing ones are skipped",
          "[soci_session_pool]") {
  Fixture f;
  const TimePoint by = std::chrono::steady_clock::now() + seconds(10);
  CHECK(f.pool.ask_each(
      by, [](SociSession& session) { return session.run("SELECT 1 FROM id_segments").got_row; }));
  CHECK_FALSE(f.pool.ask_each(by, [](SociSession&) { return false; }));
  CHECK_FALSE(f.pool.ask_each(by, [](SociSession& session) {
    session.run("SELECT * FROM absent");
    return true;
  }));
  CHECK_THROWS_AS(f.pool.ask_each(by, [](SociSession&) -> bool { throw std::bad_alloc(); }),
                  std::bad_alloc);
}

TEST_CASE("the error names each address that gives no session", "[soci_session_pool][addresses]") {
  const int ports[] = {test::free_port(), test::free_port()};
  std::vector<DatabaseUrl> addresses;
  for (const int port : ports) {
    addresses.push_back(
        *parse_database_url("mysql://u:hunter2@127.0.0.1:" + std::to_string(port) + "/ids"));
  }
  SociSessionPool pool(addresses, {}, nullptr);
  bool reached = false;
  const Status status = pool.call([&](SociSession&) {
    reached = true;
    return Status();
  });
  CHECK_FALSE(reached);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK_THAT(status.message(), Contains(":" + std::to_string(ports[0])) && Contains("; then ") &&
                                   Contains(":" + std::to_string(ports[1])) &&
                                   !Contains("hunter2"));
}

}  // namespace featherid
