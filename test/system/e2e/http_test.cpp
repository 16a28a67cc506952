// SPDX-License-Identifier: MIT
#include <httplib.h>

#include <optional>
#include <string>
#include <utility>

#include "test/support/catch.h"
#include "test/support/frozen.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

const std::string kHead = "Host: x\r\n\r\n";

int status_of(const std::string& answer) {
  return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
}

}  // namespace

TEST_CASE("one connection serves many requests", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  httplib::Client client("127.0.0.1", server.port());
  client.set_keep_alive(true);
  for (int i = 1; i <= 500; ++i) {
    const auto result = client.Get("/api/v1/id?biz_tag=order");
    REQUIRE(result);
    CHECK(nlohmann::json::parse(result->body)["data"] == i);
    CHECK(!result->has_header("Connection"));
    CHECK(!result->has_header("Keep-Alive"));
  }
}

TEST_CASE("pipelined requests are answered in order", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const RawClient client(server.port());
  constexpr int kRequests = 2000;
  std::string requests;
  for (int i = 0; i < kRequests - 1; ++i) {
    requests += i % 3 == 0 ? "GET /api/v1/id/range?biz_tag=user&count=1 HTTP/1.1\r\n" + kHead
                           : "GET /api/v1/id?biz_tag=user HTTP/1.1\r\n" + kHead;
  }
  requests += "GET /api/v1/id?biz_tag=user HTTP/1.1\r\nConnection: close\r\n" + kHead;
  client.send(requests);
  const std::optional<std::string> answers = client.read_to_end();
  REQUIRE(answers);
  std::int64_t last = 0;
  int count = 0;
  for (std::size_t at = answers->find("\"data\":"); at != std::string::npos;
       at = answers->find("\"data\":", at + 1)) {
    const std::int64_t id = std::stoll(answers->substr(answers->find_first_of("0123456789", at)));
    CHECK(id > last);
    last = id;
    ++count;
  }
  CHECK(count == kRequests);
}

TEST_CASE("a request may come a byte at a time", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const RawClient client(server.port());
  for (const char c : "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nConnection: close\r\n" + kHead) {
    client.send(std::string(1, c));
  }
  const auto answer = client.read_to_end();
  REQUIRE(answer);
  CHECK(answer->find("\"data\":1}") != std::string::npos);
}

