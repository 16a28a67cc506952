// SPDX-License-Identifier: MIT
// What is particular to HttpStore; the contract of every store is in test/system/conformance.
#include "featherid/http_store.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/patient.h"
#include "test/support/ports.h"
#include "test/support/scripted_server.h"

namespace featherid {

namespace {

using test::ScriptedServer;
using test::SharedText;

std::unique_ptr<Store> open(const std::string& addresses) {
  Result<std::unique_ptr<Store>> store =
      open_http_store(addresses, test::patient_client<HttpStoreOptions>());
  REQUIRE(store.ok());
  return *std::move(store);
}

// The members of a lease's answer.
std::string leased(const std::string& first, const std::string& last,
                   const std::string& store = "mine", const std::string& term = "4294967297") {
  return R"("first":)" + first + R"(,"last":)" + last + R"(,"receipt":"r1","store":")" + store +
         R"(","term":")" + term + "\"";
}

}  // namespace

TEST_CASE("a lease states what the process knows of its store", "[http_store]") {
  ScriptedServer server([](const std::string& request) {
    return ScriptedServer::answer_lease(request, leased("1", "10"));
  });
  const auto store = open(server.url());
  CHECK(*store->lease("order", {1, 10}) == IdRange{1, 11});
  CHECK(store->leader() == server.url());
  REQUIRE(store->lease("order", {1, 10}).ok());
  const std::vector<std::string> requests = server.requests();
  const std::string asked = "POST /api/v1/lease?biz_tag=order&count=10&least=1&as=string";
  const auto nonce_of = [&](std::size_t i) {
    return ScriptedServer::parameter(requests[i], "nonce");
  };
  CHECK(requests[0] == asked + "&nonce=" + nonce_of(0) + " HTTP/1.1");
  CHECK(requests[1] == asked + "&store=mine&term=4294967297&nonce=" + nonce_of(1) + " HTTP/1.1");
  CHECK(nonce_of(0).size() == 32);
  CHECK(nonce_of(0) != nonce_of(1));
}

TEST_CASE("the answer of another call is no answer", "[http_store]") {
  // A cache in between, which keeps the first answer.
  SharedText kept;
  ScriptedServer server([&kept](const std::string& request) {
    if (kept.get().empty()) kept.set(ScriptedServer::answer_lease(request, leased("1", "10")));
    return kept.get();
  });
  CHECK(*open(server.url())->lease("order", 10) == IdRange{1, 11});
  const auto other = open(server.url());
  const Status refused = other->lease("order", 10).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(refused.message().find("is not that of this call") != std::string::npos);
  CHECK(other->changes(0).status().code() == StatusCode::kFailedPrecondition);
  CHECK(other->find("order").status().code() == StatusCode::kFailedPrecondition);
  CHECK(other->probe().code() == StatusCode::kFailedPrecondition);
  CHECK_FALSE(*other->give_back("order", {1, 11}));
}

TEST_CASE("an answer that cannot be right is no lease", "[http_store]") {
  SharedText answer;
  ScriptedServer server([&answer](const std::string& request) {
    return ScriptedServer::answer_lease(request, answer.get());
  });
  const auto store = open(server.url());
  for (const auto& [first, last] : {std::pair<const char*, const char*>("1", "11"),
                                    {"1", "4"},
                                    {"0", "5"},
                                    {"-5", "3"},
                                    {"5", "1"},
                                    {"9223372036854775800", "9223372036854775807"},
                                    {"\"1x\"", "10"},
                                    {"1.0", "10"},
                                    {"1e0", "10"},
                                    {"true", "10"},
                                    {"18446744073709551612", "5"},
                                    {"null", "10"}}) {
    CAPTURE(first, last);
    answer.set(leased(first, last));
    CHECK(store->lease("order", {5, 10}).status().code() == StatusCode::kFailedPrecondition);
  }
  answer.set(R"("receipt":"r1")");
  CHECK(store->lease("order", 5).status().code() == StatusCode::kFailedPrecondition);
  CHECK_FALSE(*store->give_back("order", {1, 11}));
}

