// SPDX-License-Identifier: MIT
// Administration of tags over HTTP, beside servers that use them.
#include <httplib.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/mariadb_server.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

// An administrator's program.
class Admin {
 public:
  explicit Admin(const ServerProcess& server, std::string token = "")
      : port_(server.port()), token_(std::move(token)) {}

  Answer call(const std::string& method, const std::string& target,
              const std::string& body = "") const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(30);
    httplib::Request request;
    request.method = method;
    request.path = "/api/v1/" + target;
    request.body = body;
    if (!token_.empty()) request.set_header("Authorization", "Bearer " + token_);
    const httplib::Result result = client.send(request);
    if (!result) return {};
    return {result->status, nlohmann::json::parse(result->body, nullptr, false)};
  }
  // The data of a call that succeeds.
  nlohmann::json good(const std::string& method, const std::string& target) const {
    const Answer answer = call(method, target);
    CAPTURE(method, target, answer.body.dump());
    REQUIRE(answer.status == 200);
    return answer.body["data"];
  }
  std::int64_t max_id(const std::string& tag) const {
    return good("GET", "tag?biz_tag=" + tag)["max_id"];
  }

 private:
  const int port_;
  const std::string token_;
};

bool says(const Answer& answer, const std::string& part) {
  return answer.message().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a tag is created and capped, beside another server that uses it",
          "[e2e][databases][tags]") {
  const MariadbServer database;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", database.url(), "--init-schema"}).exit_code == 0);
  const ServerProcess server(scratch, {"--database", database.url()});
  const ServerProcess other(scratch, {"--database", database.url()});
  const Admin admin(server);
  const std::string id = "/api/v1/id?biz_tag=invoice";

  CHECK(other.get(id).code() == 4);
  CHECK(admin.good("POST", "tag?biz_tag=invoice&step=10&owner=ann")["created_by"] == "loopback");
  CHECK(server.id("invoice") == 1);
  CHECK(wait_until([&] { return other.get(id).status == 200; }));

  // A cap that is reached, and raised.
  const std::int64_t cap = admin.max_id("invoice") + 20;
  admin.good("PATCH", "tag?biz_tag=invoice&cap=" + std::to_string(cap));
  std::set<std::int64_t> ids;
  for (const ServerProcess* each : {&server, &other}) {
    Answer answer = each->get(id);
    for (; answer.status == 200; answer = each->get(id)) CHECK(ids.insert(answer.id()).second);
    CHECK(answer.status == 409);
    CHECK(answer.code() == 6);
    CHECK(says(answer, "its cap " + std::to_string(cap)));
  }
  CHECK(*ids.rbegin() == cap);
  CHECK(admin.call("PATCH", "tag?biz_tag=invoice&cap=" + std::to_string(cap - 1)).status == 400);
  admin.good("PATCH", "tag?biz_tag=invoice&cap=none");
  CHECK(wait_until([&] { return other.get(id).status == 200; }));
}

TEST_CASE(
    "a tag that is deleted is served by nobody within a minute, and continues if it is "
    "created again",
    "[e2e][databases][tags]") {
  const MariadbServer database;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", database.url(), "--init-schema"}).exit_code == 0);
  const ServerProcess server(scratch, {"--database", database.url()});
  const ServerProcess other(scratch, {"--database", database.url()});
  const Admin admin(server);
  const std::string id = "/api/v1/id?biz_tag=invoice";
  admin.good("POST", "tag?biz_tag=invoice&step=1000000");  // more than this test uses up
  CHECK(server.id("invoice") > 0);
  std::int64_t highest = other.id("invoice");
  const std::int64_t max_id = admin.good("DELETE", "tag?biz_tag=invoice")["max_id"];
  CHECK(max_id > highest);
  CHECK(wait_until(
      [&] {
        const Answer answer = other.get(id);
        if (answer.status == 200) highest = answer.id();
        return answer.code() == 4;
      },
      std::chrono::seconds(60)));
  CHECK(max_id > highest);  // it still held ids
  CHECK(admin.good("POST", "tag?biz_tag=invoice")["max_id"] >= max_id);
  CHECK(wait_until([&] { return other.get(id).status == 200; }));
  CHECK(other.id("invoice") > max_id);
}

