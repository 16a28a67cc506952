// SPDX-License-Identifier: MIT
// Which file a path leads to, and whether every process finds its journal.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/system/integration/sqlite3_files.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// A process is killed during a commit: some new pages are in the file, and their old content is in
// the journal beside `path`.
void crash_amid_commit(const std::string& path) {
  const pid_t child = in_child([&] {
    RawSql sql("sqlite3:" + path);
    sql.run("PRAGMA cache_size = 1");
    sql.run("BEGIN IMMEDIATE");
    sql.run("UPDATE id_segments SET max_id = max_id + 1");
    sql.run("CREATE TABLE filler (x)");
    sql.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
        "INSERT INTO filler SELECT randomblob(4000) FROM n");
    return ::raise(SIGKILL);
  });
  CHECK(exit_code_of(child) == -1);
}

}  // namespace

TEST_CASE("SQLite: a crash by one path undoes no lease that was made by another",
          "[sqlite3][path]") {
  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  const std::string other_path = scratch.file("other/ids.db");
  REQUIRE(open_file(path)->lease("order", 1000).ok());
  std::filesystem::create_directory(scratch.file("other"));
  std::filesystem::create_hard_link(path, other_path);
  crash_amid_commit(path);
  REQUIRE(std::filesystem::file_size(path + "-journal") > 0);
  std::vector<IdRange> leased;
  for (const std::string& name : {other_path, path}) {
    const Result<IdRange> range = open_file(name)->lease("order", 1000);
    if (range.ok()) leased.push_back(*range);
  }
  check_disjoint(leased);
  CHECK(leased.empty());
}

TEST_CASE("SQLite: a file with two names is refused by each name until it has only one",
          "[sqlite3][path]") {
  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  const std::string second = scratch.file("second.db");
  const std::string link = scratch.file("link.db");
  const auto in_use = open_file(path);
  REQUIRE(in_use->lease("order", 10)->first == 1);
  std::filesystem::create_hard_link(path, second);
  std::filesystem::create_symlink(second, link);
  for (const std::string& name : {path, second, link}) {
    const auto store = open_file(name);
    CHECK(is_refused(lease_one(*store), name + ": "));
    CHECK(is_refused(lease_one(*store), "2 hard links"));
    CHECK(is_refused(store->find("order").status(), "remove the other links"));
    CHECK(is_refused(store->list().status(), "2 hard links"));
    CHECK(is_refused(store->create("new", 1), "2 hard links"));
    CHECK(is_refused(store->advance("order", 99), "2 hard links"));
    CHECK(is_refused(store->give_back("order", {5, 11}).status(), "2 hard links"));
    CHECK(is_refused(init_soci_schema("sqlite3:" + name), "2 hard links"));
  }
  CHECK(is_refused(lease_one(*in_use), "2 hard links"));
  std::filesystem::remove(second);
  CHECK(in_use->lease("order", 10)->first == 11);
}

TEST_CASE("SQLite: a file that is itself a mount is refused, but not one in a mounted folder",
          "[sqlite3][path]") {
  const ScratchDir scratch;
  const std::string name = GENERATE("ids.db", "a b\\040.db");
  REQUIRE(open_file(scratch.file(name))->lease("order", 10).ok());
  const auto mount = [](const std::string& what, const std::string& where) {
    return ::mount(what.c_str(), where.c_str(), nullptr, MS_BIND, nullptr) == 0;
  };
  constexpr int kNotPermitted = 77;
  // In its own mount namespace, like a container.
  const int code = exit_code_of(in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return kNotPermitted;
    }
    std::filesystem::create_directory(scratch.file("alone"));
    std::filesystem::create_directory(scratch.file("folder"));
    const std::string alone = scratch.file("alone/" + name);
    std::ofstream(alone).close();
    const auto early = open_file(scratch.file(name));
    if (!early->find("order").ok()) return 1;
    if (!mount(scratch.file(name), alone)) return 2;
    if (!mount(scratch.path(), scratch.file("folder"))) return 3;
    if (!is_refused(lease_one(*open_file(alone)), "mount the folder")) return 4;
    if (!says(lease_one(*open_file(alone)), alone)) return 5;
    std::filesystem::create_symlink("alone/" + name, scratch.file("link.db"));
    if (!is_refused(lease_one(*open_file(scratch.file("link.db"))), "mount the folder")) return 6;
    if (!open_file(scratch.file("folder/" + name))->lease("order", 10).ok()) return 7;
    if (!early->find("order").ok()) return 8;
    // Its own name becomes a mount as well, while it is in use.
    if (!mount(scratch.file(name), scratch.file(name))) return 9;
    if (!is_refused(lease_one(*early), "mount the folder")) return 10;
    // So does the journal's.
    if (::umount(scratch.file(name).c_str()) != 0 || !early->lease("order", 10).ok()) return 11;
    const std::string journal = scratch.file(name + "-journal");
    if (!mount(alone, journal)) return 12;
    if (!is_refused(lease_one(*early), "-journal")) return 13;
    return 0;
  }));
  if (code == kNotPermitted) {
    WARN("SKIPPED: this user may not mount (needs root)");
    return;
  }
  CHECK(code == 0);
}

