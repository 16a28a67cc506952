// SPDX-License-Identifier: MIT
// What is particular to EtcdStore; the contract of every store is in test/system/conformance.
#include "featherid/etcd_store.h"

#include <memory>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/ports.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;
using Data = FakeEtcd::Data;
using When = FakeEtcd::When;

std::unique_ptr<Store> open(const std::string& url) {
  Result<std::unique_ptr<Store>> store = open_etcd_store(url, test::patient_etcd());
  REQUIRE(store.ok());
  return *std::move(store);
}

IdRange take(const Result<IdRange>& range) {
  INFO(range.status());
  REQUIRE(range.ok());
  return *range;
}

constexpr const char* kOrder = "/x/tags/order";

}  // namespace

TEST_CASE("a lease costs one round trip once the tag is known", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":41,"step":10})");
  const auto store = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{42, 52});
  CHECK(etcd.get("/x/cluster") == "101");
  const std::size_t before = etcd.requests();
  CHECK(take(store->lease("order", 10)) == IdRange{52, 62});
  CHECK(take(store->lease("order", 10)) == IdRange{62, 72});
  CHECK(etcd.requests() == before + 2);
  CHECK(etcd.get(kOrder) == R"({"max_id":71,"step":10})");
  CHECK(store->leader() == "http://127.0.0.1:" + std::to_string(etcd.port()));
}

TEST_CASE("a lost race costs one round trip, and no id comes twice", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  const auto other = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  CHECK(take(other->lease("order", 10)) == IdRange{11, 21});
  const std::size_t before = etcd.requests();
  CHECK(take(store->lease("order", 10)) == IdRange{21, 31});
  CHECK(etcd.requests() == before + 2);
}

TEST_CASE("a lease whose answer is lost is not made again, and its ids become a gap",
          "[etcd_store]") {
  for (const When when : {When::kBefore, When::kAfter}) {
    FakeEtcd etcd;
    etcd.put(kOrder, R"({"max_id":0,"step":10})");
    const auto store = open(etcd.url());
    CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
    const int before = etcd.writes();
    etcd.on_next_write(when, [](Data&) { return "close"; });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kUnavailable);
    CHECK(etcd.writes() == before + 1);
    const bool committed = when == When::kAfter;
    CHECK(take(store->lease("order", 10)) == (committed ? IdRange{21, 31} : IdRange{11, 21}));
  }
}

// Another process wrote the same value for a lease of its own.
TEST_CASE("a value that this process wanted to write is not taken for its own", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  const auto other = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  etcd.on_next_write(When::kBefore, [](Data&) { return "close"; });
  CHECK_FALSE(store->lease("order", 10).ok());
  CHECK(take(other->lease("order", 10)) == IdRange{11, 21});
  CHECK(take(store->lease("order", 10)) == IdRange{21, 31});
}

// max_id is as it was, but others have leased ids, and given them back, in between.
TEST_CASE("a key that was changed and changed back is another one", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  const std::string value = etcd.get(kOrder);
  etcd.put(kOrder, R"({"max_id":500,"step":10})");
  etcd.put(kOrder, value);
  const std::size_t before = etcd.requests();
  CHECK(take(store->lease("order", 10)) == IdRange{11, 21});
  CHECK(etcd.requests() == before + 2);
}

TEST_CASE("a refusal that leaves open what was done is not repeated", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  for (const auto& [status, code] : {std::pair<int, int>(503, 14), {504, 4}, {429, 8}, {500, 2}}) {
    const int before = etcd.writes();
    etcd.on_next_write(When::kAfter, [status = status, code = code](Data&) {
      return FakeEtcd::refusal(status, code, "etcdserver: request timed out");
    });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kUnavailable);
    CHECK(etcd.writes() == before + 1);
  }
  CHECK(take(store->lease("order", 10)) == IdRange{51, 61});
}

TEST_CASE("a login that has expired is made again, and the transaction with it", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.require_token("one.1");
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const std::string rest = etcd.url().substr(7);
  const auto store = open("etcd://u:right@" + rest);
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  etcd.require_token("two.2");
  CHECK(take(store->lease("order", 10)) == IdRange{11, 21});
  const Status wrong = open("etcd://u:wr0ng@" + rest)->lease("order", 10).status();
  INFO(wrong);
  CHECK(wrong.code() == StatusCode::kFailedPrecondition);
  CHECK(wrong.message().find("wr0ng") == std::string::npos);
  CHECK(open(etcd.url())->lease("order", 10).status().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a restored snapshot is noticed by a process that knows what came after it",
          "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  CHECK(take(store->lease("order", 10)) == IdRange{1, 11});
  const Data snapshot = etcd.with([](Data& data) { return data; });
  CHECK(take(store->lease("order", 10)) == IdRange{11, 21});
  const auto knows = store->changes(-1);
  REQUIRE(knows.ok());

  SECTION("into the same cluster: its revision went back") {
    etcd.with([&](Data& data) { data = snapshot; });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kDataLoss);
    CHECK(store->changes(knows->version).status().code() == StatusCode::kDataLoss);
    CHECK(take(open(etcd.url())->lease("order", 10)) == IdRange{11, 21});  // it cannot know
  }
  SECTION("with a revision that was raised: the key's went back") {
    etcd.with([&](Data& data) {
      data = snapshot;
      data.revision += 1000000;
    });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kDataLoss);
  }
  SECTION("into a new cluster: also by a fresh process, until an operator says so") {
    etcd.with([&](Data& data) {
      data = snapshot;
      data.cluster = "202";
    });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kDataLoss);
    const auto fresh = open(etcd.url());
    for (const Status& refused : {fresh->lease("order", 10).status(), fresh->probe(),
                                  fresh->give_back("order", {1, 11}).status()}) {
      INFO(refused);
      CHECK(refused.code() == StatusCode::kDataLoss);
      CHECK(refused.message().find("delete the key /x/cluster") != std::string::npos);
    }
    // The operator's steps work meanwhile.
    CHECK(fresh->list()->size() == 1);
    CHECK(fresh->advance("order", 1000, "op").ok());
    etcd.with([](Data& data) { data.keys.erase("/x/cluster"); });
    CHECK(take(fresh->lease("order", 10)) == IdRange{1001, 1011});
    CHECK(etcd.get("/x/cluster") == "202");
  }
}

