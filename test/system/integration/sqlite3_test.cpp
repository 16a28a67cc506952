// SPDX-License-Identifier: MIT
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/system/integration/sqlite3_files.h"

using namespace featherid;
using namespace featherid::test;

TEST_CASE("SQLite: a new file and an empty file get the schema", "[sqlite3]") {
  const ScratchDir scratch;
  const std::ofstream empty(scratch.file("empty.db"));
  for (const char* name : {"new.db", "empty.db", "a b.db", "a b=c'd.db", "号段.db"}) {
    INFO(name);
    const auto store = open_file(scratch.file(name));
    CHECK(store->list()->size() == 3);
    CHECK(store->lease("order", 1000)->first == 1);
    CHECK(std::filesystem::exists(scratch.file(name)));
  }
}

TEST_CASE("SQLite: a file with other tables gets the schema only on request", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("other.db");
  RawSql(url).run("CREATE TABLE other (x int)");
  const auto store = open_file(scratch.file("other.db"));
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "featherid init"));
  REQUIRE(init_soci_schema(url).ok());
  CHECK(lease_one(*store).ok());
}

TEST_CASE("SQLite: a lost table is created again only on request", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  REQUIRE(open_file(path)->lease("order", 10).ok());
  RawSql sql("sqlite3:" + path);
  sql.run("DROP TABLE id_segments");
  if (GENERATE(false, true)) sql.run("VACUUM");
  const auto store = open_file(path);
  for (int i = 0; i < 2; ++i) {
    const Status status = lease_one(*store);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "featherid init"));
    CHECK(says(status, "featherid advance"));
  }
  REQUIRE(init_soci_schema("sqlite3:" + path).ok());
  REQUIRE(store->advance("order", 10).ok());
  CHECK(store->lease("order", 1)->first == 11);
}

TEST_CASE("SQLite: the error names a row without a number, and the row serves once it has one",
          "[sqlite3]") {
  const ScratchDir scratch;
  const auto store = open_file(scratch.file("ids.db"));
  REQUIRE(store->lease("order", 1).ok());
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  for (const std::string column : {"max_id", "step"}) {
    sql.run("UPDATE id_segments SET " + column + " = 'a' || char(27) || 'b'");
    const Status status = store->find("order").status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, column + " 'a b' in id_segments"));
    if (column == "max_id") CHECK(lease_one(*store).message() == status.message());
    sql.run("UPDATE id_segments SET " + column + " = 10");
  }
  CHECK(store->lease("order", 1)->first == 11);
}

TEST_CASE("SQLite: a lease is in the file for the next process", "[sqlite3]") {
  const ScratchDir scratch;
  REQUIRE(exit_code_of(in_child([&] {
            const bool ok = open_file(scratch.file("ids.db"))->lease("order", 10).ok();
            return ok ? 0 : 1;
          })) == 0);
  CHECK(open_file(scratch.file("ids.db"))->lease("order", 10)->first == 11);
}

TEST_CASE("SQLite: the error names a file that cannot be used", "[sqlite3]") {
  const ScratchDir scratch;
  std::ofstream(scratch.file("text.db")) << std::string(5000, 'x');
  for (const std::string& path :
       {scratch.file("missing/ids.db"), scratch.path().string(), scratch.file("text.db")}) {
    const Status status = lease_one(*open_file(path));
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, path));
    CHECK(says(status, "the file cannot be"));
  }
}

TEST_CASE("SQLite: an unwritable file is an error, and serves once it is writable", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  REQUIRE(open_file(path)->lease("order", 1).ok());
  // Not of this second, because an UPDATE would then have nothing to write.
  RawSql("sqlite3:" + path).run("UPDATE id_segments SET update_time = '2026-01-01 00:00:00'");
  const bool folder = GENERATE(false, true);  // where its journal must be created
  ::chmod(path.c_str(), folder ? 0666 : 0444);
  ::chmod(scratch.path().c_str(), folder ? 0555 : 0777);
  CHECK(exit_code_of(in_child([&] {
          // Nothing is unwritable to root.
          if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
          const Status status = open_file(path)->lease("order", 1).status();
          if (status.code() != StatusCode::kFailedPrecondition) return 2;
          if (!says(status, path) || !says(status, "folder")) return 3;
          // The server's readiness probe. The file can still be read.
          if (!open_file(path)->find("health").ok()) return 4;
          return open_file(path)->advance("health", 0).code() == status.code() ? 0 : 5;
        })) == 0);
  ::chmod(path.c_str(), 0644);
  ::chmod(scratch.path().c_str(), 0755);
  CHECK(open_file(path)->lease("order", 1)->first == 2);
}

