// SPDX-License-Identifier: MIT
#include "server/api/lease_routes.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/route_service.h"
#include "test/support/wait_until.h"

namespace featherid {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

// The lease calls of a server, on a store in memory.
struct Service : test::RouteService {
  explicit Service(Router::Permits permits = [](Exchange&, Effect) { return true; })
      : RouteService("/api/v1/lease", std::move(permits)) {
    add_lease_routes(router, leases, calls);
    REQUIRE(store->create("order", 1000).ok());
  }
  ~Service() { calls.join(); }

  std::int64_t max_id() const { return store->memory().find("order")->max_id; }

  Leases leases{store, 1000000};
};

}  // namespace

TEST_CASE("by HTTP a range is leased, and its end goes back", "[lease_routes]") {
  const Service service;
  const json leased = service.good("POST", "?biz_tag=order&count=500");
  CHECK(leased["first"] == 1);
  CHECK(leased["last"] == 500);
  CHECK(leased["store"].get<std::string>().size() == 32);
  CHECK(leased["term"] == "0");
  const std::string receipt = leased["receipt"];
  const std::string target = "/give_back?biz_tag=order&first=401&receipt=" + receipt;
  CHECK(service.good("POST", target) == json({{"given_back", true}, {"reason", nullptr}}));
  CHECK(service.max_id() == 400);
  const json again = service.good("POST", target);
  CHECK(again["given_back"] == false);
  CHECK(again["reason"].get<std::string>().find("was used before") != std::string::npos);
  const json quoted = service.good("POST", "?biz_tag=order&count=5&least=1&as=string");
  CHECK(quoted["first"] == "401");
  CHECK(quoted["last"] == "405");
}

TEST_CASE("an answer says for which call it is", "[lease_routes]") {
  const Service service;
  for (const auto& [method, target] :
       {std::pair<const char*, std::string>("POST", "?biz_tag=order&count=5&"),
        {"GET", "?"},
        {"GET", "/tag?biz_tag=order&"},
        {"GET", "/changes?"},
        {"POST", "/give_back?biz_tag=order&first=1&receipt=none&"}}) {
    CAPTURE(method, target);
    CHECK(service.good(method, target + "nonce=a%22b%E5%8F%B7")["nonce"] == "a\"b号");
    CHECK_FALSE(service.good(method, target + "nonce=").contains("nonce"));
  }
}

TEST_CASE("a caller that knows another store gets nothing", "[lease_routes]") {
  const Service service;
  const std::string store = service.good("GET", "")["store"];
  service.good("POST", "?biz_tag=order&count=5&store=" + store + "&term=0");
  for (const std::string& known : {std::string("store=another"), "store=" + store + "&term=1"}) {
    CHECK(service.code("POST", "?biz_tag=order&count=5&" + known) == "409 8");
    CHECK(service.code("GET", "?" + known) == "409 8");
    CHECK(service.code("GET", "/tag?biz_tag=order&" + known) == "409 8");
    CHECK(service.code("GET", "/changes?" + known) == "409 8");
  }
  CHECK(service.max_id() == 5);
}

TEST_CASE("the row and the changes of tags are those of the store", "[lease_routes]") {
  const Service service;
  CHECK(service.good("GET", "/tag?biz_tag=order") == json::parse(R"({"biz_tag":"order","max_id":0,
      "step":1000,"cap":null,"order":"plain","period":null,"period_offset":0,"floor":null,
      "read_at_ms":null})"));
  NewTag clocked(10);
  clocked.options = {"", "", kIdMax - 1, TagOrder::kStrict};
  clocked.options.floor = {1000, 1700000000, 20, true};
  REQUIRE(service.store->create("号", clocked).ok());
  const json row = service.good("GET", "/tag?biz_tag=%E5%8F%B7");
  CHECK(row["biz_tag"] == "号");
  CHECK(row["cap"] == kIdMax - 1);
  CHECK(row["order"] == "strict");
  CHECK(row["floor"] == json::parse(R"({"rate":1000,"epoch":1700000000,"lead_max":20,
      "lead_only_warns":true,"since_id":0})"));
  CHECK(row["read_at_ms"].get<std::int64_t>() > 1700000000000);

  const json changes = service.good("GET", "/changes?version=0");
  CHECK(changes["version"].get<std::int64_t>() == 2);
  CHECK(changes["limits"].size() == 1);  // strict: nobody may hold ids of it
  CHECK(changes["limits"][0] == json({{"biz_tag", "号"}, {"max_id", 0}}));
  CHECK(service.good("GET", "/changes")["limits"].empty());
}