TEST_CASE("what is not plain HTTP is refused with an answer", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string get = "GET /healthz HTTP/1.1\r\n";
  struct Case {
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {"\x16\x03\x01\x02\r\n", 400},
      {"GET /healthz\r\n\r\n", 400},
      {"GET  /healthz HTTP/1.1\r\n" + kHead, 400},
      {"GET healthz HTTP/1.1\r\n" + kHead, 400},
      {"GET ftp://x/healthz HTTP/1.1\r\n" + kHead, 400},
      {"GET http://u@x/healthz HTTP/1.1\r\n" + kHead, 400},
      {"GET /healthz HTTP/2.0\r\n" + kHead, 505},
      {"BREW /healthz HTTP/1.1\r\n" + kHead, 501},
      {"GET /healthz HTTP/1.1\n\n", 400},
      {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + kHead, 414},
      {get + "\r\n", 400},
      {get + "Host: a\r\nHost: b\r\n\r\n", 400},
      {get + "X: " + std::string(20000, 'x') + "\r\n" + kHead, 431},
      {get + "X : y\r\n" + kHead, 400},
      {get + " folded\r\n" + kHead, 400},
      {get + "Transfer-Encoding: chunked\r\n" + kHead + "0\r\n\r\n", 501},
      {get + "Content-Encoding: gzip\r\n" + kHead, 415},
      {get + "Content-Length: 1\r\nContent-Length: 1\r\n" + kHead + "x", 400},
      {get + "Content-Length: -1\r\n" + kHead, 400},
      {get + "Content-Length: 99999999999999999999\r\n" + kHead, 413},
      {get + "Content-Length: 20000\r\n" + kHead + std::string(20000, 'x'), 413},
      {"PUT /healthz HTTP/1.1\r\nConnection: close\r\n" + kHead, 405},
      {"POST /api/v1/id HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n" + kHead + "{}",
       405},
  };
  for (const Case& bad : cases) {
    INFO(bad.bytes.substr(0, 100));
    const RawClient client(server.port());
    client.send(bad.bytes);
    const auto answer = client.read_to_end();
    REQUIRE(answer);
    INFO(*answer);
    CHECK(status_of(*answer) == bad.status);
    CHECK(answer->find("Connection: close\r\n") != std::string::npos);
    CHECK(answer->find("{\"code\":1,") != std::string::npos);
  }
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("a target in absolute form is served as its path is", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--log-level", "debug"});
  const RawClient client(server.port());
  const std::string origin = "http://ids.example:8080";
  client.send("GET " + origin + "/api/v1/id?biz_tag=order HTTP/1.1\r\n" + kHead);
  CHECK(client.read_until("\"data\":1}"));
  client.send("GET /api/v1/id?biz_tag=order HTTP/1.1\r\n" + kHead);
  CHECK(client.read_until("\"data\":2}"));
  client.send("GET HTTPS://[::1]/api/v1/id/range?biz_tag=user&count=2 HTTP/1.1\r\n" + kHead);
  CHECK(client.read_until(R"("data":[{"first":1,"last":2}]})"));
  client.send("GET " + origin + "/nix HTTP/1.1\r\n" + kHead);
  CHECK(client.read_until("there is no such path"));
  client.send("GET " + origin + "/api/v1/id?biz_tag=order HTTP/1.0\r\n\r\n");
  CHECK(client.read_to_end().value_or("").find("\"data\":3}") != std::string::npos);
  // The log and the metrics name the path, however it was asked for.
  CHECK(server.says("GET /api/v1/id/range?biz_tag=user&count=2 status=200"));
  CHECK(server.output().find("ids.example") == std::string::npos);
  CHECK(httplib::Client("127.0.0.1", server.port())
            .Get("/metrics")
            ->body.find("featherid_http_requests_total{route=\"/api/v1/id\",status=\"200\"} 3\n") !=
        std::string::npos);
}

TEST_CASE("no answer may be kept by a cache", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--request-timeout", "100ms", "--max-connections", "1"});
  const auto check_not_kept = [](const std::optional<std::string>& answer) {
    REQUIRE(answer);
    INFO(*answer);
    CHECK(answer->find("\r\nCache-Control: no-store\r\n") != std::string::npos);
  };
  for (const char* target : {"/api/v1/id?biz_tag=order", "/api/v1/id/batch?biz_tag=order&count=2",
                             "/api/v1/id/range?biz_tag=order&count=2", "/api/v1/id?biz_tag=nope",
                             "/api/v1/log/level", "/api/v1/tag/advance?biz_tag=user&max_id=9",
                             "/healthz", "/readyz", "/metrics", "/openapi.json", "/nix", "\x01"}) {
    const RawClient client(server.port());
    client.send(std::string("GET ") + target + " HTTP/1.1\r\nConnection: close\r\n" + kHead);
    check_not_kept(client.read_to_end());
  }
  // The server may not have seen yet that the last connection has ended.
  std::optional<RawClient> first;
  REQUIRE(wait_until([&] {
    first.emplace(server.port()).send("GET /healthz HTTP/1.1\r\n" + kHead);
    return first->read_until("}").value_or("").find("HTTP/1.1 200 ") == 0;
  }));
  const RawClient over_the_limit(server.port());
  check_not_kept(over_the_limit.read_to_end());
}

TEST_CASE("HEAD, ranges and offered encodings change nothing else", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const RawClient client(server.port());
  client.send("HEAD /healthz HTTP/1.1\r\n" + kHead +
              "GET /healthz HTTP/1.1\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip, br\r\n"
              "REMOTE_ADDR: 1.2.3.4\r\nExpect: 100-continue\r\nConnection: close\r\n" +
              kHead);
  const auto answers = client.read_to_end();
  REQUIRE(answers);
  const std::size_t second = answers->find("HTTP/1.1 200 OK", 1);
  REQUIRE(second != std::string::npos);
  CHECK(answers->substr(0, second).find("success") == std::string::npos);
  CHECK(answers->find("Content-Encoding") == std::string::npos);
  CHECK(answers->substr(answers->size() - 38) == R"({"code":0,"msg":"success","data":"ok"})");
}

TEST_CASE("HEAD uses up no id and changes nothing", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const auto& [target, allow] :
       {std::pair("/api/v1/id?biz_tag=order", "GET"),
        {"/api/v1/id/batch?biz_tag=order&count=2", "GET"},
        {"/api/v1/id/range?biz_tag=order&count=2", "GET"},
        {"/api/v1/tag/advance?biz_tag=order&max_id=5000", "POST, GET"},
        {"/api/v1/log/level?level=debug", "GET"}}) {
    INFO(target);
    const RawClient client(server.port());
    client.send(std::string("HEAD ") + target +
                " HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n");
    const auto answer = client.read_to_end();
    REQUIRE(answer);
    CHECK(status_of(*answer) == 405);
    CHECK(answer->find(std::string("\r\nAllow: ") + allow + "\r\n") != std::string::npos);
    CHECK(answer->substr(answer->size() - 4) == "\r\n\r\n");
  }
  CHECK(server.id() == 1);
  CHECK(server.get("/api/v1/log/level").body["data"] == "info");
}

