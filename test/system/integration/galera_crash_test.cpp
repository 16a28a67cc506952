// SPDX-License-Identifier: MIT
// A crash of all nodes of a Galera cluster. The last commits may be lost, and a new process knows
// nothing of them.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

constexpr std::int64_t kGuardIds = 100000000;

SociStoreOptions options(Failover failover, LossyCommits lossy_commits) {
  SociStoreOptions options;
  options.failover = failover;
  options.lossy_commits = lossy_commits;
  options.failover_guard_ids = kGuardIds;
  return options;
}

SociStoreOptions allowed(Failover failover = Failover::kSynchronous) {
  return options(failover, LossyCommits::kAllow);
}

std::unique_ptr<Store> open_at(const std::vector<std::string>& urls,
                               const SociStoreOptions& options = allowed()) {
  return open_soci_store(urls, options).value();
}

// Each node writes its log to the disk at each commit (1), or once a second (0). It begins with 1.
void flush_log_at_commit(int value) {
  for (std::size_t node = 0; node < GaleraCluster::kNodes; ++node) {
    RawSql(galera().url(node))
        .run("SET GLOBAL innodb_flush_log_at_trx_commit = " + std::to_string(value));
  }
}

void drop_tables() {
  for (const char* table : {"id_segments", "id_leader", "id_mark"}) {
    RawSql(galera().url(0)).run("DROP TABLE IF EXISTS " + std::string(table));
  }
}

void fresh_schema() {
  drop_tables();
  const Status made = init_soci_schema(galera().urls(), allowed());
  INFO(made);
  REQUIRE(made.ok());
  galera().await_applied();
}

long long leaders() { return RawSql(galera().url(0)).number("SELECT term >> 32 FROM id_leader"); }

// The first lease of a process that knows nothing.
std::vector<IdRange> lease_afresh(const std::vector<std::string>& urls, int leases,
                                  const SociStoreOptions& options = allowed()) {
  const auto store = open_at(urls, options);
  std::vector<IdRange> ranges;
  Status status;
  const bool done = wait_until([&] {
    const Result<IdRange> range = store->lease("order", 1);
    status = range.status();
    if (range.ok()) ranges.push_back(*range);
    return static_cast<int>(ranges.size()) >= leases;
  });
  INFO(status);
  REQUIRE(done);
  return ranges;
}

