// SPDX-License-Identifier: MIT
#include "server/api/auth.h"

#include <fstream>
#include <string>
#include <vector>

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

Token token_of(const std::string& text) { return *parse_token(text); }

Token reader(const std::string& text) {
  Token token = token_of(text);
  token.name = "shop";
  token.role = Role::kRead;
  return token;
}

// 200 if it is allowed, else the status of the refusal.
int verdict(const Auth& auth, const HttpRequest& request, bool peer_is_loopback = true,
            Effect effect = Effect::kChanges) {
  Exchange exchange(request, peer_is_loopback, {});
  const bool allowed = auth.permits(exchange, effect);
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
  Auth auth({token_of("old")}, false);
  HttpRequest request = from_here();
  request.authorization = "Bearer new";
  CHECK(verdict(auth, request) == 401);
  auth.change({token_of("new"), token_of("old")}, false);
  CHECK(verdict(auth, request) == 200);
  auth.change({token_of("newer")}, false);
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
    CHECK(!auth.permits(exchange, Effect::kChanges));
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
  const Auth auth({token_of("first"), token_of("second")}, false);
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
  CHECK(!auth.permits(exchange, Effect::kChanges));
  CHECK(test::header_of(exchange.reply, "WWW-Authenticate") == "Bearer");
}

TEST_CASE("leases require a token of their own, or an administrator's", "[auth]") {
  Token leaser = token_of("leaser");
  leaser.name = "shop";
  leaser.role = Role::kLease;
  const Auth auth({token_of("boss"), leaser, reader("looks")}, false);
  HttpRequest request = from_here();
  CHECK(verdict(auth, request, true, Effect::kLeases) == 401);
  const auto as = [&](const char* token, Effect effect) {
    request.authorization = token;
    return verdict(auth, request, false, effect);
  };
  CHECK(as("Bearer boss", Effect::kLeases) == 200);
  CHECK(as("Bearer leaser", Effect::kLeases) == 200);
  CHECK(as("Bearer leaser", Effect::kReads) == 200);
  CHECK(as("Bearer leaser", Effect::kUsesIds) == 200);
  CHECK(as("Bearer leaser", Effect::kChanges) == 403);
  CHECK(as("Bearer looks", Effect::kLeases) == 403);
  CHECK(as("Bearer looks", Effect::kReads) == 200);
  CHECK(as("Bearer nobody", Effect::kLeases) == 401);
  Exchange exchange(request, true, {});
  request.authorization = "Bearer looks";
  CHECK_FALSE(auth.permits(exchange, Effect::kLeases));
  CHECK(exchange.reply.body.find("may only read; this requires one whose role is lease or admin") !=
        std::string::npos);
}

TEST_CASE("without tokens of administrators, only this machine may lease", "[auth]") {
  Token leaser = token_of("leaser");
  leaser.role = Role::kLease;
  for (const std::vector<Token>& tokens : {std::vector<Token>{}, {leaser}}) {
    const Auth auth(tokens, false);
    CHECK_FALSE(auth.closed());
    HttpRequest request = from_here();
    CHECK(verdict(auth, request, true, Effect::kLeases) == 200);
    CHECK(verdict(auth, request, false, Effect::kLeases) == 403);
    request.origin = "http://evil.example";
    CHECK(verdict(auth, request, true, Effect::kLeases) == 403);
    request = from_here();
    request.authorization = "Bearer leaser";
    CHECK(verdict(auth, request, false, Effect::kLeases) == (tokens.empty() ? 403 : 200));
  }
}

TEST_CASE("a token with the role read closes reading and ids to strangers", "[auth]") {
  Auth auth({token_of("boss")}, false);
  CHECK_FALSE(auth.closed());
  auth.change({token_of("boss"), reader("shop-token")}, false);
  CHECK(auth.closed());
  HttpRequest request = from_here();
  for (const Effect effect : {Effect::kReads, Effect::kUsesIds}) {
    request.authorization = "";
    CHECK(verdict(auth, request, true, effect) == 401);  // local, but there is an admin token
    request.authorization = "Bearer wrong";
    CHECK(verdict(auth, request, false, effect) == 401);
    request.authorization = "Bearer shop-token";
    CHECK(verdict(auth, request, false, effect) == 200);
    request.authorization = "Bearer boss";
    CHECK(verdict(auth, request, false, effect) == 200);
  }
  CHECK(verdict(auth, request, false) == 200);
  request.authorization = "Bearer shop-token";
  CHECK(verdict(auth, request) == 403);
  Exchange exchange(request, true, {});
  CHECK_FALSE(auth.permits(exchange, Effect::kChanges));
  CHECK(exchange.reply.body.find("'shop' may only read") != std::string::npos);

  auth.change({reader("shop-token")}, false);  // without an administrator's, this machine may
  CHECK(verdict(auth, request) == 403);        // but not by that token
  request.authorization = "";
  CHECK(verdict(auth, request) == 200);
  request.authorization = "Bearer shop-token";
  CHECK(verdict(auth, request, false) == 403);
  CHECK(verdict(auth, request, false, Effect::kReads) == 200);
  request.authorization = "";
  CHECK(verdict(auth, request, true, Effect::kUsesIds) == 200);
  CHECK(verdict(auth, request, false, Effect::kUsesIds) == 401);
  request.cross_site = true;
  CHECK(verdict(auth, request, true, Effect::kReads) == 401);
  auth.change({}, false);
  CHECK_FALSE(auth.closed());
}

