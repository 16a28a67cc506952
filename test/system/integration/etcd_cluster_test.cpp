// SPDX-License-Identifier: MIT
// EtcdStore on a cluster of three members, in network namespaces: killed, stopped, cut off,
// replaced and restored.
#include "test/support/etcd_cluster.h"

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "featherid/etcd_store.h"
#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/frozen.h"
#include "test/support/patient_etcd.h"
#include "test/support/wait_until.h"
#include "test/system/integration/leaser.h"

using namespace featherid;
using namespace featherid::test;

namespace {

constexpr std::size_t kMembers = 3;

struct Hosts {
  PrivateNetwork network{kMembers};
  EtcdCluster cluster{kMembers, {{}, false, {}, &network}};
};

// Every test finds it complete: fresh_url() sees to that.
Hosts& hosts() { return shared<Hosts>(); }
EtcdCluster& etcd() { return hosts().cluster; }

std::string fresh_url() {
  static int tests = 0;
  for (std::size_t host = 0; host < kMembers; ++host) hosts().network.set_connected(host, true);
  etcd().complete();
  std::string url = etcd().url("test-" + std::to_string(++tests));
  const Status init = init_patiently(url);
  INFO(init);
  REQUIRE(init.ok());
  return url;
}

std::unique_ptr<Store> open(const std::string& url) {
  EtcdStoreOptions options;
  options.call_timeout = std::chrono::seconds(2);
  return open_etcd_store(url, options).value();
}

// Processes that lease from one tag. Each begins with a member of its own.
std::vector<std::unique_ptr<Leaser>> leasers(const std::string& url) {
  std::vector<std::unique_ptr<Leaser>> leasers;
  for (int i = 0; i < 4; ++i) {
    leasers.push_back(std::make_unique<Leaser>(open(url), std::chrono::milliseconds(2)));
  }
  return leasers;
}

void all_get_on(const std::vector<std::unique_ptr<Leaser>>& leasers) {
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
}

}  // namespace

TEST_CASE("etcd cluster: kill -9 of the leader, again and again", "[etcd_cluster]") {
  const auto running = leasers(fresh_url());
  for (int kill = 0; kill < 3; ++kill) {
    all_get_on(running);
    const std::size_t leader = etcd().leader();
    etcd().stop(leader, SIGKILL);
    all_get_on(running);
    etcd().start(leader);
  }
  check("etcd, leader killed", running);
}

TEST_CASE("etcd cluster: the leader is stopped, and goes on", "[etcd_cluster]") {
  const auto running = leasers(fresh_url());
  for (int stop = 0; stop < 2; ++stop) {
    all_get_on(running);
    const std::size_t leader = etcd().leader();
    {
      const Frozen frozen(etcd().pid(leader));
      all_get_on(running);
    }
    etcd().await_healthy(leader);
  }
  check("etcd, leader stopped", running);
}

TEST_CASE("etcd cluster: the leader is cut off from the others, and not from its clients",
          "[etcd_cluster]") {
  const auto running = leasers(fresh_url());
  for (int cut = 0; cut < 2; ++cut) {
    all_get_on(running);
    const std::size_t leader = etcd().leader();
    hosts().network.set_connected(leader, false);
    all_get_on(running);
    hosts().network.set_connected(leader, true);
    etcd().await_healthy(leader);
  }
  check("etcd, leader cut off", running);
}

TEST_CASE("etcd cluster: the disk of the leader fails", "[etcd_cluster]") {
  const auto running = leasers(fresh_url());
  all_get_on(running);
  const std::size_t leader = etcd().leader();
  const auto broken = etcd().broken_disk(leader);
  // It must not answer for what it cannot write.
  CHECK(wait_until([&] { return etcd().ended(leader); }));
  all_get_on(running);
  check("etcd, broken disk", running);
}

TEST_CASE("etcd cluster: without a majority nothing is leased", "[etcd_cluster]") {
  const std::string url = fresh_url();
  const auto running = leasers(url);
  all_get_on(running);
  const auto store = open(url);
  REQUIRE(store->probe().ok());
  for (std::size_t host = 0; host < kMembers; ++host) hosts().network.set_connected(host, false);
  CHECK(wait_until([&] { return store->probe().code() == StatusCode::kUnavailable; }));
  CHECK(store->lease("order", 1).status().code() == StatusCode::kUnavailable);
  CHECK(store->find("order").status().code() == StatusCode::kUnavailable);  // no stale read either
  for (std::size_t host = 0; host < kMembers; ++host) hosts().network.set_connected(host, true);
  for (std::size_t host = 0; host < kMembers; ++host) etcd().await_healthy(host);
  all_get_on(running);
  check("etcd, no majority for a while", running);
}

TEST_CASE("etcd cluster: a member that lost its data is replaced", "[etcd_cluster]") {
  const auto running = leasers(fresh_url());
  for (int i = 0; i < 2; ++i) {
    all_get_on(running);
    etcd().replace(i == 0 ? etcd().leader() : 0);
    all_get_on(running);
  }
  check("etcd, members replaced", running);
}

TEST_CASE("etcd cluster: an allocator serves through the loss of a member", "[etcd_cluster]") {
  AllocatorOptions options;
  options.wait_timeout = std::chrono::seconds(20);
  SegmentAllocator ids(open(fresh_url()), options);
  std::int64_t last = 0;
  for (int i = 0; i < 2000; ++i) {
    if (i == 500) etcd().stop(etcd().leader(), SIGKILL);
    const auto range = ids.next_range("order", 400);
    INFO(range.status());
    REQUIRE(range.ok());
    CHECK(range->front().first > last);
    last = range->back().last();
  }
}

// Last: the cluster is another one afterwards.
TEST_CASE("etcd cluster: a restored snapshot stops every process that ran", "[etcd_cluster]") {
  const std::string url = fresh_url();
  const auto open_patient = [&] { return open_etcd_store(url, patient_etcd()).value(); };
  const auto running = open_patient();
  const auto idle = open_patient();
  REQUIRE(idle->find("order").ok());
  const std::string snapshot = etcd().snapshot("backup");
  for (int i = 0; i < 20; ++i) REQUIRE(running->lease("order", 10).ok());
  etcd().restore(snapshot, EtcdCluster::kToken);
  CHECK(running->lease("order", 10).status().code() == StatusCode::kDataLoss);
  CHECK(running->changes(0).status().code() == StatusCode::kDataLoss);
  etcd().restore(snapshot, "another");
  CHECK(idle->lease("order", 10).status().code() == StatusCode::kDataLoss);
  CHECK(open_patient()->lease("order", 10).status().code() == StatusCode::kDataLoss);
}
