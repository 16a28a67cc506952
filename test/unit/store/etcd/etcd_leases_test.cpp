// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_leases.h"

#include <string>

#include "test/support/catch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;

constexpr const char* kOrder = "/x/tags/order";

struct Fixture {
  FakeEtcd etcd;
  EtcdRows rows{*parse_etcd_url(etcd.url()), test::patient_etcd()};
  EtcdLeases leases{rows};
};

}  // namespace

TEST_CASE("a lease states the tag's key and the cluster", "[etcd_leases]") {
  Fixture f;
  CHECK(f.leases.lease("order", 10).status().code() == StatusCode::kNotFound);
  f.etcd.put(kOrder, R"({"max_id":41,"step":10})");
  CHECK(*f.leases.lease("order", 10) == IdRange{42, 52});
  CHECK(f.etcd.get(kOrder) == R"({"max_id":51,"step":10})");
  f.etcd.put("/x/cluster", "202");
  CHECK(f.leases.lease("order", 10).status().code() == StatusCode::kDataLoss);
  CHECK(f.etcd.get(kOrder) == R"({"max_id":51,"step":10})");
}

TEST_CASE("a tail goes back if it is the end of the series, and was not recalled",
          "[etcd_leases]") {
  Fixture f;
  f.etcd.put(kOrder, R"({"max_id":0,"step":10})");
  CHECK(*f.leases.lease("order", 10) == IdRange{1, 11});
  CHECK(*f.leases.give_back("order", {6, 11}, 0));
  CHECK_FALSE(*f.leases.give_back("order", {6, 11}, 0));
  CHECK(*f.leases.lease("order", 10) == IdRange{6, 16});
  f.etcd.put(kOrder, R"({"max_id":15,"step":10,"change":7,"recalled":7})");
  CHECK_FALSE(*f.leases.give_back("order", {11, 16}, 6));
  CHECK(*f.leases.give_back("order", {11, 16}, 7));
}

TEST_CASE("a value that no lease may begin from is refused", "[etcd_leases]") {
  for (const char* const value :
       {R"({"max_id":-1,"step":10})", R"({"max_id":9223372036854775807,"step":10})",
        R"({"max_id":0,"step":10,"cap":0})", R"({"max_id":4,"step":10,"removed_max_id":40})",
        R"({"max_id":1e3,"step":10})", R"({"max_id":"7","step":10})", "[]", "null", ""}) {
    CAPTURE(value);
    Fixture f;
    f.etcd.put(kOrder, value);
    const Status refused = f.leases.lease("order", 10).status();
    INFO(refused);
    CHECK_FALSE(refused.ok());
    CHECK(refused.code() != StatusCode::kUnavailable);
    CHECK(f.etcd.get(kOrder) == value);
  }
}

}  // namespace featherid
