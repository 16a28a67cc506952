// SPDX-License-Identifier: MIT
// A cluster of three nodes behind three addresses. All nodes have what one commits, so any of them
// may fail.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/leaser.h"

using namespace featherid;
using namespace featherid::test;

namespace {

void fresh_schema() {
  for (const char* table : {"id_segments", "id_leader", "id_mark"}) {
    RawSql(galera().url(0)).run("DROP TABLE IF EXISTS " + std::string(table));
  }
  REQUIRE(init_soci_schema(galera().urls(), synchronous()).ok());
  galera().await_applied();  // or another node could still report a missing table
}

// How many sessions stores have at a node.
long long sessions_at(std::size_t node) {
  return RawSql(galera().url(node))
      .number(
          "SELECT count(*) FROM information_schema.processlist "
          "WHERE user = 'featherid' AND id <> CONNECTION_ID()");
}

std::vector<std::unique_ptr<Leaser>> leasers_preferring(
    const std::vector<std::size_t>& nodes,
    std::chrono::milliseconds pause = std::chrono::milliseconds(5),
    const SociStoreOptions& options = synchronous()) {
  std::vector<std::vector<std::string>> urls;
  for (const std::size_t node : nodes) urls.push_back(urls_from(node, galera().urls()));
  return leasers_of(urls, pause, options);
}

}  // namespace

TEST_CASE("Galera: writers at two nodes lose against one another, and no id comes twice",
          "[galera]") {
  fresh_schema();
  // Only conflicts may fail. A slow disk is no error here.
  constexpr std::chrono::seconds kPatience(30);
  const SociStoreOptions patient = synchronous(kPatience);
  auto leasers = leasers_preferring({0, 1, 2}, std::chrono::milliseconds(0), patient);
  for (const auto& leaser : leasers) {
    REQUIRE(wait_until([&] { return leaser->leases() >= 300; }));
  }
  // Callers see none of this, because a lease that lost is retried.
  AllocatorOptions options;
  options.wait_timeout = kPatience;
  SegmentAllocator ids(open_soci_store(urls_from(1, galera().urls()), patient).value(), options);
  std::vector<IdRange> taken;
  for (int i = 0; i < 20; ++i) {
    const auto ranges = ids.next_range("order", 1500);  // more than a step: each takes a lease
    INFO(ranges.status());
    REQUIRE(ranges.ok());
    taken.insert(taken.end(), ranges->begin(), ranges->end());
  }
  for (const auto& leaser : leasers) {
    leaser->stop();
    CHECK(leaser->other_errors().empty());
    taken.insert(taken.end(), leaser->ranges().begin(), leaser->ranges().end());
  }
  check_disjoint(taken);
  check("Galera, three writers on one tag", leasers);
}

TEST_CASE("Galera: a killed node is left, and is used again after it returns", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 0});
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(sessions_at(0) > 0);
  CHECK(wait_until([] { return sessions_at(1) == 0; }));  // others made the schema there
  galera().stop(0, SIGKILL);
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(sessions_at(1) > 0);
  // It lost its position, so one of the others is its donor. A donor cannot be written meanwhile.
  galera().start(0);
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(wait_until([] { return sessions_at(0) > 0 && sessions_at(1) == 0; }));
  check("Galera, a node killed, then back by a whole state transfer", leasers);
}

TEST_CASE("Galera: a minority refuses, the others go on", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 1});
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  const auto alone = open_soci_store(galera().url(0), synchronous()).value();
  REQUIRE(wait_until([&] { return lease_one(*alone).ok(); }));  // it may lose to the others
  galera().isolate(0);
  // Until the nodes notice, a lease at any of them waits. The minority makes none.
  Status status;
  REQUIRE(wait_until([&] {
    status = lease_one(*alone);
    REQUIRE(status.code() == StatusCode::kUnavailable);
    return says(status, "1047");
  }));
  CHECK(says(status, "no connection; make sure that the server runs"));
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(lease_one(*alone).code() == StatusCode::kUnavailable);
  galera().rejoin(0);
  galera().await_synced(0);
  CHECK(wait_until([&] { return lease_one(*alone).ok(); }));
  CHECK(wait_until([] { return sessions_at(0) > 1; }));
  check("Galera, a node cut off, and back", leasers);
}

TEST_CASE("Galera: a rolling restart of all nodes under load", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 0});
  for (std::size_t node = 0; node < GaleraCluster::kNodes; ++node) {
    for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
    galera().stop(node);
    for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
    galera().start(node);
  }
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  check("Galera, all nodes restarted in turn", leasers);
  // Each node got the others' mark in time, so nothing looks like a crash of the cluster.
  const auto fresh = open_soci_store(urls_from(2, galera().urls()), synchronous()).value();
  CHECK(wait_until([&] { return lease_one(*fresh).ok(); }));
  CHECK(RawSql(galera().url(0)).number("SELECT term >> 32 FROM id_leader") == 1);
  CHECK(RawSql(galera().url(0)).number("SELECT max(max_id) FROM id_segments") < 100000000);
}