TEST_CASE("who may do something has a name", "[auth]") {
  const auto who = [](const Auth& auth, const HttpRequest& request, Effect effect) {
    Exchange exchange(request, true, {});
    CHECK(auth.permits(exchange, effect));
    return exchange.who;
  };
  HttpRequest request = from_here();
  CHECK(who(Auth({}, false), request, Effect::kChanges) == "loopback");
  request.authorization = "Bearer shop-token";
  const Auth auth({reader("shop-token"), token_of("boss")}, false);
  CHECK(who(auth, request, Effect::kReads) == "shop");
  request.authorization = "Bearer boss";
  CHECK(who(auth, request, Effect::kChanges) == "admin");
}

TEST_CASE("a hashed token is presented in clear, and its hash is no token", "[auth]") {
  // printf %s secret | sha256sum
  const std::string hashed =
      "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
  CHECK(token_of(hashed) == token_of("secret"));
  CHECK(token_of("sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B") ==
        token_of("secret"));
  const Auth auth({token_of(hashed)}, false);
  HttpRequest request = from_here();
  request.authorization = "Bearer secret";
  CHECK(verdict(auth, request) == 200);
  const std::string by_hash = "Bearer " + hashed;
  request.authorization = by_hash;
  CHECK(verdict(auth, request) == 401);
  for (const std::string& bad :
       {std::string("sha256:"), hashed + "0", hashed.substr(0, hashed.size() - 1),
        hashed.substr(0, hashed.size() - 1) + "g", hashed.substr(0, hashed.size() - 2) + "+1",
        hashed.substr(0, hashed.size() - 2) + "0x", std::string("a b"), std::string("a\x7f"),
        std::string()}) {
    CAPTURE(bad);
    const Status status = parse_token(bad).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    if (bad.size() > 7) CHECK(status.message().find(bad.substr(7)) == std::string::npos);
  }
}

TEST_CASE("a token file holds one token a line", "[auth]") {
  const test::ScratchDir scratch;
  const std::string path = scratch.file("tokens");
  const auto read = [&path](const std::string& text) {
    std::ofstream(path) << text;
    return read_token_file(path);
  };
  const std::vector<Token> two = {token_of("one"), token_of("two")};
  CHECK(*read("# ours\none\r\n\ntwo") == two);
  CHECK(*read("one  \ntwo\t \r\n \t\n") == two);
  CHECK(read("").status().code() == StatusCode::kInvalidArgument);
  CHECK(read_token_file(scratch.file("none")).status().code() == StatusCode::kInvalidArgument);

  const Result<std::vector<Token>> named = read("ann admin one\n  shop \t read  two \r\n");
  REQUIRE(named.ok());
  REQUIRE(named->size() == 2);
  CHECK((*named)[0].name == "ann");
  CHECK((*named)[0].role == Role::kAdmin);
  CHECK((*named)[0].digest == two[0].digest);
  CHECK((*named)[1].name == "shop");
  CHECK((*named)[1].role == Role::kRead);
  CHECK((*named)[1].digest == two[1].digest);
  CHECK(two[0].name == "admin");
  CHECK(two[0].role == Role::kAdmin);

  const std::string long_name(65, 'n');
  for (const std::string& bad :
       {std::string("sec ret"), std::string("sec ret more"), std::string("sec READ ret"),
        std::string("sec admin ret more"), std::string("sec\x7f admin ret"),
        std::string("sec admin r\x80t"), long_name + " read sec", std::string("sec sha256:ab")}) {
    CAPTURE(bad);
    const Status status = read("# ours\n\n" + bad + "\n").status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find(path + ": line 3: ") == 0);
    CHECK(status.message().find("sec") == std::string::npos);
    CHECK(status.message().find("ret") == std::string::npos);
  }
}

}  // namespace featherid