TEST_CASE("ids above 2^53 arrive exactly, also through something that rounds numbers",
          "[http_store]") {
  // As JavaScript reads and writes them.
  ScriptedServer server([](const std::string& request) {
    const bool exact = ScriptedServer::parameter(request, "as") == "string";
    return ScriptedServer::answer_lease(
        request, exact ? leased("\"9007199254740993\"", "\"9007199254741002\"")
                       : leased("9007199254740992", "9007199254741002"));
  });
  CHECK(*open(server.url())->lease("order", {1, 20}) ==
        IdRange{9007199254740993, 9007199254741003});
}

TEST_CASE("a store without a name is no store, because no other one would be noticed",
          "[http_store]") {
  SharedText name;
  ScriptedServer server([&name](const std::string& request) {
    return ScriptedServer::answer_lease(request, leased("1", "10", name.get()));
  });
  const auto store = open(server.url());
  for (const std::string& bad : {std::string(), std::string(10000, 's'), std::string("a\\nb")}) {
    name.set(bad);
    CHECK(store->lease("order", 10).status().code() == StatusCode::kFailedPrecondition);
  }
  name.set("mine");
  CHECK(store->lease("order", 10).ok());
}

TEST_CASE("an answer is as large as its call allows, and no larger", "[http_store]") {
  ScriptedServer server([](const std::string& request) {
    const std::string blanks(70000, ' ');
    return ScriptedServer::answer_lease(request,
                                        R"("version":1,"limits":[],)" + blanks + leased("1", "10"));
  });
  const auto store = open(server.url());
  const Status refused = store->lease("order", 10).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message().find("too large") != std::string::npos);
  CHECK(store->changes(0).ok());  // it names as many tags as there are
}

TEST_CASE("a list of tags ends, whatever a server says", "[http_store]") {
  std::atomic<int> pages{0};
  ScriptedServer server([&pages](const std::string&) {
    const std::string next = std::string(static_cast<std::size_t>(++pages), 'a');
    return ScriptedServer::answer(pages < 100 ? 200 : 500, 0,
                                  R"({"tags":[],"next":")" + next + "\"}");
  });
  const auto tags = open(server.url())->list({});
  REQUIRE(tags.ok());
  CHECK(tags->empty());
  CHECK(pages == 1);
}

TEST_CASE("an answer from another store, or from an older one, is kDataLoss", "[http_store]") {
  SharedText answer;
  answer.set(leased("1", "10", "mine", "8589934592"));
  ScriptedServer server([&answer](const std::string& request) {
    return ScriptedServer::answer_lease(request, answer.get());
  });
  const auto store = open(server.url());
  REQUIRE(store->lease("order", 10).ok());
  answer.set(leased("11", "20", "another", "8589934592"));
  Status refused = store->lease("order", 10).status();
  CHECK(refused.code() == StatusCode::kDataLoss);
  CHECK(refused.message().find("store another") != std::string::npos);
  CHECK(refused.message().find("store mine") != std::string::npos);
  answer.set(leased("11", "20", "mine", "4294967296"));
  refused = store->lease("order", 10).status();
  CHECK(refused.code() == StatusCode::kDataLoss);
  CHECK(refused.message().find("is older") != std::string::npos);
  answer.set(leased("11", "20", "mine", "12884901888"));
  CHECK(*store->lease("order", 10) == IdRange{11, 21});
}

TEST_CASE("two servers with two stores are noticed when the second one is asked", "[http_store]") {
  const auto has = [](const char* name) {
    // As featherid-server does.
    return [name](const std::string& request) {
      const std::string known = ScriptedServer::parameter(request, "store");
      return known.empty() || known == name
                 ? ScriptedServer::answer_lease(request, leased("1", "10", name))
                 : ScriptedServer::answer(409, 8, "null");
    };
  };
  auto first = std::make_unique<ScriptedServer>(has("one"));
  auto second = std::make_unique<ScriptedServer>(has("two"));
  const auto store = open(first->url() + "," + second->url());
  REQUIRE(store->lease("order", 10).ok());
  (store->leader() == first->url() ? first : second).reset();
  // The kept connection has ended, so the other server is asked.
  Status status;
  for (int i = 0; i < 3 && status.code() != StatusCode::kDataLoss; ++i) {
    status = store->lease("order", 10).status();
  }
  CHECK(status.code() == StatusCode::kDataLoss);
}

