// SPDX-License-Identifier: MIT
#include "server/api/auth.h"

#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/route_client.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

HttpRequest from_here() {
  HttpRequest request;
  request.host = "127.0.0.1:8080";
  return request;
}

// 200 when the change is allowed, else the status of the refusal.
int verdict(const Auth& auth, const HttpRequest& request, bool peer_is_loopback = true) {
  Exchange exchange(request, peer_is_loopback, {});
  const bool allowed = auth.may_change(exchange);
  CHECK(allowed == (exchange.reply.status == 200));
  return exchange.reply.status;
}

}  // namespace

TEST_CASE("without tokens, only this machine may change anything", "[auth]") {
  const Auth auth({}, false);
  HttpRequest request = from_here();
  CHECK(verdict(auth, request) == 200);
  CHECK(verdict(auth, request, false) == 403);
  request.via_proxy = true;
  CHECK(verdict(auth, request) == 403);
}

TEST_CASE("a page of another site may change nothing", "[auth]") {
  const Auth auth({}, false);
  HttpRequest request = from_here();
  request.origin = "http://127.0.0.1:8080";
  CHECK(verdict(auth, request) == 200);
  for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1:8080"}) {
    request.origin = origin;
    CHECK(verdict(auth, request) == 403);
  }
  request = from_here();
  request.cross_site = true;
  CHECK(verdict(auth, request) == 403);
}

TEST_CASE("the pages of a server that speaks TLS are https", "[auth]") {
  Auth auth({}, true);
  HttpRequest request = from_here();
  request.origin = "https://127.0.0.1:8080";
  CHECK(verdict(auth, request) == 200);
  request.origin = "http://127.0.0.1:8080";
  CHECK(verdict(auth, request) == 403);
  auth.change({}, false);
  CHECK(verdict(auth, request) == 200);
}

TEST_CASE("tokens can change while requests come", "[auth]") {
  Auth auth({"old"}, false);
  HttpRequest request = from_here();
  request.authorization = "Bearer new";
  CHECK(verdict(auth, request) == 401);
  auth.change({"new", "old"}, false);
  CHECK(verdict(auth, request) == 200);
  auth.change({"newer"}, false);
  CHECK(verdict(auth, request) == 401);
  auth.change({}, false);
  CHECK(verdict(auth, request) == 200);
  CHECK(verdict(auth, request, false) == 403);
}

TEST_CASE("a name that another site has pointed here is not this machine", "[auth]") {
  const Auth auth({}, false);
  HttpRequest request;
  for (const char* host : {"", "localhost", "localhost:1", "LocalHost:1", "127.0.0.1",
                           "127.8.9.1:80", "[::1]", "[::1]:8080"}) {
    INFO(host);
    request.host = host;
    CHECK(verdict(auth, request) == 200);
  }
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.evil",
                           "10.0.0.1", "[::2]:80", "localhost.evil"}) {
    INFO(host);
    request.host = host;
    CHECK(verdict(auth, request) == 403);
  }
}

TEST_CASE("a refusal names the header that it is about", "[auth]") {
  const Auth auth({}, false);
  const auto refusal = [&auth](const HttpRequest& request) {
    Exchange exchange(request, true, {});
    CHECK(!auth.may_change(exchange));
    return exchange.reply.body;
  };
  HttpRequest request = from_here();
  request.host = "ids.example";
  CHECK(refusal(request).find("the header Host ") != std::string::npos);
  CHECK(refusal(request).find("--admin-token-file") != std::string::npos);
  request = from_here();
  request.origin = "http://evil.example";
  CHECK(refusal(request).find("the header Origin ") != std::string::npos);
}

TEST_CASE("with tokens, one is always needed and suffices", "[auth]") {
  const Auth auth({"first", "second"}, false);
  HttpRequest request = from_here();
  CHECK(verdict(auth, request) == 401);
  for (const char* given : {"Bearer first", "bearer second"}) {
    request.authorization = given;
    CHECK(verdict(auth, request) == 200);
    CHECK(verdict(auth, request, false) == 200);
  }
  request.via_proxy = true;
  request.origin = "http://elsewhere";
  CHECK(verdict(auth, request) == 200);
  for (const char* given : {"", "Bearer", "Bearer ", "Bearer firs", "Bearer firstfirst",
                            "Bearer  first", "Basic first", "first", "Bearer secons", "Bearer f",
                            "Bearer first second", "Bearer first,second", "Bearer\tfirst"}) {
    INFO(given);
    request.authorization = given;
    CHECK(verdict(auth, request) == 401);
  }
  Exchange exchange(request, true, {});
  CHECK(!auth.may_change(exchange));
  CHECK(test::header_of(exchange.reply, "WWW-Authenticate") == "Bearer");
}

TEST_CASE("a token file holds one token a line", "[auth]") {
  const test::ScratchDir scratch;
  const std::string path = scratch.file("tokens");
  const auto read = [&path](const std::string& text) {
    std::ofstream(path) << text;
    return read_token_file(path);
  };
  CHECK(*read("# ours\none\r\n\ntwo") == std::vector<std::string>{"one", "two"});
  CHECK(*read("one  \ntwo\t \r\n \t\n") == std::vector<std::string>{"one", "two"});
  CHECK(read("").status().code() == StatusCode::kInvalidArgument);
  CHECK(read_token_file(scratch.file("none")).status().code() == StatusCode::kInvalidArgument);
  const Status bad = read("# ours\n\nsec ret\n").status();
  CHECK(bad.code() == StatusCode::kInvalidArgument);
  CHECK(bad.message().find(path + ": line 3: ") == 0);
  CHECK(bad.message().find("sec ret") == std::string::npos);
}

}  // namespace featherid
