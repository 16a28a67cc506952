// SPDX-License-Identifier: MIT
// EtcdStore on real clusters of one member: TLS, crashes, compaction, restored snapshots.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "featherid/etcd_store.h"
#include "test/support/authority.h"
#include "test/support/catch.h"
#include "test/support/etcd_cluster.h"
#include "test/support/patient_etcd.h"
#include "test/support/wait_until.h"
#include "test/system/integration/leaser.h"

using namespace featherid;
using namespace featherid::test;

namespace {

EtcdCluster& etcd() { return shared<EtcdCluster>(); }

// A prefix of its own for each test.
std::string fresh_url() {
  static int tests = 0;
  return etcd().url("test-" + std::to_string(++tests));
}

std::unique_ptr<Store> open(const std::string& url) {
  Result<std::unique_ptr<Store>> store = open_etcd_store(url, patient_etcd());
  INFO(store.status());
  REQUIRE(store.ok());
  return *std::move(store);
}

IdRange leased(Store& store) {
  const Result<IdRange> range = lease_patiently(store);
  INFO(range.status());
  REQUIRE(range.ok());
  return *range;
}

}  // namespace

TEST_CASE("etcd: what an operator reads and writes with etcdctl is the tag", "[etcd]") {
  const auto store = open(fresh_url());
  const std::string prefix = "/test-1";
  REQUIRE(store->create("号段", 10).ok());
  CHECK(etcd().get(prefix + "/tags/号段").find("\"max_id\":0") != std::string::npos);
  etcd().put(prefix + "/tags/order", R"({"max_id": 41, "step": 10})");
  CHECK(leased(*store) == IdRange{42, 52});
  etcd().put(prefix + "/tags/order", R"({"max_id": 1000, "step": 10, "cap": 1015})");
  CHECK(leased(*store) == IdRange{1001, 1011});
  CHECK(store->lease("order", 10).status().code() == StatusCode::kExhausted);
}

TEST_CASE("etcd: kill -9 of its only member loses no lease", "[etcd]") {
  const std::string url = fresh_url();
  REQUIRE(init_patiently(url).ok());
  std::vector<std::unique_ptr<Leaser>> leasers;
  for (int i = 0; i < 3; ++i) {
    leasers.push_back(std::make_unique<Leaser>(open(url), std::chrono::milliseconds(0)));
  }
  for (int kill = 0; kill < 3; ++kill) {
    REQUIRE(leasers.front()->gets_on());
    etcd().stop(0, SIGKILL);
    etcd().start(0);
  }
  REQUIRE(leasers.front()->gets_on());
  check("etcd, one member killed", leasers);
}

TEST_CASE("etcd: compaction and defragmentation take nothing away", "[etcd]") {
  const std::string url = fresh_url();
  REQUIRE(init_patiently(url).ok());
  std::vector<std::unique_ptr<Leaser>> leasers;
  leasers.push_back(std::make_unique<Leaser>(open(url), std::chrono::milliseconds(0)));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(leasers.front()->gets_on());
    etcd().ctl({"compaction", std::to_string(etcd().revision())});
    etcd().ctl({"defrag"});
  }
  REQUIRE(leasers.front()->gets_on());
  check("etcd, compacted", leasers);
}

TEST_CASE("etcd: TLS, with certificates of both sides", "[etcd]") {
  Authority authority;
  const Authority::Issued server = authority.issue("DNS:localhost,IP:127.0.0.1");
  const Authority::Issued client = authority.issue("DNS:client");
  EtcdCluster::Options options;
  options.tls = true;
  options.more_flags = {"--cert-file=" + server.cert_file, "--key-file=" + server.key_file,
                        "--trusted-ca-file=" + authority.ca_file(), "--client-cert-auth=true"};
  options.tool_flags = {"--cert=" + client.cert_file, "--key=" + client.key_file};
  EtcdCluster cluster(1, options);
  const std::string ca = "?ca=" + authority.ca_file();
  const std::string cert = "&cert=" + client.cert_file + "&key=" + client.key_file;
  const std::string url = cluster.url() + ca + cert;
  const Status init = init_patiently(url);
  INFO(init);
  REQUIRE(init.ok());
  CHECK(leased(*open(url)) == IdRange{1, 11});
  const Authority strangers;
  for (const std::string& bad :
       {cluster.url() + ca, cluster.url() + "?ca=" + strangers.ca_file() + cert,
        "etcd" + cluster.url().substr(5)}) {
    const Status refused = open(bad)->lease("order", 10).status();
    INFO(refused);
    CHECK(refused.code() == StatusCode::kUnavailable);
  }
}

