// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_client.h"

#include <string>

#include "test/support/catch.h"
#include "test/support/ports.h"
#include "test/support/stopwatch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;

EtcdTxn read_of(const std::string& key) {
  EtcdTxn txn;
  txn.read(key);
  return txn;
}

}  // namespace

TEST_CASE("a transaction is run, and its answer judged", "[etcd_client]") {
  FakeEtcd etcd;
  etcd.put("k", "v");
  EtcdClient client(*parse_etcd_url(etcd.url()), test::patient_etcd());
  CHECK(client.cluster().empty());
  CHECK(client.member().empty());
  CHECK(client.time().status().code() == StatusCode::kFailedPrecondition);
  const auto answer = client.run(read_of("k"), client.deadline());
  REQUIRE(answer.ok());
  CHECK(answer->reads.front().front().value == "v");
  CHECK(client.cluster() == "101");
  CHECK(client.member() == "http://127.0.0.1:" + std::to_string(etcd.port()));
  CHECK(client.time().ok());
  etcd.with([](FakeEtcd::Data& data) { data.revision = 1; });
  CHECK(client.run(read_of("k"), client.deadline()).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("a call ends at its deadline", "[etcd_client]") {
  const test::BlackHole silent;
  EtcdStoreOptions options;
  options.call_timeout = options.connect_timeout = std::chrono::milliseconds(200);
  EtcdClient client(*parse_etcd_url("etcd://127.0.0.1:" + std::to_string(silent.port()) + "/x"),
                    options);
  const test::Stopwatch watch;
  CHECK(client.run(read_of("k"), client.deadline()).status().code() == StatusCode::kUnavailable);
  CHECK(watch.elapsed() < std::chrono::seconds(10));
}

}  // namespace featherid
