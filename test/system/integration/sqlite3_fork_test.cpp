// SPDX-License-Identifier: MIT
// A child made by fork() opens its own store, while threads of the parent may use SQLite.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/store/soci/sqlite3_use.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"
#include "test/system/integration/sqlite3_files.h"

using namespace featherid;
using namespace featherid::test;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kServed = 0;
constexpr int kRefused = 1;
constexpr int kSlow = 2;
constexpr int kFailed = 3;

void note(int file, IdRange range) {
  const std::string line = std::to_string(range.first) + ' ' + std::to_string(range.end) + '\n';
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(99);
}

// Many processes poll for the lock of one file, and one of them may miss it for long.
SociStoreOptions child_options() {
  SociStoreOptions options;
  options.call_timeout = seconds(20);
  return options;
}

// One lease by a new store: it is served within the call_timeout or refused at once.
int lease_in_child(const std::string& path, int ranges) {
  const Stopwatch stopwatch;
  const Result<IdRange> range = open_file(path, child_options())->lease("order", 7);
  const Stopwatch::Duration took = stopwatch.elapsed();
  if (range.ok()) {
    note(ranges, *range);
    return took < child_options().call_timeout + milliseconds(400) ? kServed : kSlow;
  }
  if (!is_refused(range.status(), "exec a program first")) {
    std::cerr << "a child: " << range.status() << std::endl;
    return kFailed;
  }
  return took < seconds(1) ? kRefused : kSlow;  // dozens of children share the processors
}

// Its exit code. If it hangs, it is killed and this is nothing.
std::optional<int> end_of(pid_t child) {
  int status = -1;
  if (!wait_until([&] { return ::waitpid(child, &status, WNOHANG) == child; }, seconds(60))) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return std::nullopt;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A file with a store of the parent, and everybody's leases.
struct Family {
  Family() : ranges(::open(scratch.file("ranges").c_str(), O_CREAT | O_APPEND | O_RDWR, 0600)) {}
  ~Family() { ::close(ranges); }

  std::optional<int> child() const {
    return end_of(in_child([&] { return lease_in_child(path, ranges); }));
  }
  std::vector<IdRange> leased() const {
    std::vector<IdRange> all;
    std::ifstream in(scratch.file("ranges"));
    for (IdRange range; in >> range.first >> range.end;) all.push_back(range);
    return all;
  }

  const ScratchDir scratch;
  const std::string path = scratch.file("ids.db");
  const int ranges;
};

}  // namespace

TEST_CASE("SQLite: a child of a process whose stores are idle is served", "[sqlite3][fork]") {
  const Family family;
  const auto store = open_file(family.path);
  for (int i = 0; i < 3; ++i) {
    const Result<IdRange> range = store->lease("order", 5);
    REQUIRE(range.ok());
    note(family.ranges, *range);
    CHECK(family.child() == kServed);
  }
  // A child of the child is served, too, and so is a child of one that was itself served.
  for (const bool served : {false, true}) {
    CHECK(end_of(in_child([&] {
            if (served && lease_in_child(family.path, family.ranges) != kServed) return 9;
            return family.child().value_or(8);
          })) == kServed);
  }
  CHECK(family.leased().size() == 9);
  check_disjoint(family.leased());
}

TEST_CASE("SQLite: a child of a process with a thread inside SQLite is refused at once",
          "[sqlite3][fork]") {
  const Family family;
  const auto store = open_file(family.path, patient_options());
  REQUIRE(store->lease("order", 5).ok());
  RawSql other("sqlite3:" + family.path);
  other.run("BEGIN EXCLUSIVE");
  std::thread inside([&] { static_cast<void>(store->lease("order", 5)); });
  CHECK(wait_until([] {  // it waits for the lock, until the COMMIT
    return end_of(in_child([] { return Sqlite3Use().status().ok() ? kServed : kRefused; })) ==
           kRefused;
  }));
  CHECK(family.child() == kRefused);
  // For any file, any number of times, and for its children.
  CHECK(end_of(in_child([&] {
          const std::string another = family.scratch.file("another.db");
          for (int i = 0; i < 3; ++i) {
            if (lease_in_child(another, family.ranges) != kRefused) return 10 + i;
          }
          if (!is_refused(init_soci_schema("sqlite3:" + another), "exec a program first"))
            return 14;
          // A store of the parent gives the same error as before and can be destroyed.
          if (!is_refused(store->find("order").status(), "belongs to the parent")) return 15;
          return end_of(in_child([&] { return lease_in_child(another, family.ranges); }))
              .value_or(13);
        })) == kRefused);
  // What the child may do.
  CHECK(end_of(in_child([&] {
          ::execlp("true", "true", nullptr);
          return 1;
        })) == 0);
  other.run("COMMIT");
  inside.join();
  CHECK(family.child() == kServed);
}

TEST_CASE("SQLite: children forked during leases are served or refused, and none hangs",
          "[sqlite3][fork]") {
  const Family family;
  REQUIRE(init_soci_schema("sqlite3:" + family.path).ok());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const auto lease = [&](Store& store) {
        const Result<IdRange> range = store.lease("order", 5);
        if (range.ok()) note(family.ranges, *range);
        // Otherwise served children would seldom find the file unlocked.
        std::this_thread::sleep_for(milliseconds(3));
      };
      const auto kept = open_file(family.path);
      while (!stop) lease(i == 0 ? *open_file(family.path) : *kept);
    });
  }
  std::vector<pid_t> children;
  int served = 0;
  int refused = 0;
  for (int i = 0; i < 48; ++i) {
    children.push_back(in_child([&] { return lease_in_child(family.path, family.ranges); }));
    std::this_thread::sleep_for(milliseconds(5));
  }
  for (const pid_t child : children) {
    const std::optional<int> code = end_of(child);
    served += code == kServed ? 1 : 0;
    refused += code == kRefused ? 1 : 0;
    CHECK(code.value_or(-1) >= kServed);
    CHECK(code.value_or(kFailed) <= kRefused);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::cout << "children forked during leases: " << served << " served, " << refused << " refused"
            << std::endl;
  CHECK(served + refused == 48);
  check_disjoint(family.leased());
}