TEST_CASE("OPTIONS is answered where HEAD is, and changes nothing elsewhere", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const auto ask = [&server](const std::string& request) {
    const RawClient client(server.port());
    client.send(request);
    return client.read_to_end().value_or("");
  };
  const auto is_empty = [](const std::string& answer) {
    return answer.find("\r\nContent-Length: 0\r\n") != std::string::npos &&
           answer.find("\r\n\r\n") + 4 == answer.size();
  };
  for (const char* path :
       {"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "*", "http://x"}) {
    for (const char* version :
         {" HTTP/1.0\r\n\r\n", " HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"}) {
      const std::string answer = ask(std::string("OPTIONS ") + path + version);
      INFO(answer);
      CHECK(status_of(answer) == 200);
      CHECK(answer.find("\r\nAllow: GET, HEAD, OPTIONS\r\n") != std::string::npos);
      CHECK(is_empty(answer));
    }
  }
  const std::string head = ask("HEAD / HTTP/1.0\r\n\r\n");
  CHECK(status_of(head) == 200);
  CHECK(head.find("\r\n\r\n") + 4 == head.size());
  CHECK(server.get("/").body["data"] == "ok");
  for (const auto& [target, allow] :
       {std::pair("/api/v1/id?biz_tag=order", "GET"),
        {"/api/v1/log/level?level=debug", "GET"},
        {"/api/v1/tag/advance?biz_tag=order&max_id=5000", "POST, GET"}}) {
    const std::string answer = ask(std::string("OPTIONS ") + target + " HTTP/1.0\r\n\r\n");
    CHECK(status_of(answer) == 405);
    CHECK(answer.find(std::string("\r\nAllow: ") + allow + "\r\n") != std::string::npos);
  }
  CHECK(status_of(ask("OPTIONS /nix HTTP/1.0\r\n\r\n")) == 404);
  CHECK(ask("DELETE / HTTP/1.0\r\n\r\n").find("\r\nAllow: GET, HEAD, OPTIONS\r\n") !=
        std::string::npos);
  CHECK(server.id() == 1);
  CHECK(server.get("/api/v1/log/level").body["data"] == "info");
}

TEST_CASE("slow and silent clients are let go", "[e2e][http]") {
  const ScratchDir scratch;
  ServerProcess server(scratch, {"--header-timeout", "300ms", "--idle-timeout", "400ms"});
  std::optional<Frozen> frozen(server.process().pid());  // all is sent when they are accepted
  const RawClient silent(server.port());
  const RawClient slow(server.port());
  const RawClient idle(server.port());
  slow.send("GET /healthz HTT");
  idle.send("GET /healthz HTTP/1.1\r\n" + kHead);
  frozen.reset();
  CHECK(silent.read_to_end() == "");
  const auto slow_answer = slow.read_to_end();
  REQUIRE(slow_answer);
  CHECK(status_of(*slow_answer) == 408);
  const auto idle_answer = idle.read_to_end();
  REQUIRE(idle_answer);
  CHECK(status_of(*idle_answer) == 200);
}

TEST_CASE("connections over the limit are told so", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--max-connections", "2"});
  const RawClient first(server.port());
  const RawClient second(server.port());
  const std::string request = "GET /healthz HTTP/1.1\r\n" + kHead;
  first.send(request);
  second.send(request);
  REQUIRE(first.read_until("\"ok\"}"));
  REQUIRE(second.read_until("\"ok\"}"));
  {
    const RawClient third(server.port());
    third.send(request);
    const auto answer = third.read_to_end();
    REQUIRE(answer);
    CHECK(status_of(*answer) == 503);
    CHECK(answer->find("Retry-After: 1\r\n") != std::string::npos);
  }
  first.send(request);
  CHECK(first.read_until("\"ok\"}"));
}

TEST_CASE("1000 connections fit into 32 MB", "[e2e][http]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  for (const auto& client : clients)
    client->send("GET /api/v1/id?biz_tag=user HTTP/1.1\r\n" + kHead);
  for (const auto& client : clients) REQUIRE(client->read_until("\"data\":"));
  const std::int64_t rss_kb = server.rss_kb();
  WARN("RSS at 1000 connections: " << rss_kb << " kB");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(rss_kb <= 32 * 1024);
#endif
}

}  // namespace featherid::test
