// SPDX-License-Identifier: MIT
#include "server/api/advance.h"

#include "test/support/catch.h"
#include "test/support/fault_store.h"

using namespace featherid;

namespace {
const char* const kWord = "--the-word";
}  // namespace

TEST_CASE("TAG=ID is split at the last '='", "[advance]") {
  const Result<Advance> plain = parse_advance("order=5000");
  REQUIRE(plain.ok());
  CHECK(plain->tag == "order");
  CHECK(plain->max_id == 5000);
  CHECK_FALSE(plain->allow_backward);
  CHECK(parse_advance("a=b=0")->tag == "a=b");
  CHECK(parse_advance("t=9223372036854775806")->max_id == kIdMax);
  for (const char* bad : {"", "order", "=5", "order=", "order=-1", "order=1x", "order= 1",
                          "order=9223372036854775807"}) {
    INFO(bad);
    CHECK(parse_advance(bad).status().code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("a tag moves forward, and moves back only with a second word", "[advance]") {
  test::FaultStore store;
  REQUIRE(store.create("order", 10).ok());
  CHECK(run_advance(store, {"order", 500, false}, kWord).value() == 0);
  CHECK(run_advance(store, {"order", 500, false}, kWord).value() == 500);
  const Status refused = run_advance(store, {"order", 100, false}, kWord).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK(refused.message().find("add --the-word") != std::string::npos);
  CHECK(refused.message().find("restart every process") != std::string::npos);
  CHECK(store.find("order")->max_id == 500);
  CHECK(run_advance(store, {"order", 100, true}, kWord).value() == 500);
  CHECK(store.find("order")->max_id == 100);
  CHECK(run_advance(store, {"order", 0, true}, kWord).value() == 100);
  CHECK(store.find("order")->max_id == 0);
  CHECK(run_advance(store, {"none", 5, false}, kWord).status().code() == StatusCode::kNotFound);
}

TEST_CASE("a tag is not moved back if ids are leased from it meanwhile", "[advance]") {
  test::FaultStore store;
  REQUIRE(store.create("order", 10).ok());
  REQUIRE(store.advance("order", 500).ok());
  store.on_rewind = [&](std::string_view tag, std::int64_t from, std::int64_t to) {
    CHECK(store.memory().lease(tag, 10).ok());
    return store.memory().rewind(tag, from, to);
  };
  CHECK(run_advance(store, {"order", 100, true}, kWord).status().code() ==
        StatusCode::kUnavailable);
  CHECK(store.find("order")->max_id == 510);
}

TEST_CASE("a tag past the last id can be moved back", "[advance]") {
  test::FaultStore store;
  store.memory().overwrite({"order", kIdMax + 1, 10});
  CHECK(run_advance(store, {"order", 100, true}, kWord).value() == kIdMax + 1);
  CHECK(store.find("order")->max_id == 100);
}