TEST_CASE("SQLite: the error names a path that is no regular file or has no usable journal",
          "[sqlite3][path]") {
  const ScratchDir scratch;
  REQUIRE(::mkfifo(scratch.file("fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink("loop", scratch.file("loop"));
  REQUIRE(open_file(scratch.file("ids.db"))->lease("order", 10).ok());
  for (const std::string& path :
       {scratch.file("fifo"), scratch.file("loop"), scratch.file("ids.db/"),
        scratch.file("ids.db/ids.db"), scratch.file("new.db/"), scratch.file("new/../ids.db"),
        scratch.file("ids.db/../ids.db"), scratch.file("."), std::string("/dev/null")}) {
    INFO(path);
    CHECK(is_refused(lease_one(*open_file(path)), path + ": the file cannot be "));
  }
  CHECK_FALSE(std::filesystem::exists(scratch.file("new.db")));
  for (const bool symbolic : {true, false}) {
    const std::string journal = scratch.file("ids.db-journal");
    std::filesystem::remove(journal);
    const std::ofstream elsewhere(scratch.file("elsewhere"));
    if (symbolic) {
      std::filesystem::create_symlink(scratch.file("elsewhere"), journal);
    } else {
      std::filesystem::create_hard_link(scratch.file("elsewhere"), journal);
    }
    CHECK(is_refused(lease_one(*open_file(scratch.file("ids.db"))), journal));
  }
}

TEST_CASE("SQLite: a path resolves as in the kernel", "[sqlite3][path]") {
  const ScratchDir scratch;
  std::filesystem::create_directories(scratch.file("real/sub"));
  std::filesystem::create_directory_symlink("real/sub", scratch.file("link"));
  CHECK(open_file(scratch.file("link/../ids.db"))->lease("order", 10).ok());
  CHECK(std::filesystem::exists(scratch.file("real/ids.db")));
  CHECK_FALSE(std::filesystem::exists(scratch.file("ids.db")));
  // A relative path starts at the folder that the process was in.
  CHECK(exit_code_of(in_child([&] {
          std::filesystem::current_path(scratch.path());
          const auto store = open_file("./link/../ids.db");
          std::filesystem::current_path("/");
          const Result<IdRange> range = store->lease("order", 10);
          return range.ok() && range->first == 11 ? 0 : 1;
        })) == 0);
  // A file that is created through a link, and its journal.
  std::filesystem::create_symlink("real/sub/made.db", scratch.file("first.db"));
  std::filesystem::create_symlink("first.db", scratch.file("second.db"));
  const auto store = open_file(scratch.file("second.db"));
  CHECK(store->lease("order", 10).ok());
  CHECK(std::filesystem::exists(scratch.file("real/sub/made.db-journal")));
  CHECK(open_file(scratch.file("real/sub/made.db"))->lease("order", 10)->first == 11);
  // A link that changes later is followed.
  std::filesystem::remove(scratch.file("first.db"));
  std::filesystem::create_symlink("real/ids.db", scratch.file("first.db"));
  CHECK(store->lease("order", 10)->first == 21);
  CHECK(open_file(scratch.file("real/ids.db"))->lease("order", 10)->first == 31);
}

TEST_CASE("SQLite: a relative path without a working directory is refused", "[sqlite3][path]") {
  const ScratchDir scratch;
  CHECK(exit_code_of(in_child([&] {
          std::filesystem::create_directory(scratch.file("gone"));
          std::filesystem::current_path(scratch.file("gone"));
          std::filesystem::remove(scratch.file("gone"));
          // SQLite would keep this one in memory.
          const auto store = open_soci_store("sqlite3::memory:");
          return store.status().code() == StatusCode::kInvalidArgument ? 0 : 1;
        })) == 0);
}