TEST_CASE("two clusters in one URL are noticed", "[etcd_store]") {
  FakeEtcd first;
  FakeEtcd second;
  second.with([](Data& data) { data.cluster = "202"; });
  for (FakeEtcd* each : {&first, &second}) each->put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open("etcd://127.0.0.1:" + std::to_string(first.port()) +
                          ",127.0.0.1:" + std::to_string(second.port()) + "/x");
  REQUIRE(store->find("order").ok());
  FakeEtcd& used = first.requests() > 0 ? first : second;
  used.on_next_write(When::kBefore, [](Data&) { return "close"; });
  static_cast<void>(store->lease("order", 10));
  used.set_healthy(false);
  CHECK(store->lease("order", 10).status().code() == StatusCode::kDataLoss);
}

TEST_CASE("a member that is not healthy is passed over before anything is sent", "[etcd_store]") {
  FakeEtcd good;
  good.put(kOrder, R"({"max_id":0,"step":10})");
  FakeEtcd bad;
  bad.set_healthy(false);
  for (int i = 0; i < 4; ++i) {
    const auto store = open("etcd://127.0.0.1:" + std::to_string(bad.port()) +
                            ",127.0.0.1:" + std::to_string(good.port()) +
                            ",127.0.0.1:" + std::to_string(test::free_port()) + "/x");
    CHECK(store->lease("order", 10).ok());
  }
}

TEST_CASE("a lease that a learner refuses goes to the next member", "[etcd_store]") {
  FakeEtcd good;
  good.put(kOrder, R"({"max_id":0,"step":10})");
  FakeEtcd learner;
  const auto refuse = [](Data&) {
    return FakeEtcd::refusal(503, 14, "etcdserver: rpc not supported for learner");
  };
  for (int i = 0; i < 4; ++i) {  // each begins with one of them at random
    const auto store = open("etcd://127.0.0.1:" + std::to_string(learner.port()) +
                            ",127.0.0.1:" + std::to_string(good.port()) + "/x");
    learner.with([&](Data& data) { good.with([&](Data& g) { data = g; }); });
    REQUIRE(store->find("order").ok());
    learner.on_next_write(When::kBefore, refuse);
    CHECK(take(store->lease("order", 10)).first == 1 + 10 * i);
  }
}

TEST_CASE("a value that is no row stops only its tag", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, "12000");
  etcd.put("/x/tags/user", R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  const Status refused = store->lease("order", 10).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(refused.message().find(kOrder) != std::string::npos);
  CHECK(take(store->lease("user", 10)) == IdRange{1, 11});
  CHECK(store->list()->size() == 1);
}

TEST_CASE("without the time of the members there is no time floor", "[etcd_store]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10,"floor":{"rate":1000}})");
  const auto store = open(etcd.url());
  const Status refused = store->lease("order", 1).status();  // the fake's date may be far from ours
  INFO(refused);
  const bool follows = refused.ok() || refused.code() == StatusCode::kFailedPrecondition;
  CHECK(follows);
  CHECK(store->find("order")->read_at.time_since_epoch() >= std::chrono::seconds(1796017549));
}

TEST_CASE("init makes what is missing, once", "[etcd_store]") {
  FakeEtcd etcd;
  std::vector<std::string> made;
  REQUIRE(init_etcd_store(etcd.url(), test::patient_etcd(), &made).ok());
  CHECK(made == std::vector<std::string>{"health", "order", "user"});
  const auto store = open(etcd.url());
  CHECK(take(store->lease("order", 5)) == IdRange{1, 6});
  REQUIRE(store->remove("user").ok());
  made.clear();
  REQUIRE(init_etcd_store(etcd.url(), test::patient_etcd(), &made).ok());
  CHECK(made.empty());
  CHECK(store->find("user").status().code() == StatusCode::kNotFound);
  CHECK(store->identity()->name.size() == 32);
}

TEST_CASE("a URL or an option that cannot be used is refused", "[etcd_store]") {
  CHECK(open_etcd_store("etcd://a").status().code() == StatusCode::kInvalidArgument);
  CHECK(open_etcd_store("etcds://a/x?ca=/none").status().code() == StatusCode::kInvalidArgument);
  EtcdStoreOptions options;
  options.call_timeout = std::chrono::milliseconds(99);
  CHECK(open_etcd_store("etcd://a/x", options).status().code() == StatusCode::kInvalidArgument);
  options.call_timeout = options.connect_timeout = std::chrono::milliseconds(100);
  CHECK(open_etcd_store("etcd://a/x", options).ok());
  options.connect_timeout = std::chrono::milliseconds(101);
  CHECK(open_etcd_store("etcd://a/x", options).status().code() == StatusCode::kInvalidArgument);
}

}  // namespace featherid