TEST_CASE("a lease whose answer is lost is not made again by the call", "[http_store]") {
  ScriptedServer server([](const std::string&) { return std::string(); });
  const auto store = open(server.url());
  CHECK(store->lease("order", 10).status().code() == StatusCode::kUnavailable);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a give-back goes to the server that leased, with its receipt, once", "[http_store]") {
  std::atomic<bool> answers{false};
  const auto script = [&answers](const std::string& request) {
    if (request.find("give_back") == std::string::npos) {
      return ScriptedServer::answer_lease(request, leased("1", "100"));
    }
    return answers ? ScriptedServer::answer(200, 0, R"({"given_back":true,"reason":null})")
                   : std::string();
  };
  ScriptedServer first(script);
  ScriptedServer second(script);
  const auto store = open(first.url() + " " + second.url());
  const auto leases = [&] { REQUIRE(store->lease("order", 100).ok()); };
  const auto sent = [&] {
    const std::size_t both = first.requests().size() + second.requests().size();
    return both;
  };
  leases();
  ScriptedServer& leader = store->leader() == first.url() ? first : second;
  CHECK(store->give_back("order", {61, 101}).status().code() == StatusCode::kUnavailable);
  CHECK(leader.requests().back() ==
        "POST /api/v1/lease/give_back?biz_tag=order&first=61&receipt=r1&applied=0 HTTP/1.1");
  CHECK(sent() == 2);
  // The receipt is used up, whatever came of it.
  CHECK_FALSE(*store->give_back("order", {61, 101}));
  CHECK(sent() == 2);
  answers = true;
  leases();
  CHECK_FALSE(*store->give_back("order", {61, 100}));
  CHECK_FALSE(*store->give_back("user", {61, 101}));
  CHECK(sent() == 3);
  CHECK(*store->give_back("order", {61, 101}));
  CHECK(sent() == 4);
}

TEST_CASE("a give-back whose server is gone is not sent elsewhere", "[http_store]") {
  const auto script = [](const std::string& request) {
    return ScriptedServer::answer_lease(request, leased("1", "100"));
  };
  auto first = std::make_unique<ScriptedServer>(script);
  const std::string gone = first->url();
  const auto store = open(gone);
  REQUIRE(store->lease("order", 100).ok());
  first.reset();
  CHECK(store->give_back("order", {61, 101}).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("what has been applied is stated with a give-back", "[http_store]") {
  ScriptedServer server([](const std::string& request) {
    if (request.find("/changes") != std::string::npos) {
      return ScriptedServer::answer_lease(
          request,
          R"("version":9,"limits":[{"biz_tag":"a","max_id":5}],"store":"mine","term":"0")");
    }
    if (request.find("give_back") != std::string::npos) {
      return ScriptedServer::answer(200, 0, R"({"given_back":false,"reason":"x"})");
    }
    return ScriptedServer::answer_lease(request, leased("1", "100"));
  });
  const auto store = open(server.url());
  const Result<TagChanges> changes = store->changes(7);
  REQUIRE(changes.ok());
  CHECK(changes->version == 9);
  REQUIRE(changes->limits.size() == 1);
  CHECK(changes->limits[0].tag == "a");
  CHECK(changes->limits[0].max_id == 5);
  REQUIRE(store->changes(3).ok());
  REQUIRE(store->lease("order", 100).ok());
  CHECK_FALSE(*store->give_back("order", {61, 101}));
  CHECK(server.requests().back().find("&applied=7 ") != std::string::npos);
}

TEST_CASE("addresses that cannot be used are refused", "[http_store]") {
  for (const char* bad : {"", "mysql://h/d", "http://a,ftp://b", "http://ann:s3cret@a"}) {
    const Status status = open_http_store(bad).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find("s3cret") == std::string::npos);
  }
}

}  // namespace featherid
