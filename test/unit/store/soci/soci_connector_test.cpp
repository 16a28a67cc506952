// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_connector.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

TimePoint in(Duration time) { return std::chrono::steady_clock::now() + time; }

// Sessions of a SQLite file, which open at once or when the gate opens.
struct Fixture {
  std::unique_ptr<SociSession> session() {
    ++opened;
    return std::make_unique<SociSession>(*parse_database_url("sqlite3:" + scratch.file("ids.db")),
                                         seconds(1), seconds(1));
  }
  SociConnector::Open at_once() {
    return [this] { return session(); };
  }
  // Owned by each attempt, so that its end can be seen.
  SociConnector::Open when_open() {
    return [this, owned = token] {
      ++begun;
      gate->wait();
      return session();
    };
  }
  bool attempts_ended() const {
    return test::wait_until([this] { return token.use_count() == 1; });
  }

  const test::ScratchDir scratch;
  std::atomic<int> begun{0};
  std::atomic<int> opened{0};
  const std::shared_ptr<test::Gate> gate = std::make_shared<test::Gate>();
  const std::shared_ptr<int> token = std::make_shared<int>();
};

}  // namespace

TEST_CASE("the thread of an ended attempt is joined, after it has destroyed its thread_locals",
          "[soci_connector][threads]") {
  Fixture f;
  std::atomic<bool> ended{false};
  {
    SociConnector connector(1);
    const auto session = connector.connect(
        [&] {
          // As OpenSSL does for each thread that has used it.
          struct AtThreadEnd {
            std::atomic<bool>* ended;
            ~AtThreadEnd() {
              std::this_thread::sleep_for(milliseconds(20));
              *ended = true;
            }
          };
          thread_local const AtThreadEnd at_end{&ended};
          static_cast<void>(at_end);
          return f.session();
        },
        in(seconds(30)));
    REQUIRE(session != nullptr);
  }
  CHECK(ended);
}

TEST_CASE("a session is opened on another thread", "[soci_connector][threads]") {
  Fixture f;
  SociConnector connector(1);
  std::thread::id opened_by;
  const auto session = connector.connect(
      [&] {
        opened_by = std::this_thread::get_id();
        return f.session();
      },
      in(seconds(30)));
  REQUIRE(session != nullptr);
  CHECK(opened_by != std::this_thread::get_id());
  long long one = 0;
  session->run("SELECT 1", soci::into(one));
  CHECK(one == 1);
}

TEST_CASE("an exception from opening reaches the caller, once", "[soci_connector][threads]") {
  Fixture f;
  SociConnector connector(1);
  const auto refused = [&] {
    return connector.connect(
        []() -> std::unique_ptr<SociSession> { throw soci::soci_error("refused"); },
        in(seconds(30)));
  };
  for (int i = 0; i < 3; ++i) CHECK_THROWS_WITH(refused(), Contains("refused"));
  CHECK(connector.connect(f.at_once(), in(seconds(30))) != nullptr);
}

TEST_CASE("a waiting caller leaves in time, and the next caller gets the late session",
          "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(1);
  const TimePoint deadline = in(milliseconds(20));
  CHECK(connector.connect(f.when_open(), deadline) == nullptr);
  CHECK(std::chrono::steady_clock::now() >= deadline);
  f.gate->open();
  CHECK(connector.connect(f.at_once(), in(seconds(30))) != nullptr);
  CHECK(f.opened == 1);
  CHECK(f.attempts_ended());
}

TEST_CASE("the number of attempts that hang is limited", "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(2);
  for (int i = 0; i < 5; ++i)
    CHECK(connector.connect(f.when_open(), in(milliseconds(1))) == nullptr);
  f.gate->open();
  CHECK(f.attempts_ended());
  CHECK(f.begun == 2);
  // Both of them are used before another is opened.
  const auto first = connector.connect(f.at_once(), in(seconds(30)));
  const auto second = connector.connect(f.at_once(), in(seconds(30)));
  CHECK(f.opened == 2);
  const auto third = connector.connect(f.at_once(), in(seconds(30)));
  CHECK(f.opened == 3);
}

TEST_CASE("a caller whose session another took opens a new one", "[soci_connector][threads]") {
  Fixture f;
  SociConnector connector(1);
  std::vector<std::unique_ptr<SociSession>> sessions(5);
  std::vector<std::thread> callers;
  for (std::unique_ptr<SociSession>& session : sessions) {
    callers.emplace_back([&] { session = connector.connect(f.when_open(), in(seconds(30))); });
  }
  CHECK(test::wait_until([&] { return f.begun == 1; }));
  f.gate->open();
  for (std::thread& caller : callers) caller.join();
  for (const auto& session : sessions) CHECK(session != nullptr);
  CHECK(f.attempts_ended());
}

TEST_CASE("an attempt that hangs does not block the others", "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(2);
  CHECK(connector.connect(f.when_open(), in(milliseconds(1))) == nullptr);
  CHECK(connector.connect(f.at_once(), in(seconds(30))) != nullptr);
  f.gate->open();
  CHECK(f.attempts_ended());
}

TEST_CASE("nobody gets a late session that was lost meanwhile",
          "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(1);
  CHECK(connector.connect(f.when_open(), in(milliseconds(1))) == nullptr);
  f.gate->open();
  REQUIRE(f.attempts_ended());
  std::filesystem::rename(f.scratch.file("ids.db"), f.scratch.file("old.db"));
  CHECK(connector.connect(f.at_once(), in(seconds(30))) != nullptr);
  CHECK(f.opened == 2);
}

TEST_CASE("a session that is lost as soon as it opens is an error and is not retried",
          "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(1);
  const auto connect = [&] {
    return connector.connect(
        [&] {
          auto session = f.session();
          std::filesystem::rename(f.scratch.file("ids.db"), f.scratch.file("old.db"));
          return session;
        },
        in(seconds(5)));
  };
  CHECK_THROWS_WITH(connect(), Contains("lost as soon as it was made"));
  CHECK(f.opened == 1);
}

TEST_CASE("late sessions are closed by drop()", "[soci_connector][threads][fault]") {
  Fixture f;
  SociConnector connector(1);
  CHECK(connector.connect(f.when_open(), in(milliseconds(1))) == nullptr);
  f.gate->open();
  REQUIRE(f.attempts_ended());
  connector.drop();
  CHECK(connector.connect(f.at_once(), in(seconds(30))) != nullptr);
  CHECK(f.opened == 2);
}

TEST_CASE("attempts may outlive the connector, and this is reported",
          "[soci_connector][threads][fault]") {
  Fixture f;
  const bool before = SociConnector::left_threads_behind();
  {
    SociConnector connector(1);
    CHECK(connector.connect(f.when_open(), in(milliseconds(1))) == nullptr);
    CHECK(SociConnector::left_threads_behind() == before);
  }
  CHECK(SociConnector::left_threads_behind());
  f.gate->open();
  CHECK(f.attempts_ended());
  CHECK(f.opened == 1);
}

}  // namespace featherid
