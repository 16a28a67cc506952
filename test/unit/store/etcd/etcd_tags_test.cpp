// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_tags.h"

#include <nlohmann/json.hpp>
#include <string>

#include "test/support/catch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;

struct Fixture {
  FakeEtcd etcd;
  EtcdRows rows{*parse_etcd_url(etcd.url()), test::patient_etcd()};
  EtcdTags tags{rows};
  nlohmann::json order() { return nlohmann::json::parse(etcd.get("/x/tags/order")); }
};

}  // namespace

TEST_CASE("a tag that was removed begins past its ids", "[etcd_tags]") {
  Fixture f;
  REQUIRE(f.tags.create("order", NewTag(10)).ok());
  CHECK(f.tags.create("order", NewTag(10)).code() == StatusCode::kAlreadyExists);
  CHECK(f.tags.advance("order", 500, "ann").ok());
  CHECK(f.order()["changed_by"] == "ann");
  REQUIRE(f.tags.remove("order", "ann").ok());
  CHECK_FALSE(f.order().contains("max_id"));
  CHECK(f.tags.find("order").status().code() == StatusCode::kNotFound);
  CHECK(f.tags.list({})->empty());
  REQUIRE(f.tags.create("order", NewTag(10)).ok());
  CHECK(f.tags.find("order")->max_id >= 500);
}

TEST_CASE("each change of a tag has a number, and one that changes nothing has none",
          "[etcd_tags]") {
  Fixture f;
  REQUIRE(f.tags.create("order", NewTag(10)).ok());
  CHECK(f.order()["change"] == 1);
  TagChange cap;
  cap.cap = 99;
  REQUIRE(f.tags.update("order", cap).ok());
  CHECK(f.order()["change"] == 2);
  CHECK(f.tags.find("order")->cap == 99);
  REQUIRE(f.tags.advance("order", 0, "ann").ok());
  CHECK(f.order()["change"] == 2);
  REQUIRE(f.tags.advance("order", 50, "").ok());
  CHECK(f.order()["change"] == 2);
  cap.cap = 49;
  CHECK(f.tags.update("order", cap).code() == StatusCode::kInvalidArgument);
  CHECK(*f.tags.rewind("order", 50, 20, "ann"));
  CHECK_FALSE(*f.tags.rewind("order", 50, 20, "ann"));
  CHECK(f.order()["recalled"] == 3);
}

TEST_CASE("members that this version does not know stay", "[etcd_tags]") {
  Fixture f;
  f.etcd.put("/x/tags/order", R"({"max_id":0,"step":10,"later":{"a":1}})");
  REQUIRE(f.tags.update("order", TagChange(20)).ok());
  CHECK(f.order()["later"]["a"] == 1);
  REQUIRE(f.tags.remove("order", "").ok());
  CHECK(f.order()["later"]["a"] == 1);
}

}  // namespace featherid
