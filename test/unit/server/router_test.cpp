// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "server/log/json.h"
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

Reply ask(const Router& router, const char* method, const std::string& target) {
  return test::ask(router, method, target, std::chrono::seconds(1));
}

Reply get(const Router& router, const std::string& target) { return ask(router, "GET", target); }

}  // namespace

TEST_CASE("a path has its route, by exact name; any other has the one that says so", "[router]") {
  Router router;
  CHECK(router.no_route() == 0);
  router.get("/a", Effect::kNone, [](Exchange& exchange) { exchange.reply.succeed("1"); });
  router.get("/a/b", Effect::kUsesIds, [](Exchange& exchange) { exchange.reply.succeed("2"); });
  const auto number = [&router](std::string_view path) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    Exchange exchange(request, true, {});
    return router.serve(exchange);
  };
  REQUIRE(router.routes().size() == 2);
  CHECK(router.routes()[1].path == "/a/b");
  CHECK(router.no_route() == 2);
  CHECK(number("/a") == 0);
  CHECK(number("/a/b") == 1);
  CHECK(get(router, "/a/b?x=1").body.find('2') != std::string::npos);
  for (const char* none : {"", "/", "/A", "/a/", "/a/bc"}) {
    CAPTURE(none);
    CHECK(number(none) == 2);
    CHECK(get(router, none).status == 404);
  }
}

TEST_CASE("a path answers its methods, and 405 with all of them to any other", "[router]") {
  Router router([](Exchange&) { return true; });
  const auto answer = [](const char* json) {
    return [json](Exchange& exchange) { exchange.reply.succeed(json); };
  };
  router.get("/tag", Effect::kNone, answer("1"));
  router.post("/tag", Effect::kChanges, answer("2"));
  router.patch("/tag", Effect::kChanges, answer("3"));
  router.del("/tag", Effect::kChanges, answer("4"));
  router.post("/only", Effect::kChanges, answer("5"));
  CHECK(router.routes().size() == 2);
  const auto said = [&router](const char* method, const char* path) {
    const Reply reply = ask(router, method, path);
    return std::to_string(reply.status) + reply.body.substr(reply.body.rfind(':') + 1) +
           test::header_of(reply, "Allow");
  };
  CHECK(said("GET", "/tag") == "2001}none");
  CHECK(said("HEAD", "/tag") == "2001}none");
  CHECK(said("POST", "/tag") == "2002}none");
  CHECK(said("PATCH", "/tag") == "2003}none");
  CHECK(said("DELETE", "/tag") == "2004}none");
  CHECK(said("PUT", "/tag") == "405null}GET, POST, PATCH, DELETE, HEAD, OPTIONS");
  CHECK(ask(router, "PUT", "/tag").body.find("\"use GET or POST or PATCH or DELETE\"") !=
        std::string::npos);
  for (const char* other : {"GET", "HEAD", "OPTIONS", "DELETE"}) {
    CAPTURE(other);
    CHECK(said(other, "/only") == "405null}POST");
  }
}

TEST_CASE("who may change nothing gets as far as no handler that changes something", "[router]") {
  int runs = 0;
  int questions = 0;
  bool may = false;
  const auto run = [&runs](Exchange&) { ++runs; };
  const auto add = [&run](Router& router) {
    router.get("/reads", Effect::kNone, run);
    router.get("/ids", Effect::kUsesIds, run);
    router.get("/level", Effect::kChanges, run, "level");
    router.post("/change", Effect::kChanges, run);
  };
  Router router([&](Exchange& exchange) {
    ++questions;
    if (!may) exchange.reply.fail(401, ApiCode::kNotAllowed, "no");
    return may;
  });
  Router without;
  add(router);
  add(without);
  for (const char* target : {"/reads", "/ids", "/level", "/level?levels=1", "/reads?level=1"}) {
    CAPTURE(target);
    CHECK(ask(router, "GET", target).status == 200);
    CHECK(ask(without, "GET", target).status == 200);
  }
  CHECK(runs == 10);
  CHECK(questions == 0);
  for (const auto& [method, target] :
       {std::pair("GET", "/level?level=debug"), {"GET", "/level?level"}, {"POST", "/change"}}) {
    CAPTURE(target);
    runs = 0;
    may = false;
    CHECK(ask(router, method, target).status == 401);
    CHECK(ask(without, method, target).status == 403);
    CHECK(runs == 0);
    may = true;
    CHECK(ask(router, method, target).status == 200);
    CHECK(runs == 1);
  }
}

TEST_CASE("a route has its query decoded, or is not run", "[router]") {
  Router router;
  router.get("/echo", Effect::kNone, [](Exchange& exchange) {
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
  router.get("/id", Effect::kUsesIds, [&runs](Exchange&) { ++runs; });
  router.get("/health", Effect::kNone, [&runs](Exchange&) { ++runs; });
  const Reply id = ask(router, "HEAD", "/id");
  CHECK(id.status == 405);
  CHECK(test::header_of(id, "Allow") == "GET");
  CHECK(runs == 0);
  CHECK(ask(router, "HEAD", "/health").status == 200);
  CHECK(runs == 1);
}

TEST_CASE("OPTIONS has the status of GET and names the methods, and runs only what is safe to",
          "[router]") {
  Router router;
  int runs = 0;
  int status = 200;
  router.get("/id", Effect::kUsesIds, [&runs](Exchange&) { ++runs; });
  router.get("/ready", Effect::kNone, [&runs, &status](Exchange& exchange) {
    ++runs;
    if (status != 200) return exchange.reply.fail_for_now("not ready");
    exchange.reply.succeed("1");
  });
  CHECK(ask(router, "OPTIONS", "/id").status == 405);
  CHECK(ask(router, "OPTIONS", "/nix").status == 404);
  CHECK(runs == 0);

  const Reply ready = ask(router, "OPTIONS", "/ready");
  CHECK(ready.status == 200);
  CHECK(ready.body.empty());
  CHECK(test::header_of(ready, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(runs == 1);
  CHECK(ask(router, "OPTIONS", "/ready?a=1&a=1").status == 400);
  status = 503;
  const Reply not_ready = ask(router, "OPTIONS", "/ready");
  CHECK(not_ready.status == 503);
  CHECK(test::header_of(not_ready, "Retry-After") == "1");
  CHECK(not_ready.body.find("not ready") != std::string::npos);
  const Reply post = ask(router, "POST", "/ready");
  CHECK(post.status == 405);
  CHECK(test::header_of(post, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(runs == 2);
}

TEST_CASE("what a route throws is one line of the log, whatever it holds", "[router]") {
  Router router;
  router.get("/", Effect::kNone,
             [](Exchange&) { throw std::runtime_error("gone\r\n\x1b[31mforged \"line\""); });
  const LogCapture log;
  CHECK(get(router, "/").status == 500);
  const std::string text = log.text();
  CAPTURE(text);
  CHECK(text.find(R"(/ failed: "gone\u000d\u000a\u001b[31mforged \"line\"")") != std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
}

}  // namespace featherid
