// SPDX-License-Identifier: MIT
#include "lib/store/http/api_client.h"

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "lib/store/http/api_answer.h"
#include "test/support/catch.h"
#include "test/support/in_fork.h"
#include "test/support/patient.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/scripted_server.h"
#include "test/support/stopwatch.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::patient_client;
using test::ScriptedServer;
using Repeat = ApiClient::Repeat;

std::shared_ptr<ApiClient> open(
    const std::vector<std::string>& addresses,
    const HttpStoreOptions& options = patient_client<HttpStoreOptions>()) {
  Result<std::shared_ptr<ApiClient>> client = ApiClient::open(addresses, options, {});
  REQUIRE(client.ok());
  return *client;
}

std::string good(const std::string&) { return ScriptedServer::answer(200, 0, "7"); }
std::string closes(const std::string&) { return ""; }
std::string refuses(const std::string&) { return ScriptedServer::answer(503, 2, "null"); }

std::string gone() { return "http://127.0.0.1:" + std::to_string(test::free_port()); }

// How often a call of two servers is sent to each, in the order in which they are asked, and how it
// ends. The first one does as `script` says.
struct Outcome {
  std::size_t first = 0;
  std::size_t second = 0;
  StatusCode code = StatusCode::kOk;
};
Outcome call_both(ScriptedServer::Script script, Repeat repeat) {
  for (;;) {
    ScriptedServer first(script);
    ScriptedServer second(good);
    const auto client = open({first.url(), second.url()});
    if (client->url(0) != first.url()) continue;  // it begins with any
    const auto answer = client->call({"POST", "/x", {}, repeat});
    return {first.requests().size(), second.requests().size(), answer.status().code()};
  }
}

}  // namespace

TEST_CASE("a call has its parameters, percent-encoded", "[api_client]") {
  ScriptedServer server(good);
  const auto client = open({server.url()});
  const auto answer = client->call({"GET", "/x", {{"a", "号 &="}, {"b", ""}}});
  REQUIRE(answer.ok());
  CHECK(answer->data == 7);
  CHECK(answer->server == 0);
  CHECK(server.requests() == std::vector<std::string>{"GET /x?a=%E5%8F%B7%20%26%3D&b= HTTP/1.1"});
}

TEST_CASE("connections are kept", "[api_client]") {
  ScriptedServer server(good);
  const auto client = open({server.url()});
  for (int i = 0; i < 5; ++i) CHECK(client->call({"GET", "/x", {}}).ok());
  CHECK(server.accepted() == 1);
}

TEST_CASE("a server that cannot be reached is passed over, whatever the call", "[api_client]") {
  for (const Repeat repeat : {Repeat::kNever, Repeat::kIfRefused, Repeat::kAlways}) {
    ScriptedServer server(good);
    const auto client = open({gone(), server.url(), gone()});
    for (int i = 0; i < 3; ++i) CHECK(client->call({"POST", "/x", {}, repeat}).ok());
    CHECK(server.requests().size() == 3);
  }
}

TEST_CASE("what was sent and not answered is sent again only if that is harmless", "[api_client]") {
  for (const Repeat repeat : {Repeat::kNever, Repeat::kIfRefused}) {
    const Outcome once = call_both(closes, repeat);
    CHECK(once.first == 1);
    CHECK(once.second == 0);
    CHECK(once.code == StatusCode::kUnavailable);
  }
  const Outcome again = call_both(closes, Repeat::kAlways);
  CHECK(again.first == 1);
  CHECK(again.second == 1);
  CHECK(again.code == StatusCode::kOk);
}

TEST_CASE("what a server refused is asked elsewhere, but no change", "[api_client]") {
  const Outcome once = call_both(refuses, Repeat::kNever);
  CHECK(once.second == 0);
  CHECK(once.code == StatusCode::kUnavailable);
  for (const Repeat repeat : {Repeat::kIfRefused, Repeat::kAlways}) {
    const Outcome again = call_both(refuses, repeat);
    CHECK(again.first == 1);
    CHECK(again.second == 1);
    CHECK(again.code == StatusCode::kOk);
  }
}

TEST_CASE("what a server has decided is not asked elsewhere", "[api_client]") {
  for (const auto& [status, code] : {std::pair<int, int>(404, 4), {409, 8}, {400, 1}, {401, 5}}) {
    const auto decides = [status = status, code = code](const std::string&) {
      return ScriptedServer::answer(status, code, "null");
    };
    CHECK(call_both(decides, Repeat::kAlways).second == 0);
  }
}

TEST_CASE("a server that failed comes last for a while", "[api_client]") {
  ScriptedServer bad(refuses);
  ScriptedServer server(good);
  const auto client = open({bad.url(), server.url()});
  for (int i = 0; i < 10; ++i) CHECK(client->call({"GET", "/x", {}, Repeat::kAlways}).ok());
  CHECK(bad.requests().size() <= 1);
}

