// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "test/support/catch.h"
#include "test/support/route_client.h"

namespace featherid {

namespace {

// What is logged while it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", std::move(sink)));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  const std::shared_ptr<spdlog::logger> before_;
};

Reply get(const Router& router, const std::string& target) {
  return test::get(router, target, std::chrono::seconds(1));
}

}  // namespace

TEST_CASE("a path has its route, by exact name; any other has the one that says so", "[router]") {
  Router router;
  CHECK(router.find("/a").number == 0);
  router.get("/a", [](Exchange& exchange) { exchange.reply.succeed("1"); });
  router.get("/a/b", [](Exchange& exchange) { exchange.reply.succeed("2"); });
  CHECK(router.paths() == std::vector<std::string>{"/a", "/a/b"});
  CHECK(router.find("/a").number == 0);
  CHECK(router.find("/a/b").number == 1);
  CHECK(get(router, "/a/b?x=1").body.find('2') != std::string::npos);
  for (const char* none : {"", "/", "/A", "/a/", "/a/bc"}) {
    CAPTURE(none);
    CHECK(router.find(none).path.empty());
    CHECK(router.find(none).number == 2);
    CHECK(get(router, none).status == 404);
  }
}

TEST_CASE("a route has its query decoded, or is not run", "[router]") {
  Router router;
  router.get("/echo", [](Exchange& exchange) {
    const std::string* text = exchange.query.find("text");
    exchange.reply.succeed(json_string(text != nullptr ? *text : "nothing"));
  });
  CHECK(get(router, "/echo").body == R"({"code":0,"msg":"success","data":"nothing"})");
  CHECK(get(router, "/echo?&a&text=a%22b%0a+%2B%E5%95%86&b=").body ==
        R"({"code":0,"msg":"success","data":"a\"b\u000a +商"})");
  for (const char* bad : {"/echo?a=1&a=1", "/echo?a=%", "/echo?a=%f", "/echo?a=%fg", "/echo?%g0"}) {
    CAPTURE(bad);
    CHECK(get(router, bad).status == 400);
  }
}

TEST_CASE("HEAD runs a route only where it is safe to", "[router]") {
  Router router;
  int runs = 0;
  router.get("/id", [&runs](Exchange&) { ++runs; });
  router.get_or_probe("/health", [&runs](Exchange&) { ++runs; });
  HttpRequest request;
  request.method = "HEAD";
  Exchange id(request, true, {});
  router.find("/id").serve(id);
  CHECK(id.reply.status == 405);
  CHECK(std::string(id.reply.header.first) == "Allow");
  CHECK(id.reply.header.second == "GET");
  CHECK(runs == 0);
  Exchange health(request, true, {});
  router.find("/health").serve(health);
  CHECK(health.reply.status == 200);
  CHECK(runs == 1);
}

TEST_CASE("OPTIONS has the status of GET and names the methods, and runs only what is safe to",
          "[router]") {
  Router router;
  int runs = 0;
  int status = 200;
  router.get("/id", [&runs](Exchange&) { ++runs; });
  router.get_or_probe("/ready", [&runs, &status](Exchange& exchange) {
    ++runs;
    if (status != 200) return exchange.reply.fail_for_now("not ready");
    exchange.reply.succeed("1");
  });
  const auto ask = [&router](const char* method, const char* path, const char* query = "") {
    HttpRequest request;
    request.method = method;
    request.query = query;
    Exchange exchange(request, true, {});
    router.find(path).serve(exchange);
    return exchange.reply;
  };
  CHECK(ask("OPTIONS", "/id").status == 405);
  CHECK(ask("OPTIONS", "/nix").status == 404);
  CHECK(runs == 0);

  const Reply ready = ask("OPTIONS", "/ready");
  CHECK(ready.status == 200);
  CHECK(ready.body.empty());
  REQUIRE(ready.header.first != nullptr);
  CHECK(std::string(ready.header.first) == "Allow");
  CHECK(ready.header.second == "GET, HEAD, OPTIONS");
  CHECK(runs == 1);
  CHECK(ask("OPTIONS", "/ready", "a=1&a=1").status == 400);
  status = 503;
  const Reply not_ready = ask("OPTIONS", "/ready");
  CHECK(not_ready.status == 503);
  CHECK(std::string(not_ready.header.first) == "Retry-After");
  CHECK(not_ready.body.find("not ready") != std::string::npos);
  const Reply post = ask("POST", "/ready");
  CHECK(post.status == 405);
  CHECK(post.header.second == "GET, HEAD, OPTIONS");
  CHECK(runs == 2);
}

TEST_CASE("what a route throws is one line of the log, whatever it holds", "[router]") {
  Router router;
  router.get("/", [](Exchange&) { throw std::runtime_error("gone\r\n\x1b[31mforged \"line\""); });
  const LogCapture log;
  CHECK(get(router, "/").status == 500);
  const std::string text = log.text();
  CAPTURE(text);
  CHECK(text.find(R"(/ failed: "gone\u000d\u000a\u001b[31mforged \"line\"")") != std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
}

}  // namespace featherid
