// SPDX-License-Identifier: MIT
// A crash of all nodes of a Galera cluster: what was committed last may be lost, and a process that
// has just begun knows nothing of it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/integration/servers.h"
#include "test/support/galera_cluster.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// As it is often set on a Galera cluster: a node writes its log to the disk once a second.
GaleraCluster& cluster() {
  static GaleraCluster cluster({"--innodb-flush-log-at-trx-commit=0"});
  return cluster;
}

SociStoreOptions lossy(Failover failover, std::vector<std::string>* warnings = nullptr) {
  SociStoreOptions options;
  options.failover = failover;
  options.lossy_commits = LossyCommits::kAllow;
  if (warnings != nullptr) {
    options.warn = [warnings](const std::string& warning) { warnings->push_back(warning); };
  }
  return options;
}

void fresh_schema(const SociStoreOptions& options) {
  for (const char* table : {"id_segments", "id_leader", "id_mark"}) {
    RawSql(cluster().url(0)).run("DROP TABLE IF EXISTS " + std::string(table));
  }
  const Status made = init_soci_schema(cluster().urls(), options);
  INFO(made);
  REQUIRE(made.ok());
  cluster().await_applied();
}

// Leases for a while, in the manner of a process, and keeps what was acknowledged.
std::vector<IdRange> lease_until(const std::atomic<bool>& stopping,
                                 const SociStoreOptions& options) {
  const auto store = open_soci_store(cluster().urls(), options).value();
  std::vector<IdRange> ranges;
  while (!stopping) {
    if (const Result<IdRange> range = store->lease("order", 1); range.ok()) {
      ranges.push_back(*range);
    }
  }
  return ranges;
}

// What was acknowledged in the seconds before all nodes were killed.
std::vector<IdRange> lease_and_kill_all(const SociStoreOptions& options) {
  std::atomic<bool> stopping{false};
  std::vector<IdRange> ranges;
  std::thread leaser([&] { ranges = lease_until(stopping, options); });
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // the load, not a condition
  cluster().kill_all();
  stopping = true;
  leaser.join();
  return ranges;
}

}  // namespace

TEST_CASE("Galera: after a crash of all nodes a fresh process repeats no id",
          "[galera_crash][failover]") {
  const Failover failover = GENERATE(Failover::kSynchronous, Failover::kSkip);
  fresh_schema(lossy(failover));
  std::vector<IdRange> ranges = lease_and_kill_all(lossy(failover));
  REQUIRE(ranges.size() > 20);
  const std::size_t first = cluster().begin_again();
  const long long last = ranges.back().last();
  const long long kept =
      RawSql(cluster().url(first)).number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'");
  INFO(last << " was acknowledged, " << kept << " is there");
  const auto fresh = open_soci_store(cluster().urls(), lossy(failover)).value();
  for (int i = 0; i < 500; ++i) {
    const Result<IdRange> range = fresh->lease("order", 1);
    INFO(range.status());
    REQUIRE(range.ok());
    ranges.push_back(*range);
  }
  check_disjoint(ranges);
}