TEST_CASE("two servers create a tag at once when it is asked for, and none too many",
          "[e2e][databases][tags]") {
  const MariadbServer database;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", database.url(), "--init-schema"}).exit_code == 0);
  const std::vector<std::string> flags = {"--database",
                                          database.url(),
                                          "--auto-create",
                                          "shop-*:50:int32 *:7",
                                          "--auto-create-tags-max",
                                          "13",
                                          "--request-timeout",
                                          "10s"};
  const ServerProcess servers[] = {ServerProcess(scratch, flags), ServerProcess(scratch, flags)};
  std::vector<std::set<std::int64_t>> ids(10);
  std::vector<std::thread> threads;
  std::vector<std::vector<Answer>> answers(2);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int tag = 0; tag < 10; ++tag) {
        answers[i].push_back(servers[i].get("/api/v1/id?biz_tag=shop-" + std::to_string(tag)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t tag = 0; tag < ids.size(); ++tag) {
    for (const std::vector<Answer>& each : answers) {
      CAPTURE(each[tag].body.dump());
      REQUIRE(each[tag].status == 200);
      CHECK(ids[tag].insert(each[tag].id()).second);
    }
  }
  const Admin admin(servers[0]);
  const nlohmann::json made = admin.good("GET", "tag?biz_tag=shop-3");
  CHECK(made["step"] == 50);
  CHECK(made["cap"] == 2147483647);
  CHECK(made["created_by"] == "auto-create");
  // The threads that write the logs may be behind.
  CHECK(wait_until([&] {
    return count_of(servers[0].output() + servers[1].output(), "auto-create made tag \"shop-") ==
           10;
  }));

  const Answer full = servers[1].get("/api/v1/id?biz_tag=one-more");
  CHECK(full.code() == 4);
  CHECK(says(full, "there are 13 tags already (auto-create-tags-max)"));
  admin.good("DELETE", "tag?biz_tag=shop-3");
  const Answer removed = servers[0].get("/api/v1/id?biz_tag=shop-3");
  // The server may hold ids of it for some seconds. Nobody creates it again.
  CHECK((removed.status == 200 || says(removed, "was removed") ||
         says(removed, "there are 13 tags already")));
  CHECK(admin.call("GET", "tag?biz_tag=shop-3").status == 404);
}

TEST_CASE("names of periods' rows are not created for those who ask for them", "[e2e][tags]") {
  const ScratchDir scratch;
  ServerProcess server(scratch, {"--auto-create", "*"});
  const Admin admin(server);
  admin.good("POST", "tag?biz_tag=invoice&period=year");
  const std::string year = server.get("/api/v1/id?biz_tag=invoice").body.at("period");
  const std::size_t tags = admin.good("GET", "tags").size();
  for (const std::string& name : {"invoice@" + year, std::string("invoice@2024"),
                                  std::string("shop@2026-11-29"), std::string("shop@2026-11")}) {
    CAPTURE(name);
    const Answer answer = server.get("/api/v1/id?biz_tag=" + name);
    CAPTURE(answer.body.dump());
    const bool of_invoice = name.compare(0, 8, "invoice@") == 0;
    CHECK(answer.status == (of_invoice ? 400 : 404));
    CHECK(says(answer, of_invoice ? "is a period of tag 'invoice'" : "is reserved"));
  }
  CHECK(admin.good("GET", "tags").size() == tags);
  CHECK(server.id("shop@2026-13") == 1);  // there is no such month
}

TEST_CASE("a token with the role read closes the server, and changes nothing", "[e2e][auth]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("tokens");
  // printf %s secret | sha256sum
  std::ofstream(file)
      << "ann admin sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"
         "shop read shop-token\n";
  ServerProcess server(scratch, {"--admin-token-file", file});
  const Admin ann(server, "secret");
  const Admin shop(server, "shop-token");
  const Admin stranger(server);
  for (const char* target : {"id?biz_tag=order", "id/batch?biz_tag=order&count=2", "tags",
                             "id/range?biz_tag=order&count=2", "tag?biz_tag=order", "log/level"}) {
    CAPTURE(target);
    CHECK(stranger.call("GET", target).status == 401);
    CHECK(Admin(server, "wrong").call("GET", target).status == 401);
    CHECK(shop.call("GET", target).status == 200);
    CHECK(ann.call("GET", target).status == 200);
  }
  for (const char* target : {"/", "/healthz", "/readyz", "/metrics", "/openapi.json"}) {
    CHECK(server.get(target).status == 200);
  }
  for (const auto& [method, target] : std::vector<std::pair<const char*, const char*>>{
           {"POST", "tag?biz_tag=new"},
           {"PATCH", "tag?biz_tag=order&step=7"},
           {"DELETE", "tag?biz_tag=order"},
           {"POST", "tag/advance?biz_tag=order&max_id=9000"},
           {"POST", "tag/rewind?biz_tag=order&confirm=order&max_id=0&from=1"},
           {"GET", "log/level?level=debug"}}) {
    CAPTURE(method, target);
    CHECK(stranger.call(method, target).status == 401);
    const Answer refused = shop.call(method, target);
    CHECK(refused.status == 403);
    CHECK(says(refused, "'shop' may only read"));
    const Answer with_body = ann.call(method, target, "step=7");
    CHECK(with_body.status == 415);
    CHECK(with_body.code() == 1);
  }
  CHECK(ann.good("GET", "tag?biz_tag=order")["step"] == 1000);
  CHECK(ann.good("PATCH", "tag?biz_tag=order&step=7")["changed_by"] == "ann");
  CHECK(server.says("\"ann\" changed tag {\"biz_tag\":\"order\""));

  std::ofstream(file) << "ann admin secret\n";  // open again
  server.process().signal(SIGHUP);
  CHECK(wait_until([&] { return stranger.call("GET", "id?biz_tag=order").status == 200; }));
  CHECK(shop.call("GET", "tags").status == 200);
  CHECK(shop.call("PATCH", "tag?biz_tag=order&step=8").status == 401);
}

}  // namespace featherid::test