TEST_CASE("SQLite: a file locked by another connection ends the call in time", "[sqlite3]") {
  const ScratchDir scratch;
  const auto store = open_file(scratch.file("ids.db"));
  REQUIRE(store->lease("order", 1).ok());
  RawSql other("sqlite3:" + scratch.file("ids.db"));
  other.run("BEGIN IMMEDIATE");
  const Status status = lease_one(*store);
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "another program holds"));
  other.run("COMMIT");
  // A reader blocks the commit, but not the begin.
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'");
  CHECK(lease_one(*store).code() == StatusCode::kUnavailable);
  other.run("COMMIT");
  CHECK(store->lease("order", 1)->first == 2);
}

TEST_CASE("SQLite: a file that others keep in WAL mode is refused", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  RawSql other(url);
  CHECK(other.text("PRAGMA journal_mode = WAL") == "wal");
  other.number("SELECT count(*) FROM id_segments");
  const Status status = lease_one(*open_file(scratch.file("ids.db")));
  CHECK(status.code() == StatusCode::kUnavailable);
}

TEST_CASE("SQLite: a file that was replaced is no longer written", "[sqlite3]") {
  const ScratchDir scratch;
  const auto store = open_file(scratch.file("ids.db"));
  REQUIRE(store->lease("order", 10)->first == 1);
  REQUIRE(open_file(scratch.file("other.db"))->lease("order", 500).ok());
  std::filesystem::rename(scratch.file("other.db"), scratch.file("ids.db"));
  CHECK(store->lease("order", 10)->first == 501);
}

TEST_CASE("SQLite: a relative path stays the same file when the process moves", "[sqlite3]") {
  const ScratchDir scratch;
  CHECK(exit_code_of(in_child([&] {
          std::filesystem::current_path(scratch.path());
          const auto store = open_file("ids.db");
          std::filesystem::current_path("/");
          return store->lease("order", 10).ok() ? 0 : 1;
        })) == 0);
  CHECK(std::filesystem::exists(scratch.file("ids.db")));
}

TEST_CASE("SQLite: several processes lease from one file, no id twice", "[sqlite3][shared]") {
  const ScratchDir scratch;
  constexpr int kProcesses = 4;
  constexpr int kLeases = 100;
  const auto output = [&](int process) { return scratch.file(std::to_string(process)); };
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(in_child([&] {
      const auto store = *open_soci_store("sqlite3:" + scratch.file("ids.db"));
      std::ofstream out(output(process));
      // SQLite polls for its lock, so a process may miss it for long. Like any caller, it retries.
      int failures = 0;
      for (int n = 0; n < kLeases && failures < 20;) {
        const Result<IdRange> range = store->lease("order", 1 + n % 20);
        if (!range.ok()) {
          ++failures;
          continue;
        }
        out << range->first << ' ' << range->end << '\n';
        ++n;
      }
      out.close();
      return failures < 20 ? 0 : 1;
    }));
  }
  for (const pid_t child : children) CHECK(exit_code_of(child) == 0);
  std::vector<IdRange> all;
  for (int process = 0; process < kProcesses; ++process) {
    std::ifstream in(output(process));
    for (IdRange range; in >> range.first >> range.end;) all.push_back(range);
  }
  CHECK(all.size() == kProcesses * kLeases);
  std::cout << "one SQLite file shared: " << kProcesses << " processes, " << all.size() << " leases"
            << std::endl;
  check_no_id_twice(all, open_file(scratch.file("ids.db"))->find("order")->max_id);
}