TEST_CASE("first choices are spread", "[api_client]") {
  bool other = false;
  for (int i = 0; i < 200 && !other; ++i) {
    other = open({"http://a:1", "http://b:1"})->url(0) == "http://b:1";
  }
  CHECK(other);
}

TEST_CASE("a call for one server goes to no other", "[api_client]") {
  ScriptedServer server(good);
  const auto client = open({gone(), server.url()});
  const std::size_t dead = client->url(0) == server.url() ? 1 : 0;
  CHECK(client->call({"POST", "/x", {}, Repeat::kNever, dead}).status().code() ==
        StatusCode::kUnavailable);
  CHECK(server.requests().empty());
  CHECK(client->call({"POST", "/x", {}, Repeat::kNever, 1 - dead}).ok());
}

TEST_CASE("a call ends in time if all servers are silent", "[api_client]") {
  const test::BlackHole first;
  const test::BlackHole second;
  HttpStoreOptions options;
  options.call_timeout = milliseconds(400);
  options.connect_timeout = milliseconds(100);
  const auto client = open({"http://127.0.0.1:" + std::to_string(first.port()),
                            "http://127.0.0.1:" + std::to_string(second.port())},
                           options);
  const test::Stopwatch watch;
  CHECK(client->call({"GET", "/x", {}, Repeat::kAlways}).status().code() ==
        StatusCode::kUnavailable);
  CHECK(watch.elapsed() < seconds(10));
}

TEST_CASE("options and files that cannot be used are refused", "[api_client]") {
  const test::ScratchDir scratch;
  const auto refused = [](const std::vector<std::string>& addresses,
                          const HttpStoreOptions& options) {
    const Status status = ApiClient::open(addresses, options, {}).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    return status.message();
  };
  refused({}, {});
  refused(std::vector<std::string>(17, "http://a:1"), {});
  CHECK(refused({"ftp://a"}, {}).find("the address of the server: ") == 0);
  HttpStoreOptions options;
  options.ca_file = scratch.file("nothing");
  CHECK(refused({"http://a"}, options).find(scratch.file("nothing")) != std::string::npos);
  options = {};
  options.token_file = scratch.file("nothing");
  CHECK(refused({"http://a"}, options).find("cannot be read") != std::string::npos);
  std::ofstream(scratch.file("empty")) << "# only this\n\n";
  options.token_file = scratch.file("empty");
  CHECK(refused({"http://a"}, options).find("contains no token") != std::string::npos);
  std::ofstream(scratch.file("tokens")) << "ann admin s3cret\n";
  options.token_file = scratch.file("tokens");
  CHECK(refused({"http://a"}, options).find("s3cret") == std::string::npos);
  options = {};
  options.token = "two words";
  refused({"http://a"}, options);
  options = {};
  options.call_timeout = milliseconds(99);
  refused({"http://a"}, options);
  options.call_timeout = milliseconds(500);
  refused({"http://a"}, options);  // shorter than connect_timeout
}

TEST_CASE("a new connection reads the token's file again", "[api_client]") {
  const test::ScratchDir scratch;
  test::SharedText seen;
  ScriptedServer server([&seen](const std::string& request) {
    seen.set(request);
    return ScriptedServer::answer(401, 5, "null");
  });
  auto options = patient_client<HttpStoreOptions>();
  options.token_file = scratch.file("token");
  std::ofstream(options.token_file) << "# of the shop\nfirst\n";
  const auto client = open({server.url()}, options);
  const auto sends = [&](const std::string& token) {
    CHECK(client->call({"GET", "/x", {}}).status().code() == StatusCode::kFailedPrecondition);
    return seen.get().find("Bearer " + token + "\r\n") != std::string::npos;
  };
  CHECK(sends("first"));
  std::ofstream(options.token_file) << "second\n";
  CHECK(sends("second"));
  std::ofstream(options.token_file, std::ios::trunc).flush();
  CHECK(sends("second"));
}

TEST_CASE("a child after fork() makes no call, and leaves the parent's connections alone",
          "[api_client][fork]") {
  ScriptedServer server(good);
  auto client = open({server.url()});
  REQUIRE(client->call({"GET", "/x", {}}).ok());
  const int failed = test::failures_in_fork([&] {
    const bool refused =
        client->call({"GET", "/x", {}}).status().code() == StatusCode::kFailedPrecondition;
    client.reset();
    return refused ? 0 : 1;
  });
  CHECK(failed == 0);
  CHECK(client->call({"GET", "/x", {}}).ok());
  CHECK(server.accepted() == 1);
}

}  // namespace featherid