// What was acknowledged in the second and a half before all nodes were killed.
std::vector<IdRange> lease_and_kill_all() {
  std::atomic<bool> stopping{false};
  std::vector<IdRange> ranges;
  auto leaser = std::async(std::launch::async, [&] {
    const auto store = open_at(galera().urls());
    while (!stopping) {
      if (const Result<IdRange> range = store->lease("order", 1); range.ok()) {
        ranges.push_back(*range);
      }
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // the load, not a condition
  galera().kill_all();
  stopping = true;
  leaser.get();
  return ranges;
}

}  // namespace

TEST_CASE("Galera: after a crash of all nodes a fresh process repeats no id",
          "[galera][galera_crash][failover]") {
  fresh_schema();
  flush_log_at_commit(0);
  std::vector<IdRange> ranges = lease_and_kill_all();
  REQUIRE(ranges.size() > 20);
  const std::size_t first = galera().begin_again();
  const long long kept =
      RawSql(galera().url(first)).number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'");
  INFO(ranges.back() << " was acknowledged, up to " << kept << " is there");

  // In the mode stop, a process stops and says what to do.
  const Status stopped =
      open_at(galera().urls(), allowed(Failover::kStop))->lease("order", 1).status();
  CHECK(stopped.code() == StatusCode::kDataLoss);
  INFO(stopped);
  CHECK(says(stopped, "galera cluster featherid-test has died as a whole"));
  CHECK(says(stopped, "INSERT IGNORE INTO id_mark"));

  // Two processes that start at once, at other nodes, skip once: the later one asks the first one's
  // node.
  std::vector<IdRange> more[2];
  auto other = std::async(std::launch::async, [&] {
    more[1] = lease_afresh({galera().url(1), galera().url(2), galera().url(0)}, 200);
  });
  more[0] = lease_afresh(galera().urls(), 200);
  other.get();
  for (const auto& taken : more) ranges.insert(ranges.end(), taken.begin(), taken.end());
  check_disjoint(ranges);
  CHECK(leaders() == 2);
  CHECK(more[0].front().first > kGuardIds);
  CHECK(more[0].front().first < 2 * kGuardIds);
}

TEST_CASE("Galera: a node that has restarted alone costs no id", "[galera][galera_crash]") {
  fresh_schema();
  lease_afresh(galera().urls(), 1);  // which also marks the other nodes
  galera().stop(0, SIGKILL);
  // Tried with processes that start meanwhile, at any node, even if they know no other.
  CHECK(lease_afresh({galera().url(1)}, 1).front().first < kGuardIds);
  CHECK(lease_afresh({galera().url(2)}, 1).front().first < kGuardIds);
  galera().start(0);
  SECTION("they prefer the node") {
    CHECK(lease_afresh(galera().urls(), 1).front().first < kGuardIds);
  }
  SECTION("they know only this node, after others have marked it") {
    CHECK(lease_afresh({galera().url(1), galera().url(0)}, 1).front().first < kGuardIds);
    CHECK(lease_afresh({galera().url(0)}, 1).front().first < kGuardIds);
  }
  CHECK(leaders() == 1);
}

TEST_CASE("Galera: a setting that loses commits is refused in the lease itself",
          "[galera][galera_crash]") {
  fresh_schema();
  const Failover failover = GENERATE(Failover::kSynchronous, Failover::kSkip);
  const auto store = open_at(galera().urls(), options(failover, LossyCommits::kRefuse));
  REQUIRE(wait_until([&] { return store->lease("order", 1).ok(); }));
  for (const int value : {0, 2}) {
    flush_log_at_commit(value);
    const Status status = store->lease("order", 1).status();
    INFO(status);
    if (value == 2 && failover == Failover::kSkip) {
      CHECK(status.ok());
    } else {
      CHECK(status.code() == StatusCode::kFailedPrecondition);
      CHECK(says(status, "innodb_flush_log_at_trx_commit is " + std::to_string(value)));
    }
  }
  flush_log_at_commit(1);
  CHECK(wait_until([&] { return store->lease("order", 1).ok(); }));
}

TEST_CASE("Galera: without the table of marks nothing is leased, and the message says what to run",
          "[galera][galera_crash]") {
  fresh_schema();
  RawSql sql(galera().url(0));
  const auto refused = [] {
    Status status = open_at(galera().urls())->lease("order", 1).status();
    UNSCOPED_INFO(status);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "featherid init"));
    return status;
  };
  sql.run("DROP TABLE id_mark");
  CHECK(says(refused(), "the table id_mark is missing"));
  sql.run("CREATE TABLE id_mark (term bigint PRIMARY KEY) ENGINE=InnoDB");
  CHECK(says(refused(), "id_mark uses the engine InnoDB instead of MEMORY"));
  sql.run("DROP TABLE id_mark");
  sql.run("SET GLOBAL wsrep_mode = 'STRICT_REPLICATION'");
  const Status strict = init_soci_schema(galera().urls(), allowed());
  sql.run("SET GLOBAL wsrep_mode = ''");
  INFO(strict);
  CHECK(strict.code() == StatusCode::kFailedPrecondition);
  CHECK(says(strict, "wsrep_mode without STRICT_REPLICATION"));
  REQUIRE(init_soci_schema(galera().urls(), allowed()).ok());
  // The record of the leader exists. Only its mark was lost.
  CHECK(wait_until([] { return open_at(galera().urls())->lease("order", 1).ok(); }));
}
