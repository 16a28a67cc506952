// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <thread>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "server/api/id_routes.h"
#include "server/http/router.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/route_client.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;

// The id routes and a client.
struct Client {
  explicit Client(const std::shared_ptr<Store>& store, milliseconds wait = std::chrono::seconds(30))
      : wait_timeout(wait), allocator(store, options(wait)), texts(store, calls, {}) {
    add_id_routes(router, {allocator, texts}, 1000);
  }
  ~Client() { calls.join(); }

  static AllocatorOptions options(milliseconds wait_timeout) {
    AllocatorOptions options;
    options.wait_timeout = wait_timeout;
    return options;
  }

  Reply get(const std::string& query) { return call("?" + query); }
  Reply call(const std::string& rest) {
    return test::get(router, "/api/v1/id" + rest, wait_timeout);
  }

  const milliseconds wait_timeout;
  Router router;
  SegmentAllocator allocator;
  StoreCalls calls;
  TagTexts texts;
};

bool has_code(const Reply& reply, int code) {
  return reply.body.find("{\"code\":" + std::to_string(code) + ",") == 0;
}

Status answer_of(StatusCode code) { return {code, "the store's words"}; }

}  // namespace

TEST_CASE("each error of a tag has its status and code", "[routes]") {
  struct Case {
    StatusCode code;
    int status;
    int api_code;
  };
  const auto bad =
      GENERATE(Case{StatusCode::kNotFound, 404, 4}, Case{StatusCode::kExhausted, 409, 6},
               Case{StatusCode::kDataLoss, 409, 6});
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  store->on_lease = [bad](std::string_view, std::int64_t) { return answer_of(bad.code); };
  Client client(store);
  const Reply reply = client.get("biz_tag=order");
  INFO(reply.body);
  CHECK(reply.status == bad.status);
  CHECK(has_code(reply, bad.api_code));
}

TEST_CASE("a wait for a store that fails or hangs ends with the store's message", "[routes]") {
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  store->on_lease = [](std::string_view, std::int64_t) {
    return answer_of(StatusCode::kUnavailable);
  };
  Client client(store, milliseconds(100));
  CHECK(test::wait_until([&] {  // the first waits may end before the store answers
    const Reply reply = client.get("biz_tag=order");
    CHECK((reply.status == 503 || reply.status == 504));
    CHECK(has_code(reply, 2));
    return reply.body.find("the store's words") != std::string::npos;
  }));
}

TEST_CASE("the calls for a tag of strict order get exactly their own ids", "[routes][strict]") {
  const auto store = std::make_shared<test::FaultStore>();
  NewTag strict(1000);
  strict.options.order = TagOrder::kStrict;
  REQUIRE(store->create("order", strict).ok());
  Client one(store);
  Client other(store);
  const auto data_of = [](const Reply& reply) {
    return reply.body.substr(reply.body.find("data"));
  };
  CHECK(data_of(one.get("biz_tag=order")) == "data\":1}");
  CHECK(data_of(other.call("/batch?biz_tag=order&count=3")) == "data\":[2,3,4]}");
  CHECK(data_of(one.call("/range?biz_tag=order&count=9")) == R"(data":[{"first":5,"last":13}]})");
  CHECK(data_of(other.get("biz_tag=order&as=string")) == "data\":\"14\"}");
  CHECK(store->memory().find("order")->max_id == 14);
  CHECK(one.allocator.shutdown() == 0);
  CHECK(store->memory().find("order")->max_id == 14);
}

TEST_CASE("answers with ids of a tag with periods name the period, from the first on",
          "[routes][period]") {
  WallTime now = begin_of({PeriodKind::kDay, 0}, {2026, 11, 29}) + std::chrono::hours(10);
  const auto store = std::make_shared<MemoryStore>([&now] { return now; });
  NewTag made(10);
  made.options.period = {PeriodKind::kDay, 0};
  made.options.format = "{year}{month}{day}-{id width=4}";
  REQUIRE(store->create("invoice", made).ok());
  Client client(store);
  CHECK(client.get("biz_tag=invoice").body ==
        R"({"code":0,"msg":"success","data":1,"period":"2026-11-29"})");
  CHECK(client.get("biz_tag=invoice&as=string").body ==
        R"({"code":0,"msg":"success","data":"2","period":"2026-11-29"})");
  CHECK(client.get("biz_tag=invoice&as=text").body ==
        R"({"code":0,"msg":"success","data":"20261129-0003","period":"2026-11-29"})");
  CHECK(client.call("/batch?biz_tag=invoice&count=2&as=text").body ==
        R"({"code":0,"msg":"success","data":["20261129-0004","20261129-0005"],)"
        R"("period":"2026-11-29"})");
  CHECK(client.call("/range?biz_tag=invoice&count=100").body.find(R"(,"period":"2026-11-29"})") !=
        std::string::npos);
  CHECK(client.call("/parse?biz_tag=invoice&text=20261129-0004").body ==
        R"({"code":0,"msg":"success","data":4,"period":"2026-11-29"})");
  Client other(store);
  CHECK(other.call("/batch?biz_tag=invoice&count=2").body.find("2026-11-29") != std::string::npos);
}

