// SPDX-License-Identifier: MIT
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "server/ops/ops_routes.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/patient.h"
#include "test/support/route_client.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;

struct Service {
  Service() {
    REQUIRE(store->create("order", 10).ok());
    add_ops_routes(router, readiness, metrics, calls, [this] { return draining; });
  }
  ~Service() { calls.join(); }

  Reply get(const std::string& target, milliseconds timeout = std::chrono::seconds(20)) const {
    return test::get(router, target, timeout);
  }

  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  SegmentAllocator allocator{store, test::patient()};
  StoreCalls calls;
  Readiness readiness{store, allocator, calls};
  Metrics metrics{10, [this] {
                    written_by = std::this_thread::get_id();
                    return MetricsSnapshot();
                  }};
  std::thread::id written_by;
  bool draining = false;
  Router router;
};

bool contains(const Reply& reply, const std::string& text) {
  return reply.body.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("readyz is ready if the store answers, and otherwise says why not", "[ops]") {
  Service service;
  SECTION("it answers") {
    CHECK(service.get("/readyz").status == 200);
    CHECK(contains(service.get("/metrics"), "featherid_store_up 1\n"));
  }
  SECTION("it fails") {
    service.store->on_probe = [] { return Status(StatusCode::kUnavailable, "it is \"down\""); };
    const Reply reply = service.get("/readyz");
    CHECK(reply.status == 503);
    CHECK(contains(reply, R"("msg":"not ready: it is \"down\"")"));
    CHECK(test::header_of(reply, "Retry-After") == "1");
    CHECK(contains(service.get("/metrics"), "featherid_store_up 0\n"));
  }
  CHECK(service.get("/healthz").status == 200);
  CHECK(service.get("/").status == 200);
}

TEST_CASE("the store's answer counts, however late the request that waited for it runs again",
          "[ops]") {
  const Service service;
  HttpRequest request;
  request.method = "GET";
  request.path = "/readyz";
  const Status down(StatusCode::kUnavailable, "it is down");
  for (const Status& answer : {Status(), down}) {
    Exchange exchange(request, true,
                      {Exchange::Clock::now() + milliseconds(60000), false, answer, true});
    service.router.serve(exchange);
    CHECK_FALSE(exchange.parked());
    CHECK(exchange.reply.status == (answer.ok() ? 200 : 503));
    CHECK(contains(exchange.reply, answer.message()));
  }
}

TEST_CASE("ids in memory are enough to be ready at once while a store hangs", "[ops]") {
  std::promise<void> gate;
  const std::shared_future<void> opened = gate.get_future().share();
  Service service;
  const bool holds_ids = GENERATE(false, true);
  if (holds_ids) REQUIRE(service.allocator.next_id("order").ok());
  service.store->on_probe = [opened] {
    opened.wait();
    return Status();
  };
  const Reply reply = service.get("/readyz", milliseconds(holds_ids ? 60000 : 50));
  CHECK(reply.status == (holds_ids ? 200 : 503));
  CHECK(contains(reply, holds_ids ? R"("ready")" : "has not answered in time"));
  CHECK(service.get("/healthz").status == 200);
  gate.set_value();
}

TEST_CASE("a server that drains is not ready, whatever ids it holds", "[ops]") {
  Service service;
  REQUIRE(service.allocator.next_id("order").ok());
  service.draining = true;
  const Reply reply = service.get("/readyz");
  CHECK(reply.status == 503);
  CHECK(contains(reply, "the server is stopping"));
  CHECK(service.get("/healthz").status == 200);
}

TEST_CASE("no event loop writes the metrics", "[ops]") {
  const Service service;
  CHECK(service.get("/metrics").status == 200);
  CHECK(service.written_by != std::thread::id());
  CHECK(service.written_by != std::this_thread::get_id());
}

}  // namespace featherid
