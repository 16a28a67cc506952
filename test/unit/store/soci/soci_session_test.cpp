// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_session.h"

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"
#include "test/support/stopwatch.h"

namespace featherid {

using soci::into;
using soci::use;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A session of a SQLite file with one small table.
struct Fixture {
  explicit Fixture(const std::string& name = "some.db")
      : file(scratch.file(name)), session(url(), seconds(1), seconds(1)) {
    session.run("CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER)");
  }
  DatabaseUrl url() const {
    DatabaseUrl url;
    url.database = file;
    return url;
  }
  EngineError error_of(const std::string& sql) {
    try {
      session.run(sql);
    } catch (const std::exception& error) {
      return to_engine_error(Engine::kSqlite3, error, false);
    }
    return {};
  }
  const test::ScratchDir scratch;
  const std::string file;
  SociSession session;
};

}  // namespace

TEST_CASE("this build has every driver", "[soci_session]") {
  for (const Engine engine : {Engine::kMysql, Engine::kPostgresql, Engine::kSqlite3}) {
    CHECK(has_driver(engine));
  }
}

TEST_CASE("a statement returns how many rows it changed and whether one came", "[soci_session]") {
  Fixture f;
  const std::string key = "it's \"x\" \\ :k";
  const long long number = 7;
  CHECK(f.session.run("INSERT INTO t VALUES (:k, :n)", use(key, "k"), use(number, "n"))
            .affected_rows == 1);
  CHECK(f.session.run("UPDATE t SET n = n + 1").affected_rows == 1);
  CHECK(f.session.run("UPDATE t SET n = 0 WHERE k = 'none'").affected_rows == 0);

  long long found = -1;
  CHECK(f.session.run("SELECT n FROM t WHERE k = :k", use(key, "k"), into(found)).got_row);
  CHECK(found == 8);
  CHECK_FALSE(f.session.run("SELECT n FROM t WHERE k = 'none'", into(found)).got_row);
}

TEST_CASE("every row of a query is returned once", "[soci_session]") {
  Fixture f;
  f.session.run_script("INSERT INTO t VALUES ('a', 1);\nINSERT INTO t VALUES ('b', 2);\n");
  std::vector<std::string> rows;
  std::string key;
  long long number = 0;
  const auto tell = [&] { rows.push_back(key + std::to_string(number)); };
  f.session.for_each_row("SELECT k, n FROM t ORDER BY k", tell, into(key), into(number));
  CHECK(rows == std::vector<std::string>{"a1", "b2"});
  f.session.for_each_row("SELECT k, n FROM t WHERE n > 5", tell, into(key), into(number));
  CHECK(rows.size() == 2);
}

TEST_CASE("an error has the engine's number and message, and not the statement", "[soci_session]") {
  Fixture f;
  f.session.run("INSERT INTO t VALUES ('a', 1)");
  const EngineError duplicate = f.error_of("INSERT INTO t VALUES ('a', 4711)");
  CHECK(duplicate.number == 19);
  CHECK_THAT(duplicate.text, Contains("UNIQUE"));
  CHECK_THAT(duplicate.text, !Contains("4711"));
  CHECK_THAT(f.error_of("SELECT n FROM absent").text, Contains("no such table"));

  const EngineError foreign =
      to_engine_error(Engine::kSqlite3, std::runtime_error("no such luck"), false);
  CHECK(foreign.number == 0);
  CHECK(foreign.text == "no such luck");
}

TEST_CASE("a session is lost if its file is replaced or removed", "[soci_session]") {
  Fixture f;
  CHECK(f.session.socket() == -1);
  CHECK_FALSE(f.session.lost());
  const std::string aside = f.scratch.file("aside.db");
  std::filesystem::rename(f.file, aside);
  CHECK(f.session.lost());
  std::filesystem::copy_file(aside, f.file);
  CHECK(f.session.lost());
  std::filesystem::rename(aside, f.file);
  CHECK_FALSE(f.session.lost());
}

TEST_CASE("a call waits for a lock until its deadline and no longer", "[soci_session]") {
  Fixture f;
  SociSession other(f.url(), seconds(1), seconds(1));
  other.run("BEGIN EXCLUSIVE");
  const auto begin = std::chrono::steady_clock::now();
  const auto since = [&] { return std::chrono::steady_clock::now() - begin; };
  const test::Stopwatch watch;
  f.session.begin_call(begin - seconds(1));
  CHECK(f.error_of("SELECT * FROM t").number == 5);
  CHECK(watch.elapsed() < milliseconds(100));
  // However many locks it waits for one after the other.
  f.session.begin_call(begin + milliseconds(400));
  for (int i = 0; i < 3; ++i) CHECK(f.error_of("SELECT * FROM t").number == 5);
  CHECK(since() >= milliseconds(400));
  CHECK(watch.elapsed() < milliseconds(600));
  f.session.begin_call(begin + std::chrono::hours(2));
  std::thread holder([&] {
    std::this_thread::sleep_for(milliseconds(300));
    other.run("COMMIT");
  });
  CHECK(f.error_of("SELECT * FROM t").number == 0);
  holder.join();
  CHECK(since() >= milliseconds(700));
}

TEST_CASE("a path may contain text that looks like SOCI's parameters", "[soci_session]") {
  for (const char* name : {"a=b.db", "a b='c'.db", "dbname=x timeout=1.db"}) {
    const Fixture f(name);
    CHECK(std::filesystem::exists(f.scratch.path() / name));
  }
}

TEST_CASE("a file that cannot be opened throws", "[soci_session]") {
  DatabaseUrl url;
  url.database = "/proc/no/such/folder/ids.db";
  CHECK_THROWS_AS(SociSession(url, seconds(1), seconds(1)), soci::soci_error);
}

}  // namespace featherid