TEST_CASE("SQLite: a call has one deadline for all the locks that it waits for", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  // The set-up must read, the transaction must write, and the commit needs that nobody reads.
  struct Case {
    const char* first;
    const char* then;
  };
  const Case c = GENERATE(Case{"BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"},
                          Case{"BEGIN IMMEDIATE", "BEGIN; SELECT * FROM id_segments"},
                          Case{"BEGIN EXCLUSIVE", "BEGIN; SELECT * FROM id_segments"});
  INFO(c.first << ", then " << c.then);
  const bool is_new = GENERATE(true, false);  // the session
  Status status;
  std::unique_ptr<Store> store;
  // Nobody holds the file between the two locks. A lease that is made there is tried again.
  for (int tries = 0; tries < 20 && status.ok(); ++tries) {
    store = open_file(scratch.file("ids.db"));
    if (!is_new) REQUIRE(store->lease("order", 1).ok());
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(scratch.file("ids.db").c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, c.first, nullptr, nullptr, nullptr) == SQLITE_OK);
    std::thread holder([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      sqlite3_exec(other, (std::string("COMMIT; ") + c.then).c_str(), nullptr, nullptr, nullptr);
    });
    status = lease_one(*store);  // checks the time
    holder.join();
    sqlite3_close(other);
  }
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(says(status, "another program holds"));
  CHECK(lease_one(*store).ok());
}

TEST_CASE("SQLite: a file that another program turns to WAL is turned back before a lease",
          "[sqlite3]") {
  const ScratchDir scratch;
  const auto store = open_file(scratch.file("ids.db"));
  REQUIRE(store->lease("order", 1).ok());
  auto other = std::make_unique<RawSql>("sqlite3:" + scratch.file("ids.db"));
  REQUIRE(other->text("PRAGMA journal_mode = WAL") == "wal");
  CHECK(says(lease_one(*store), "journal_mode=wal"));  // by the open session
  CHECK(store->lease("order", 1)->first == 2);
  other = std::make_unique<RawSql>("sqlite3:" + scratch.file("ids.db"));
  REQUIRE(other->text("PRAGMA journal_mode = WAL") == "wal");
  other->number("SELECT count(*) FROM id_segments");
  for (int i = 0; i < 3; ++i) CHECK_FALSE(lease_one(*store).ok());
  other.reset();
  CHECK(store->lease("order", 1)->first == 3);
  CHECK(RawSql("sqlite3:" + scratch.file("ids.db")).text("PRAGMA journal_mode") == "delete");
}

TEST_CASE("SQLite: tags differ by their bytes, whatever the column's collation", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string collation = GENERATE("NOCASE", "RTRIM", "BINARY");
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  sql.run("CREATE TABLE id_segments (biz_tag TEXT COLLATE " + collation +
          " PRIMARY KEY, max_id INTEGER, step INTEGER, update_time TEXT)");
  sql.run("INSERT INTO id_segments VALUES ('order', 0, 1000, ''), ('rows ', 0, 1000, '')");
  const auto store = open_file(scratch.file("ids.db"));
  CHECK(store->lease("order", 10)->first == 1);
  for (const char* tag : {"Order", "rows"}) {
    CHECK(store->lease(tag, 10).status().code() == StatusCode::kNotFound);
    CHECK(store->find(tag).status().code() == StatusCode::kNotFound);
    CHECK(store->update(tag, 7).code() == StatusCode::kNotFound);
    CHECK(store->advance(tag, 700).code() == StatusCode::kNotFound);
    CHECK_FALSE(store->give_back(tag, {5, 11}).value());
  }
  CHECK(store->find("order")->max_id == 10);
  CHECK(store->find("order")->step == 1000);
}

