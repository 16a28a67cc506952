// SPDX-License-Identifier: MIT
// EtcdStore with something between it and etcd. Nothing of that may cost an id twice, or send a
// transaction twice.
#include <map>
#include <memory>
#include <string>

#include "featherid/etcd_store.h"
#include "test/support/catch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;

constexpr const char* kOrder = "/x/tags/order";

std::unique_ptr<Store> open(const std::string& url) {
  return open_etcd_store(url, test::patient_etcd()).value();
}

IdRange leased(Store& store) {
  const Result<IdRange> range = store.lease("order", 10);
  INFO(range.status());
  REQUIRE(range.ok());
  return *range;
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::string page(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string chunked(const std::string& answer) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char c : body_of(answer)) text += "1\r\n" + std::string(1, c) + "\r\n";
  return text + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("a proxy may change how an answer is sent", "[etcd_proxy]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  etcd.set_proxy(chunked);
  CHECK(leased(*store) == IdRange{1, 11});
  CHECK(leased(*store) == IdRange{11, 21});
  etcd.set_proxy([](const std::string& answer) {
    return page("200 OK", "content-type: text/plain\r\nVia: 1.1 p\r\n", body_of(answer));
  });
  CHECK(leased(*store) == IdRange{21, 31});
}

TEST_CASE("what a proxy answers instead of etcd is an error, and a gap", "[etcd_proxy]") {
  const std::string html = "Content-Type: text/html\r\n";
  const std::string json = "Content-Type: application/json\r\n";
  const std::map<std::string, std::pair<FakeEtcd::Proxy, std::string>> proxies = {
      {"a login page",
       {[=](auto&) { return page("200 OK", html, "<html>Log in</html>"); }, "what is in between"}},
      {"nothing", {[=](auto&) { return page("200 OK", json, ""); }, "what is in between"}},
      {"an error with status 200",
       {[=](auto&) {
          return page("200 OK", json, R"({"error":"etcdserver: no leader","code":14})");
        },
        "what is in between"}},
      {"half of the answer",
       {[=](auto& answer) { return page("200 OK", json, body_of(answer).substr(0, 60)); },
        "what is in between"}},
      {"a redirect",
       {[=](auto&) { return page("307 Temporary Redirect", "Location: /v3/kv/txn\r\n", ""); },
        "status 307"}},
      {"a redirect to elsewhere",
       {[=](auto&) { return page("301 Moved", "Location: https://127.0.0.1:1/\r\n", ""); },
        "status 301"}},
      {"no such page",
       {[=](auto&) { return page("404 Not Found", html, "<html>"); }, "status 404"}},
      {"no access", {[=](auto&) { return page("403 Forbidden", html, "<html>"); }, "status 403"}},
      {"a login for the proxy",
       {[=](auto&) { return page("401 Unauthorized", html + "WWW-Authenticate: Basic\r\n", "no"); },
        "status 401"}},
      {"a bad gateway",
       {[=](auto&) { return page("502 Bad Gateway", html, "<html>"); }, "status 502"}},
      {"too many requests",
       {[=](auto&) { return page("429 Slow down", html, "<html>"); }, "status 429"}},
      {"compressed nonsense",
       {[=](auto&) { return page("200 OK", json + "Content-Encoding: gzip\r\n", "nonsense"); },
        "http://127.0.0.1"}},
      {"nothing at all", {[=](auto&) { return ""; }, "no answer"}},
  };
  for (const auto& [what, proxy] : proxies) {
    CAPTURE(what);
    FakeEtcd etcd;
    etcd.put(kOrder, R"({"max_id":0,"step":10})");
    const std::string url = etcd.url();
    const auto store = open("etcd://u:right@" + url.substr(7));
    CHECK(leased(*store) == IdRange{1, 11});
    const int writes = etcd.writes();
    etcd.set_proxy(proxy.first);
    const Status refused = store->lease("order", 10).status();
    INFO(refused);
    CHECK(refused.message().find(proxy.second) != std::string::npos);
    const bool as_said = refused.code() == StatusCode::kUnavailable ||
                         refused.code() == StatusCode::kFailedPrecondition;
    CHECK(as_said);
    CHECK(etcd.writes() == writes + 1);
    etcd.set_proxy({});
    CHECK(leased(*store) == IdRange{21, 31});
  }
}

TEST_CASE("a proxy that answers with an older answer cannot give a lease twice", "[etcd_proxy]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  std::string last;
  etcd.set_proxy([&](const std::string& answer) { return last = answer; });
  CHECK(leased(*store) == IdRange{1, 11});
  const std::string first = last;
  SECTION("of the same tag, and the same ids") {
    REQUIRE(store->give_back("order", {1, 11}).value());
    etcd.set_proxy([&](const std::string&) { return first; });
    CHECK(store->lease("order", 10).status().code() == StatusCode::kDataLoss);
  }
  SECTION("of other ids") {
    etcd.set_proxy([&](const std::string&) { return first; });
    CHECK_FALSE(store->lease("order", 10).ok());
  }
}

TEST_CASE("a proxy that mixes up the answers of two tags cannot give a lease twice",
          "[etcd_proxy]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  etcd.put("/x/tags/user", R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  std::string of_user;
  etcd.set_proxy([&](const std::string& answer) {
    of_user = answer;
    return answer;
  });
  REQUIRE(store->lease("user", 10).ok());
  const auto other = open(etcd.url());  // it has seen no revision yet
  REQUIRE(other->find("order").ok());
  etcd.set_proxy([&](const std::string&) { return of_user; });
  CHECK(other->lease("order", 10).status().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a proxy that sends a lease twice costs a gap", "[etcd_proxy]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":0,"step":10})");
  const auto store = open(etcd.url());
  CHECK(leased(*store) == IdRange{1, 11});
  etcd.repeat_next_write();
  CHECK(leased(*store) == IdRange{21, 31});  // the second one has found the key changed
}

TEST_CASE("a proxy that answers /health itself is named", "[etcd_proxy]") {
  for (const int status : {302, 401, 404}) {
    FakeEtcd etcd;
    etcd.set_health(status);
    const Status refused = open(etcd.url())->lease("order", 10).status();
    INFO(refused);
    CHECK(refused.code() == StatusCode::kUnavailable);
    CHECK(refused.message().find("/health with status " + std::to_string(status)) !=
          std::string::npos);
  }
}

}  // namespace featherid
