// SPDX-License-Identifier: MIT
#include "server/http/httplib_bridge.h"

#include <stdexcept>
#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

Router make_router() {
  Router router;
  router.get_or_probe("/echo", Lane::kBridge, [](Exchange& exchange) {
    const std::string* text = exchange.query.find("text");
    exchange.reply.succeed(json_string(text != nullptr ? *text : "nothing"));
  });
  router.get("/throw", Lane::kBridge, [](Exchange&) { throw std::runtime_error("secret"); });
  router.get("/park", Lane::kBridge, [](Exchange& exchange) {
    if (exchange.wait.expired) return exchange.reply.fail_for_now("late");
    exchange.park([](const Exchange::Resume&) {});
  });
  return router;
}

struct Served {
  std::string text;
  bool parked;
};

Served serve(const std::string& bytes, bool close = false, bool expired = false) {
  const Router router = make_router();
  HttplibBridge bridge;
  const GateVerdict verdict = inspect_request(bytes);
  REQUIRE(verdict.kind == GateVerdict::Kind::kRequest);
  Exchange exchange(verdict.request, true, {{}, expired, {}});
  Served served{"before", false};
  bridge.answer(router.find(verdict.request.path), exchange, close, &served.text);
  served.parked = exchange.parked();
  CHECK(served.text.substr(0, 6) == "before");
  served.text.erase(0, 6);
  return served;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kHost = " HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a route's answer is rendered, without what is not so", "[httplib_bridge]") {
  const std::string text = serve("GET /echo?text=a%22b%0a+%E5%95%86" + kHost).text;
  const std::string body = R"({"code":0,"msg":"success","data":"a\"b\u000a 商"})";
  CHECK(text.substr(0, 17) == "HTTP/1.1 200 OK\r\n");
  CHECK(contains(text, "Content-Type: application/json\r\n"));
  CHECK(contains(text, "Content-Length: " + std::to_string(body.size()) + "\r\n"));
  CHECK(contains(text, "\r\n\r\n" + body));
  CHECK(!contains(text, "Keep-Alive"));
  CHECK(!contains(text, "Connection"));
}

TEST_CASE("a closing answer says so, and HEAD has no body", "[httplib_bridge]") {
  CHECK(contains(serve("GET /echo" + kHost, true).text, "Connection: close\r\n"));
  const std::string head = serve("HEAD /echo" + kHost).text;
  CHECK(contains(head, "Content-Length: 43\r\n"));
  CHECK(head.substr(head.size() - 4) == "\r\n\r\n");
}

TEST_CASE("an answer to OPTIONS names the methods, and says that it has no body",
          "[httplib_bridge]") {
  const std::string options = serve("OPTIONS /echo" + kHost).text;
  CHECK(options.substr(0, 17) == "HTTP/1.1 200 OK\r\n");
  CHECK(contains(options, "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
  CHECK(contains(options, "\r\nContent-Length: 0\r\n"));
  CHECK(options.substr(options.size() - 4) == "\r\n\r\n");
}

TEST_CASE("errors are JSON and tell no secrets", "[httplib_bridge]") {
  CHECK(contains(serve("GET /nix" + kHost).text, "HTTP/1.1 404 "));
  CHECK(contains(serve("GET /nix" + kHost).text, R"({"code":1,"msg":)"));
  const std::string wrong_method = serve("DELETE /echo" + kHost).text;
  CHECK(contains(wrong_method, "HTTP/1.1 405 "));
  CHECK(contains(wrong_method, "Allow: GET, HEAD, OPTIONS\r\n"));
  CHECK(contains(serve("GET /echo?a=1&a=1" + kHost).text, "HTTP/1.1 400 "));
  CHECK(contains(serve("GET /echo?a=%f" + kHost).text, "HTTP/1.1 400 "));
  const std::string thrown = serve("GET /throw" + kHost).text;
  CHECK(contains(thrown, "HTTP/1.1 500 "));
  CHECK(contains(thrown, R"({"code":2,"msg":)"));
  CHECK(!contains(thrown, "secret"));
}

TEST_CASE("a parked request leaves no answer; its deadline brings one", "[httplib_bridge]") {
  const Served parked = serve("GET /park" + kHost);
  CHECK(parked.parked);
  CHECK(parked.text.empty());
  const Served late = serve("GET /park" + kHost, false, true);
  CHECK(!late.parked);
  CHECK(contains(late.text, "HTTP/1.1 503 "));
  CHECK(contains(late.text, "Retry-After: 1\r\n"));
}

TEST_CASE("the largest target, header and body pass, and a body is no second request",
          "[httplib_bridge]") {
  const std::string target = "/echo?text=" + std::string(kTargetBytesMax - 11, 'x');
  CHECK(contains(serve("GET " + target + kHost).text, "HTTP/1.1 200 "));
  const std::string authorization =
      "Authorization: " + std::string(kHeaderLineBytesMax - 15, 'x') + "\r\n";
  CHECK(contains(serve("GET /echo HTTP/1.1\r\n" + authorization + "Host: x\r\n\r\n").text,
                 "HTTP/1.1 200 "));
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    const std::string text = serve(std::string(method) + " /echo HTTP/1.1\r\nContent-Length: " +
                                   std::to_string(kBodyBytesMax) + "\r\nHost: x\r\n\r\n" +
                                   std::string(kBodyBytesMax, 'x'))
                                 .text;
    CHECK(contains(text, std::string(method) == "OPTIONS" ? "HTTP/1.1 200 " : "HTTP/1.1 405 "));
    CHECK(text.find("HTTP/1.1", 1) == std::string::npos);
  }
}

}  // namespace featherid