TEST_CASE(
    "etcd: a restored snapshot stops the processes that ran, and fresh ones if it is a new "
    "cluster",
    "[etcd]") {
  EtcdCluster cluster(1);
  REQUIRE(init_patiently(cluster.url()).ok());
  const auto running = open(cluster.url());
  CHECK(leased(*running) == IdRange{1, 11});
  const std::string snapshot = cluster.snapshot("backup");
  for (int i = 0; i < 3; ++i) leased(*running);  // up to 40

  const bool same = GENERATE(true, false);
  CAPTURE(same);
  cluster.restore(snapshot, same ? EtcdCluster::kToken : "another");
  const Status stopped = running->lease("order", 10).status();
  INFO(stopped);
  CHECK(stopped.code() == StatusCode::kDataLoss);
  CHECK(running->changes(0).status().code() == StatusCode::kDataLoss);
  CHECK(running->probe().code() == StatusCode::kDataLoss);

  const auto fresh = open(cluster.url());
  if (same) {
    CHECK(fresh->probe().ok());  // it cannot know: an operator must advance the tags first
  } else {
    const Status refused = fresh->lease("order", 10).status();
    INFO(refused);
    CHECK(refused.code() == StatusCode::kDataLoss);
    CHECK(says(refused, "/featherid/cluster"));
  }
  for (const TagInfo& tag : *fresh->list()) CHECK(fresh->advance(tag.tag, 100, "operator").ok());
  if (!same) cluster.ctl({"del", "/featherid/cluster"});
  CHECK(leased(*fresh) == IdRange{101, 111});
}

TEST_CASE("etcd: a full quota is said, and the store works again after it", "[etcd]") {
  EtcdCluster::Options options;
  options.more_flags = {"--quota-backend-bytes=2000000"};
  EtcdCluster cluster(1, options);
  REQUIRE(init_patiently(cluster.url()).ok());
  const auto store = open(cluster.url());
  CHECK(leased(*store).first == 1);
  const std::string filler(900000, 'x');
  const ScratchDir scratch;
  for (int i = 0; i < 4; ++i) {
    try {
      cluster.put("/filler", filler.substr(0, 100000));
      for (int more = 0; more < 10; ++more) cluster.put("/filler", filler.substr(0, 100000));
    } catch (const std::exception&) {
      break;
    }
  }
  const Status full = store->lease("order", 10).status();
  INFO(full);
  CHECK(full.code() == StatusCode::kUnavailable);
  CHECK(store->probe().code() == StatusCode::kUnavailable);
  cluster.ctl({"compaction", std::to_string(cluster.revision())});
  cluster.ctl({"defrag"});
  cluster.ctl({"alarm", "disarm"});
  CHECK(wait_until([&] { return store->probe().ok(); }));
  CHECK(leased(*store).first > 10);
}

TEST_CASE("etcd: the alarm that members differ stops a process", "[etcd]") {
  EtcdCluster cluster(1);
  REQUIRE(init_patiently(cluster.url()).ok());
  const auto store = open(cluster.url());
  CHECK(leased(*store) == IdRange{1, 11});
  cluster.raise_alarm(0, "CORRUPT");
  const Status corrupt = store->lease("order", 10).status();
  INFO(corrupt);
  CHECK(corrupt.code() == StatusCode::kDataLoss);
  CHECK(says(corrupt, "replace the damaged member"));
  // What connects afterwards meets a member that says only that it cannot serve.
  for (const Status& refused :
       {store->lease("order", 10).status(), open(cluster.url())->lease("order", 10).status()}) {
    INFO(refused);
    CHECK(refused.code() == StatusCode::kUnavailable);
    CHECK(says(refused, "etcdctl alarm list"));
  }
  cluster.ctl({"alarm", "disarm"});
  CHECK(wait_until([&] { return store->probe().ok(); }));
  CHECK(leased(*store).first > 10);
}
