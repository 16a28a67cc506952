// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/log/json.h"
#include "test/support/catch.h"
#include "test/support/log_capture.h"
#include "test/support/route_client.h"

namespace featherid {

namespace {

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

TEST_CASE("a path that ends in a star has one route for all that is below it", "[router]") {
  Router router;
  router.get("/a/*", Effect::kNone, [](Exchange& exchange) {
    exchange.reply.succeed('"' + std::string(exchange.request.path) + '"');
  });
  router.get("/*x", Effect::kNone, [](Exchange& exchange) { exchange.reply.succeed("2"); });
  for (const char* below : {"/a/", "/a/b", "/a/b/c.js", "/a/*"}) {
    CAPTURE(below);
    CHECK(get(router, below).body.find(below) != std::string::npos);
  }
  for (const char* none : {"/a", "/", "/b/a/", "/x", "/zx"}) {
    CAPTURE(none);
    CHECK(get(router, none).status == 404);
  }
}

TEST_CASE("a path answers its methods, and 405 with all of them to any other", "[router]") {
  Router router([](Exchange&, Effect) { return true; });
  const auto add = [&router](const char* method, const char* path, const char* json) {
    const Effect effect = method == std::string("GET") ? Effect::kNone : Effect::kChanges;
    const auto answer = [json](Exchange& exchange) { exchange.reply.succeed(json); };
    router.add(path, {method, effect, answer, {}, {}});
  };
  add("GET", "/tag", "1");
  add("POST", "/tag", "2");
  add("PATCH", "/tag", "3");
  add("DELETE", "/tag", "4");
  add("POST", "/only", "5");
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
    router.get("/reads", Effect::kReads, run);
    router.get("/ids", Effect::kUsesIds, run);
    router.add("/level", {"GET", Effect::kChanges, run, "level", {}});
    router.add("/change", {"POST", Effect::kChanges, run, {}, {}});
  };
  const std::atomic<bool> closed{false};
  const auto permits = [&](Exchange& exchange, Effect effect) {
    ++questions;
    CHECK(effect == Effect::kChanges);
    if (!may) exchange.reply.fail(401, ApiCode::kNotAllowed, "no");
    return may;
  };
  Router router(permits, &closed);
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

TEST_CASE("while the server is closed, what reads or uses ids requires permission", "[router]") {
  int runs = 0;
  bool may = false;
  std::vector<Effect> asked;
  std::atomic<bool> closed{false};
  const auto permits = [&](Exchange& exchange, Effect effect) {
    asked.push_back(effect);
    if (!may) exchange.reply.fail(401, ApiCode::kNotAllowed, "no");
    return may;
  };
  Router router(permits, &closed);
  const auto run = [&runs](Exchange&) { ++runs; };
  router.get("/probe", Effect::kNone, run);
  router.get("/reads", Effect::kReads, run);
  router.get("/ids", Effect::kUsesIds, run);
  router.add("/level", {"GET", Effect::kChanges, run, "level", {}});
  for (const char* target : {"/probe", "/reads", "/ids", "/level"}) {
    CHECK(get(router, target).status == 200);
  }
  CHECK(asked.empty());
  closed = true;
  CHECK(get(router, "/probe").status == 200);
  for (const char* target : {"/reads", "/ids", "/level"}) {
    CAPTURE(target);
    CHECK(get(router, target).status == 401);
  }
  CHECK(ask(router, "HEAD", "/reads").status == 401);
  CHECK(runs == 5);
  CHECK(asked ==
        std::vector<Effect>{Effect::kReads, Effect::kUsesIds, Effect::kReads, Effect::kReads});
  may = true;
  for (const char* target : {"/reads", "/ids", "/level"}) {
    CHECK(get(router, target).status == 200);
  }
  CHECK(runs == 8);
}

TEST_CASE("a request that was permitted stays so after its wait", "[router]") {
  int questions = 0;
  const auto permits = [&questions](Exchange& exchange, Effect) {
    if (++questions > 1) exchange.reply.fail(401, ApiCode::kNotAllowed, "no more");
    return questions == 1;
  };
  Router router(permits);
  bool in_time = true;
  const auto run = [&in_time](Exchange& exchange) {
    CHECK(exchange.changes);
    const bool first = !exchange.wait.over && !exchange.wait.expired;
    if (!first) return exchange.reply.succeed("1");
    exchange.park([&in_time](const Exchange::Resume& resume) {
      if (in_time) resume(Status());
    });
  };
  router.add("/change", {"POST", Effect::kChanges, run, {}, {}});
  CHECK(test::ask(router, "POST", "/change", std::chrono::seconds(60)).status == 200);
  CHECK(questions == 1);
  questions = 0;
  in_time = false;
  CHECK(test::ask(router, "POST", "/change", std::chrono::milliseconds(1)).status == 200);
  CHECK(questions == 1);
}

TEST_CASE("what a call would ignore is refused", "[router]") {
  int runs = 0;
  Router router([](Exchange&, Effect) { return true; });
  const auto run = [&runs](Exchange&) { ++runs; };
  router.get("/any", Effect::kReads, run);
  router.add("/tag", {"GET", Effect::kReads, run, {}, {"biz_tag", "as"}});
  router.add("/tag", {"POST", Effect::kChanges, run, {}, {"biz_tag", "step"}});
  const auto send = [&router](std::string_view method, std::string_view path,
                              std::string_view query, std::string_view body) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = body;
    Exchange exchange(request, true, {});
    router.serve(exchange);
    return exchange.reply;
  };
  const Reply with_body = send("POST", "/tag", "biz_tag=a", "step=5");
  CHECK(with_body.status == 415);
  CHECK(with_body.body.find("put its parameters into the query") != std::string::npos);
  const Reply unknown = send("POST", "/tag", "biz_tag=a&stepp=5", "");
  CHECK(unknown.status == 400);
  CHECK(unknown.body.find("'stepp' here; there are biz_tag, step") != std::string::npos);
  CHECK(send("GET", "/tag", "biz_tag=a&step=5", "").status == 400);
  CHECK(send("GET", "/tag", "=", "").status == 400);
  CHECK(runs == 0);
  CHECK(send("POST", "/tag", "biz_tag=a&step=5", "").status == 200);
  CHECK(send("GET", "/tag", "biz_tag=a", "ignored").status == 200);
  CHECK(send("GET", "/any", "biz_tag=a&step=5", "").status == 200);
  CHECK(runs == 3);
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
  const test::LogCapture log;
  CHECK(get(router, "/").status == 500);
  const std::string text = log.text();
  CAPTURE(text);
  CHECK(text.find(R"(/ failed: "gone\u000d\u000a\u001b[31mforged \"line\"")") != std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
}

}  // namespace featherid