TEST_CASE("the name of a period is a mistake in the request", "[routes][period]") {
  const auto store = std::make_shared<MemoryStore>();
  NewTag made(10);
  made.options.period = {PeriodKind::kDay, 0};
  REQUIRE(store->create("invoice", made).ok());
  Client client(store);
  for (const char* call : {"?", "/batch?count=2&", "/range?count=2&"}) {
    const Reply reply = client.call(call + std::string("biz_tag=invoice@2026-11-29"));
    CHECK(reply.status == 400);
    CHECK(has_code(reply, 1));
    CHECK(reply.body.find("is a period of tag 'invoice'; use 'invoice' instead") !=
          std::string::npos);
  }
}

TEST_CASE("an allocator that was shut down answers 503", "[routes]") {
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  Client client(store);
  CHECK(client.get("biz_tag=order").status == 200);
  client.allocator.shutdown();
  const Reply reply = client.get("biz_tag=order");
  CHECK(reply.status == 503);
  CHECK(has_code(reply, 2));
  CHECK(test::header_of(reply, "Retry-After") == "1");
}

TEST_CASE("a batch counts correctly over every carry, as numbers and as strings", "[routes]") {
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 100000).ok());
  Client client(store);
  std::int64_t next = 1;
  const auto expected = [&next](const std::string& quote) {
    std::string body = R"({"code":0,"msg":"success","data":[)";
    for (int i = 0; i < 1000; ++i) {
      body += (i == 0 ? "" : ",") + quote + std::to_string(next++) + quote;
    }
    return body + "]}";
  };
  for (int batch = 0; batch < 6; ++batch) {
    CHECK(client.call("/batch?biz_tag=order&count=1000").body == expected(""));
    CHECK(client.call("/batch?biz_tag=order&count=1000&as=string").body == expected("\""));
  }
}

TEST_CASE("the first answer of a tag with periods may be a text", "[routes][period]") {
  const auto store = std::make_shared<test::FaultStore>();
  NewTag made(10);
  made.options.period = {PeriodKind::kYear, 0};
  made.options.format = "{year}-{id}";
  REQUIRE(store->create("invoice", made).ok());
  store->on_find = [memory = &store->memory()](std::string_view tag) {
    std::this_thread::sleep_for(milliseconds(50));  // so that the request waits for the row
    return memory->find(tag);
  };
  Client client(store);
  const bool batch = GENERATE(false, true);
  const Reply reply =
      client.call(batch ? "/batch?biz_tag=invoice&count=1&as=text" : "?biz_tag=invoice&as=text");
  INFO(reply.body);
  CHECK(reply.status == 200);
  CHECK(reply.body.find("-1\"") != std::string::npos);
  CHECK(reply.body.find(R"("period":")") != std::string::npos);
}

TEST_CASE("as=text writes ids as the tag's format says, and parse reads them", "[routes]") {
  const auto store = std::make_shared<MemoryStore>();
  NewTag made(10);
  made.options.format = "INV-{id width=4}-{check damm}";
  REQUIRE(store->create("invoice", made).ok());
  REQUIRE(store->create("order", 10).ok());
  Client client(store);
  CHECK(client.get("biz_tag=invoice&as=text").body ==
        R"({"code":0,"msg":"success","data":"INV-0001-3"})");
  CHECK(client.get("biz_tag=invoice").body == R"({"code":0,"msg":"success","data":2})");
  CHECK(client.call("/batch?biz_tag=invoice&count=2&as=text").body ==
        R"({"code":0,"msg":"success","data":["INV-0003-7","INV-0004-5"]})");
  CHECK(client.get("biz_tag=order&as=text").body == R"({"code":0,"msg":"success","data":"1"})");

  CHECK(client.call("/parse?biz_tag=invoice&text=INV-0003-7").body ==
        R"({"code":0,"msg":"success","data":3})");
  CHECK(client.call("/parse?biz_tag=invoice&text=INV-0003-7&as=string").body ==
        R"({"code":0,"msg":"success","data":"3"})");
  for (const char* wrong : {"INV-0003-8", "INV-0030-7", "0003", ""}) {
    const Reply reply = client.call(std::string("/parse?biz_tag=invoice&text=") + wrong);
    CHECK(reply.status == 400);
    CHECK(has_code(reply, 1));
  }
  CHECK(client.call("/parse?biz_tag=invoice").status == 400);
  CHECK(client.call("/parse?text=1").status == 400);
  CHECK(client.call("/parse?biz_tag=nothing&text=1").status == 404);
  CHECK(client.get("biz_tag=nothing&as=text").status == 404);
  CHECK(client.call("/range?biz_tag=order&count=2&as=text").status == 400);
  CHECK(client.get("biz_tag=order&as=words").status == 400);
}

}  // namespace featherid
