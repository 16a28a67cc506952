// SPDX-License-Identifier: MIT
#include "server/console/status_routes.h"

#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/console/page_routes.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/patient.h"
#include "test/support/route_client.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

using nlohmann::json;
using test::wait_until;

struct Service {
  explicit Service(std::size_t sampled_tags = 10) : watch(allocator, sampled_tags) {
    for (const char* tag : {"order", "user"}) REQUIRE(store->create(tag, 1000).ok());
    add_status_routes(
        router, {watch, readiness, *store, "mysql://ids:***@db/ids", [this] { return draining; },
                 [](const Exchange& e) { return e.peer_is_loopback; },
                 [] {
                   return std::vector<LogLine>{{{}, spdlog::level::warn, "login of 'amy' refused"}};
                 }});
    add_page_routes(router);
  }
  ~Service() {
    watch.stop();
    calls.stop();
    allocator.shutdown();
    calls.join();
  }

  Reply ask(const std::string& target) const {
    return test::get(router, target, std::chrono::seconds(30));
  }
  json data(const std::string& target) const {
    const Reply reply = ask(target);
    CAPTURE(target, reply.body);
    REQUIRE(reply.status == 200);
    return json::parse(reply.body)["data"];
  }

  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  SegmentAllocator allocator{store, test::patient()};
  StoreCalls calls;
  Readiness readiness{store, allocator, calls};
  TagWatch watch;
  bool draining = false;
  Router router;
};

}  // namespace

TEST_CASE("the status of an idle server", "[status_routes]") {
  const Service service;
  const json status = service.data("/api/v1/status");
  CHECK(status["ready"] == true);
  CHECK(status["tags"] == 0);
  CHECK(status["worst_tag"].is_null());
  CHECK(status["survivable_seconds"].is_null());
  CHECK(status["store"]["address"] == "mysql://ids:***@db/ids");
  CHECK(status["store"]["leader"].is_null());
  CHECK(status["may_change"] == true);
  CHECK(status["samples"]["every_seconds"] == 10);
}

TEST_CASE("the status names the tag that runs out first", "[status_routes]") {
  Service service;
  REQUIRE(service.allocator.next_range("order", 400).ok());
  REQUIRE(service.allocator.next_range("user", 900).ok());
  const json status = service.data("/api/v1/status?as=string");
  CHECK(status["tags"] == 2);
  CHECK(status["worst_tag"].is_string());
  CHECK(status["survivable_seconds"].is_number());
  CHECK(status["held"].is_string());
}

TEST_CASE("a store that fails or is silent is not up, and the call does not wait for it",
          "[status_routes]") {
  Service service;
  std::promise<void> end;
  std::shared_future<void> ended = end.get_future().share();
  const bool silent = GENERATE(false, true);
  service.store->on_probe = [silent, ended] {
    if (silent) ended.wait();
    return Status(StatusCode::kUnavailable, "it is down");
  };
  CHECK(wait_until([&] { return service.data("/api/v1/status")["store"]["up"] == false; }));
  const json status = service.data("/api/v1/status");
  CHECK(status["ready"] == false);
  const std::string why = status["not_ready_because"];
  CHECK(why.find(silent ? "no answer for " : "it is down") == 0);
  end.set_value();
}

TEST_CASE("only a client that may make changes sees log lines", "[status_routes]") {
  const Service service;
  const std::string target = "/api/v1/status";
  const json local = json::parse(service.ask(target).body)["data"];
  CHECK(local["warnings"].back()["text"] == "login of 'amy' refused");
  const Reply far = test::get(service.router, target, std::chrono::seconds(30), false);
  CHECK(json::parse(far.body)["data"]["may_change"] == false);
  CHECK(json::parse(far.body)["data"]["warnings"].empty());
}

TEST_CASE("a server that stops is not ready", "[status_routes]") {
  Service service;
  service.draining = true;
  CHECK(service.data("/api/v1/status")["not_ready_because"] == "the server is stopping");
}

TEST_CASE("each tag has its figures, and ids as they are asked for", "[status_routes]") {
  Service service;
  REQUIRE(service.allocator.next_range("user", 3).ok());
  REQUIRE(service.allocator.next_id("order").ok());
  const json numbers = service.data("/api/v1/status/tags");
  REQUIRE(numbers.size() == 2);
  CHECK(numbers[0]["biz_tag"] == "order");
  CHECK(numbers[1]["biz_tag"] == "user");
  CHECK(numbers[1]["issued"] == 3);
  CHECK(numbers[1]["held"] == 997);
  CHECK(numbers[1]["max_id"] == 1000);
  CHECK(numbers[1]["cap"].is_null());
  CHECK(numbers[1]["state"] == "ok");
  const json texts = service.data("/api/v1/status/tags?as=string");
  CHECK(texts[1]["issued"] == "3");
  CHECK(texts[1]["max_id"] == "1000");
}

TEST_CASE("one tag, with its samples if it has any", "[status_routes]") {
  Service kept(1);
  REQUIRE(kept.allocator.next_id("order").ok());
  const json one = kept.data("/api/v1/status/tag?biz_tag=order");
  CHECK(one["tag"]["biz_tag"] == "order");
  CHECK(one["samples"]["held"].is_array());
  CHECK(kept.data("/api/v1/status/tag?biz_tag=user")["tag"].is_null());
  CHECK(kept.ask("/api/v1/status/tag").status == 400);
  CHECK(kept.ask("/api/v1/status/tag?biz_tag=%0a").status == 400);
  Service dropped(0);
  REQUIRE(dropped.allocator.next_id("order").ok());
  CHECK(dropped.data("/api/v1/status/tag?biz_tag=order")["samples"].is_null());
}

TEST_CASE("a name that is hostile to JSON stays a name", "[status_routes]") {
  Service service;
  const std::string name = R"("><script>\u0000</script>)";
  REQUIRE(service.store->create(name, 1000).ok());
  REQUIRE(service.allocator.next_id(name).ok());
  CHECK(service.data("/api/v1/status/tags")[0]["biz_tag"] == name);
}

TEST_CASE("a wrong 'as' is refused", "[status_routes]") {
  const Service service;
  for (const char* path :
       {"/api/v1/status?", "/api/v1/status/tags?", "/api/v1/status/tag?biz_tag=order&"}) {
    CAPTURE(path);
    CHECK(service.ask(std::string(path) + "as=text").status == 400);
  }
}

TEST_CASE("a watch that has stopped is answered at once", "[status_routes]") {
  Service service;
  service.watch.stop();
  CHECK(service.ask("/api/v1/status").status == 503);
}

TEST_CASE("the pages come with a strict policy", "[page_routes]") {
  const Service service;
  for (const PageFile& file : page_files()) {
    const std::string name = file.name;
    CAPTURE(name);
    const Reply reply = service.ask("/console/" + (name == "index.html" ? "" : name));
    CHECK(reply.status == 200);
    CHECK(reply.body == file.content);
    CHECK_FALSE(reply.body.empty());
    const std::string policy = test::header_of(reply, "Content-Security-Policy");
    CHECK(policy.find("default-src 'none'") == 0);
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(test::header_of(reply, "X-Content-Type-Options") == "nosniff");
    CHECK(test::header_of(reply, "Referrer-Policy") == "no-referrer");
  }
  const Reply moved = service.ask("/console");
  CHECK(moved.status == 308);
  CHECK(test::header_of(moved, "Location") == "/console/");
  CHECK(service.ask("/console/none.js").status == 404);
}

}  // namespace featherid