TEST_CASE("missing, huge and negative parameters are refused, and lease nothing",
          "[lease_routes]") {
  const Service service;
  for (const char* query :
       {"", "?biz_tag=order", "?count=5", "?biz_tag=order&count=0", "?biz_tag=order&count=-1",
        "?biz_tag=order&count=1073741825", "?biz_tag=order&count=99999999999999999999",
        "?biz_tag=order&count=5x", "?biz_tag=order&count=", "?biz_tag=order&count=5&least=0",
        "?biz_tag=order&count=5&least=6", "?biz_tag=order&count=5&least=-9223372036854775808",
        "?biz_tag=order&count=5&term=-1", "?biz_tag=order&count=5&store=%0a",
        "?biz_tag=order&count=2000000&least=1000001", "?biz_tag=order&count=5&as=x",
        "?biz_tag=order&count=5&unknown=1", "?biz_tag=%20a&count=5"}) {
    CAPTURE(query);
    CHECK(service.code("POST", query) == "400 1");
  }
  for (const char* query :
       {"", "?biz_tag=order&first=1", "?biz_tag=order&receipt=x",
        "?biz_tag=order&first=0&receipt=x", "?biz_tag=order&first=-1&receipt=x",
        "?biz_tag=order&first=1&receipt=", "?biz_tag=order&first=9223372036854775807&receipt=x",
        "?biz_tag=order&first=1&receipt=x&applied=-1"}) {
    CAPTURE(query);
    CHECK(service.code("POST", std::string("/give_back") + query) == "400 1");
  }
  for (const char* query : {"?version=-2", "?version=x"}) {
    CHECK(service.code("GET", std::string("/changes") + query) == "400 1");
  }
  CHECK(service.max_id() == 0);
}

TEST_CASE("an error of the store has its own code", "[lease_routes]") {
  const Service service;
  CHECK(service.code("POST", "?biz_tag=none&count=5") == "404 4");
  for (const auto& [code, answer] :
       {std::pair<StatusCode, const char*>(StatusCode::kExhausted, "409 6"),
        {StatusCode::kDataLoss, "409 8"},
        {StatusCode::kFailedPrecondition, "503 9"},
        {StatusCode::kUnavailable, "503 2"}}) {
    service.store->on_lease = [code = code](std::string_view, std::int64_t) {
      return Result<IdRange>(Status(code, "the store's words"));
    };
    CHECK(service.code("POST", "?biz_tag=order&count=5") == answer);
  }
}

TEST_CASE("who may not lease gets nothing", "[lease_routes]") {
  const Service service([](Exchange& exchange, Effect effect) {
    CHECK(effect == Effect::kLeases);
    exchange.reply.fail(403, ApiCode::kNotAllowed, "no");
    return false;
  });
  for (const char* query : {"", "/tag?biz_tag=order", "/changes"}) {
    CHECK(service.code("GET", query) == "403 5");
  }
  CHECK(service.code("POST", "?biz_tag=order&count=5") == "403 5");
  CHECK(service.code("POST", "/give_back?biz_tag=order&first=1&receipt=x") == "403 5");
  CHECK(service.max_id() == 0);
}

TEST_CASE("a lease whose request has ended is not begun", "[lease_routes]") {
  test::Gate gate;
  std::atomic<int> begun{0};
  const Service service;
  service.store->on_lease = [&](std::string_view tag, std::int64_t most) {
    ++begun;
    gate.wait();
    return service.store->memory().lease(tag, most);
  };
  const auto ask_in_vain = [&] {
    const Reply late = service.ask("POST", "?biz_tag=order&count=5", milliseconds(20));
    CHECK(late.status == 503);
    CHECK(late.body.find("costs a gap") != std::string::npos);
  };
  // A thread that is slow to start may find that the request has ended.
  REQUIRE(test::wait_until([&] {
    if (begun < StoreCalls::kLeaseThreads) ask_in_vain();
    return begun == StoreCalls::kLeaseThreads;
  }));
  for (int i = 0; i < 2; ++i) ask_in_vain();
  gate.open();
  service.store->on_find = {};
  CHECK(service.good("GET", "/tag?biz_tag=order").is_object());
  CHECK(begun == StoreCalls::kLeaseThreads);
}

}  // namespace featherid