TEST_CASE("SQLite: an error names a number that is not a whole one and leaves it alone",
          "[sqlite3]") {
  const ScratchDir scratch;
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  // Columns without a type keep values as given.
  sql.run("CREATE TABLE id_segments (biz_tag TEXT PRIMARY KEY, max_id, step, update_time)");
  sql.run("INSERT INTO id_segments VALUES ('good', 0, 10, ''), ('order', 0, 10, '')");
  struct Case {
    const char* value;
    std::string shown;
  };
  // How SQLite writes 2^53 depends on its version: 9007199254740992.0, or 9.00719925474099e+15.
  const std::string big = sql.text("SELECT CAST(9007199254740992.0 AS TEXT)");
  const Case c = GENERATE_REF(Case{"9007199254740992.0", "max_id '" + big + "'"},
                              Case{"1e18", "max_id '1.0e+18'"}, Case{"1e300", "max_id '1.0e+300'"},
                              Case{"0.5", "max_id '0.5'"}, Case{"'100'", "max_id ''100''"},
                              Case{"''", "max_id ''''"}, Case{"NULL", "max_id 'NULL'"},
                              Case{"x'3130'", "max_id 'X'3130''"}, Case{"'ten'", "max_id 'ten'"});
  INFO(c.value);
  sql.run("UPDATE id_segments SET max_id = " + std::string(c.value) + " WHERE biz_tag = 'order'");
  const auto store = open_file(scratch.file("ids.db"));
  for (int i = 0; i < 2; ++i) CHECK(is_refused(lease_one(*store), c.shown));
  CHECK(is_refused(store->find("order").status(), c.shown));
  CHECK(is_refused(store->advance("order", 2000), c.shown));
  CHECK(sql.number("SELECT count(*) FROM id_segments WHERE biz_tag = 'order' AND max_id IS " +
                   std::string(c.value)) == 1);
  CHECK(store->lease("good", 10)->first == 1);
  CHECK(store->advance("good", 100).ok());
  sql.run("UPDATE id_segments SET max_id = 7 WHERE biz_tag = 'order'");
  CHECK(store->lease("order", 10)->first == 8);
}

TEST_CASE("SQLite: a tag with two rows is not leased from", "[sqlite3]") {
  const ScratchDir scratch;
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  sql.run("CREATE TABLE id_segments (biz_tag TEXT, max_id INTEGER, step INTEGER, update_time)");
  sql.run("INSERT INTO id_segments VALUES ('order', 0, 1000, ''), ('order', 500, 1000, '')");
  const auto store = open_file(scratch.file("ids.db"));
  for (int i = 0; i < 2; ++i) CHECK(says(lease_one(*store), "tag 'order' has several rows"));
  CHECK(sql.number("SELECT max(max_id) FROM id_segments") == 500);
}

TEST_CASE("SQLite: settings that the application makes for every connection weaken no lease",
          "[sqlite3]") {
  const ScratchDir scratch;
  // In a child, because an automatic extension affects the whole process.
  CHECK(exit_code_of(in_child([&] {
          using Extension = int (*)(sqlite3*, char**, const sqlite3_api_routines*);
          const Extension set_up = [](sqlite3* connection, char**, const sqlite3_api_routines*) {
            return sqlite3_exec(connection,
                                "PRAGMA query_only = ON; PRAGMA synchronous = OFF; "
                                "PRAGMA journal_mode = MEMORY",
                                nullptr, nullptr, nullptr);
          };
          sqlite3_auto_extension(reinterpret_cast<void (*)()>(set_up));
          return open_file(scratch.file("ids.db"))->lease("order", 10).ok() ? 0 : 1;
        })) == 0);
  CHECK(std::filesystem::exists(scratch.file("ids.db-journal")));
}

TEST_CASE("SQLite: a library that does not lock the file is refused", "[sqlite3]") {
  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  { REQUIRE(open_file(path)->lease("order", 10).ok()); }
  for (const char* vfs : {"unix-none", "unix-dotfile", "unix-excl"}) {
    CHECK(exit_code_of(in_child([&] {
            sqlite3_vfs_register(sqlite3_vfs_find(vfs), 1);
            return is_refused(lease_one(*open_file(path)), vfs) ? 0 : 1;
          })) == 0);
  }
  const auto threads = [&](int mode) {
    return in_child([&] {
      const sqlite3_mutex_methods as_new{};
      if (sqlite3_shutdown() != SQLITE_OK || sqlite3_config(mode) != SQLITE_OK ||
          sqlite3_config(SQLITE_CONFIG_MUTEX, &as_new) != SQLITE_OK) {
        return 2;
      }
      const Status status = lease_one(*open_file(path));
      return is_refused(status, "single thread") ? 1 : status.ok() ? 0 : 3;
    });
  };
  CHECK(exit_code_of(threads(SQLITE_CONFIG_SINGLETHREAD)) == 1);
  CHECK(exit_code_of(threads(SQLITE_CONFIG_MULTITHREAD)) == 0);
  CHECK(exit_code_of(threads(SQLITE_CONFIG_SERIALIZED)) == 0);
}
