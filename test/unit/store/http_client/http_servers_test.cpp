// SPDX-License-Identifier: MIT
// Which server a call goes to is tested with ApiClient, which is made of it.
#include "lib/store/http_client/http_servers.h"

#include <chrono>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/patient.h"
#include "test/support/scripted_server.h"

namespace featherid {

namespace {

using test::ScriptedServer;

HttpServers::Options options() {
  auto options = test::patient_client<HttpServers::Options>();
  options.judge = [](const HttpAnswer& answer, const std::string& url) {
    return answer.status < 500 ? Status() : Status(StatusCode::kUnavailable, url + " fails");
  };
  return options;
}

std::string good(const std::string&) { return ScriptedServer::answer(200, 0, "7"); }

}  // namespace

TEST_CASE("a body and a header of its own go with a call", "[http_servers]") {
  test::SharedText seen;
  ScriptedServer server([&seen](const std::string& request) {
    seen.set(request);
    return good(request);
  });
  HttpServers servers({*parse_http_address(server.url())}, options());
  REQUIRE(servers.call({{"POST", "/x", R"({"a":1})", "word"}}).ok());
  CHECK(seen.get().find("\r\nAuthorization: word\r\n") != std::string::npos);
  CHECK(seen.get().find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(seen.get().substr(seen.get().find("\r\n\r\n") + 4) == R"({"a":1})");
}

TEST_CASE("a failure drops the idle connections of its server", "[http_servers]") {
  test::SharedText reply;
  ScriptedServer server([&reply](const std::string&) { return reply.get(); });
  HttpServers servers({*parse_http_address(server.url())}, options());
  reply.set(good(""));
  REQUIRE(servers.call({{"GET", "/x"}}).ok());
  CHECK(server.accepted() == 1);
  reply.set(ScriptedServer::answer(503, 2, "null"));
  CHECK(servers.call({{"GET", "/x"}}).status().message() == server.url() + " fails");
  reply.set(good(""));
  REQUIRE(servers.call({{"GET", "/x"}}).ok());
  CHECK(server.accepted() == 2);
}

TEST_CASE("a server that must be healthy gets nothing before it is", "[http_servers]") {
  test::SharedText health;
  ScriptedServer server([&health](const std::string& request) {
    return request.rfind("GET /health ", 0) == 0 ? health.get() : good(request);
  });
  HttpServers::Options must = options();
  must.access.opening = "/health";
  must.access.must_be_healthy = true;
  HttpServers servers({*parse_http_address(server.url())}, must);
  health.set(ScriptedServer::answer(503, 2, "null"));
  const Status refused = servers.call({{"POST", "/x"}}).status();
  INFO(refused);
  CHECK(refused.message().find(server.url() + " says that it cannot serve: ") == 0);
  health.set(good(""));
  CHECK(servers.call({{"POST", "/x"}}).ok());
  CHECK(server.requests().back() == "POST /x HTTP/1.1");
}

TEST_CASE("a call that is never repeated goes on after an answer that proves that nothing was done",
          "[http_servers]") {
  ScriptedServer busy([](const std::string&) { return ScriptedServer::answer(503, 2, "null"); });
  ScriptedServer free(good);
  HttpServers::Options proves = options();
  const std::vector<HttpAddress> both = {*parse_http_address(busy.url()),
                                         *parse_http_address(free.url())};
  std::size_t refused = 0;
  for (int i = 0; i < 20; ++i) {  // each begins with one of them at random
    HttpServers servers(both, proves);
    refused += servers.call({{"POST", "/x"}}).ok() ? 0U : 1U;
  }
  CHECK(refused == busy.requests().size());
  CHECK(refused > 0);
  proves.proves_undone = [](const HttpAnswer& answer) { return answer.status == 503; };
  for (int i = 0; i < 20; ++i) {
    HttpServers servers(both, proves);
    CHECK(servers.call({{"POST", "/x"}}).ok());
  }
  CHECK(busy.requests().size() > refused);
}

// As etcd 3.4 refuses.
TEST_CASE("a refusal that ends in trailer fields is an answer", "[http_servers]") {
  ScriptedServer server([](const std::string&) {
    return std::string(
        "HTTP/1.1 412 Precondition Failed\r\nTrailer: Grpc-Trailer-Content-Type\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        "Grpc-Trailer-Content-Type: application/grpc\r\n\r\n");
  });
  HttpServers servers({*parse_http_address(server.url())}, options());
  const auto answer = servers.call({{"POST", "/x"}});
  REQUIRE(answer.ok());
  CHECK(answer->http.status == 412);
  CHECK(answer->http.body == "{}");
}

TEST_CASE("a call may have a deadline of its own", "[http_servers]") {
  ScriptedServer server(good);
  HttpServers servers({*parse_http_address(server.url())}, options());
  HttpServers::Call call{{"GET", "/x"}};
  call.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  CHECK(servers.call(call).status().code() == StatusCode::kUnavailable);
  CHECK(server.accepted() == 0);
}

}  // namespace featherid
