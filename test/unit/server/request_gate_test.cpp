// SPDX-License-Identifier: MIT
#include "server/http/request_gate.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

using Kind = GateVerdict::Kind;

const std::string kGet = "GET /a/b?x=1&y HTTP/1.1\r\n";
const std::string kHost = "Host: x\r\n\r\n";

}  // namespace

TEST_CASE("a request is split into its parts", "[request_gate]") {
  const std::string bytes =
      "POST /a/b?x=1&y HTTP/1.1\r\nhOsT:  example:80\t\r\nAuthorization: Bearer t\r\nContent-Type: "
      "text/plain\r\nOrigin: http://o\r\nTraceparent: 00-1\r\nUser-Agent: me\r\nAccept: */*\r\n"
      "Content-Length: 4\r\n\r\nbodyGET";
  const GateVerdict verdict = inspect_request(bytes);
  REQUIRE(verdict.kind == Kind::kRequest);
  CHECK(verdict.length_bytes == bytes.size() - 3);
  const HttpRequest& request = verdict.request;
  CHECK(request.method == "POST");
  CHECK(request.path == "/a/b");
  CHECK(request.query == "x=1&y");
  CHECK(request.host == "example:80");
  CHECK(request.authorization == "Bearer t");
  CHECK(request.content_type == "text/plain");
  CHECK(request.origin == "http://o");
  CHECK(request.traceparent == "00-1");
  CHECK(request.user_agent == "me");
  CHECK(request.body == "body");
  CHECK(request.keep_alive);
  CHECK(!request.via_proxy);
  CHECK(!request.cross_site);
}

TEST_CASE("every prefix of a request needs more", "[request_gate]") {
  const std::string bytes = "POST /a HTTP/1.1\r\nX: y\r\nContent-Length: 2\r\n" + kHost + "ab";
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO(bytes.substr(0, length));
    CHECK(inspect_request(bytes.substr(0, length)).kind == Kind::kNeedMore);
  }
  CHECK(inspect_request(bytes).kind == Kind::kRequest);
}

TEST_CASE("a connection stays open if version and headers allow it", "[request_gate]") {
  const auto keeps = [](const std::string& bytes) {
    const GateVerdict verdict = inspect_request(bytes);
    REQUIRE(verdict.kind == Kind::kRequest);
    return verdict.request.keep_alive;
  };
  CHECK(keeps(kGet + kHost));
  CHECK(keeps(kGet + "Connection: upgrade\r\n" + kHost));
  CHECK(!keeps(kGet + "Connection: Upgrade, CLOSE\r\n" + kHost));
  CHECK(!keeps("GET / HTTP/1.0\r\n\r\n"));
  CHECK(!keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("a proxy and another site's page are detected", "[request_gate]") {
  for (const char* header : {"Forwarded: for=x", "X-Forwarded-For: x", "x-forwarded-proto: x",
                             "X-Real-IP: x", "Via: x", "via:"}) {
    const std::string bytes = std::string(kGet).append(header).append("\r\n").append(kHost);
    INFO(bytes);
    CHECK(inspect_request(bytes).request.via_proxy);
  }
  CHECK(inspect_request(kGet + "Sec-Fetch-Site: cross-site\r\n" + kHost).request.cross_site);
  CHECK(inspect_request(kGet + "Sec-Fetch-Site: same-site\r\n" + kHost).request.cross_site);
  CHECK(!inspect_request(kGet + "Sec-Fetch-Site: same-origin\r\n" + kHost).request.cross_site);
}

TEST_CASE("a request that two parsers could read differently is rejected", "[request_gate]") {
  struct Case {
    std::string bytes;
    int status;
  };
  const std::string nul(1, '\0');
  const Case cases[] = {
      {"\r\n" + kGet + kHost, 400},
      {"\n", 400},
      {"GET / HTTP/1.1\n", 400},
      {"\x16\x03\x01", 400},
      {"GET\t/ HTTP/1.1\r\n", 400},
      {"GET / HTTP/1.1 \r\n", 400},
      {"GET  / HTTP/1.1\r\n", 400},
      {" GET / HTTP/1.1\r\n", 400},
      {"GET /\r\n", 400},
      {"G(T / HTTP/1.1\r\n", 400},
      {"GET x HTTP/1.1\r\n", 400},
      {"GET * HTTP/1.1\r\n", 400},
      {"OPTIONS */ HTTP/1.1\r\n", 400},
      {"GET x:80 HTTP/1.1\r\n", 400},
      {"GET ftp://x/ HTTP/1.1\r\n", 400},
      {"GET http:/x/ HTTP/1.1\r\n", 400},
      {"GET http:///a HTTP/1.1\r\n", 400},
      {"GET http://x#a HTTP/1.1\r\n", 400},
      {"GET /#a HTTP/1.1\r\n", 400},
      {"GET /a b HTTP/1.1\r\n", 400},
      {"GET /" + nul + " HTTP/1.1\r\n", 400},
      {"GET /\x7f HTTP/1.1\r\n", 400},
      {"GET / http/1.1\r\n", 400},
      {"GET / HTTP/1.2\r\n", 505},
      {"GET / HTTP/2.0\r\n", 505},
      {"get / HTTP/1.1\r\n", 501},
      {"CONNECT / HTTP/1.1\r\n", 501},
      {"PRI / HTTP/1.1\r\n", 501},
      {"GET /" + std::string(kTargetBytesMax, 'x') + " HTTP/1.1\r\n", 414},
      {std::string(kRequestLineBytesMax + 1, 'x'), 414},
      {kGet + "\r\n", 400},
      {kGet + "Host: a\r\nHost: a\r\n\r\n", 400},
      {kGet + "Host: a b\r\n\r\n", 400},
      {kGet + "Host: a/b\r\n\r\n", 400},
      {kGet + "Host: u@a\r\n\r\n", 400},
      {kGet + "X\r\n" + kHost, 400},
      {kGet + "X : y\r\n" + kHost, 400},
      {kGet + ": y\r\n" + kHost, 400},
      {kGet + " y\r\n" + kHost, 400},
      {kGet + "X: y\r\n z\r\n" + kHost, 400},
      {kGet + "X: a" + nul + "\r\n" + kHost, 400},
      {kGet + "X: a\rb\r\n" + kHost, 400},
      {kGet + "X: a\n" + kHost, 400},
      {kGet + "X(: a\r\n" + kHost, 400},
      {kGet + "Transfer-Encoding: chunked\r\n" + kHost, 501},
      {kGet + "transfer-encoding:\r\n" + kHost, 501},
      {kGet + "Content-Encoding: br\r\n" + kHost, 415},
      {kGet + "Content-Length: 0\r\nContent-Length: 0\r\n" + kHost, 400},
      {kGet + "Content-Length:\r\n" + kHost, 400},
      {kGet + "Content-Length: +1\r\n" + kHost, 400},
      {kGet + "Content-Length: -1\r\n" + kHost, 400},
      {kGet + "Content-Length: 0x1\r\n" + kHost, 400},
      {kGet + "Content-Length: 1, 1\r\n" + kHost, 400},
      {kGet + "Content-Length: 16385\r\n" + kHost, 413},
      {kGet + "Content-Length: 18446744073709551617\r\n" + kHost, 413},
      {kGet + "Authorization: a\r\nAuthorization: b\r\n" + kHost, 400},
      {kGet + "X: " + std::string(kHeaderLineBytesMax, 'x') + "\r\n" + kHost, 431},
      {kGet + std::string(kHeaderLineBytesMax + 1, 'x'), 431},
  };
  for (const Case& bad : cases) {
    INFO(bad.bytes.substr(0, 100));
    const GateVerdict verdict = inspect_request(bad.bytes);
    CHECK(verdict.kind == Kind::kReject);
    CHECK(verdict.status == bad.status);
    CHECK(!std::string(verdict.reason).empty());
  }
}

TEST_CASE("a target in absolute form is its path and query, and its authority replaces Host",
          "[request_gate]") {
  struct Case {
    std::string target;
    std::string host;
    std::string path;
    std::string query;
  };
  const Case cases[] = {
      {"http://ids.example/a/b?x=1", "ids.example", "/a/b", "x=1"},
      {"http://ids.example:8080/a", "ids.example:8080", "/a", ""},
      {"HTTPS://ids.example/a?", "ids.example", "/a", ""},
      {"hTtP://ids.example", "ids.example", "/", ""},
      {"http://ids.example?x=http://y/z", "ids.example", "/", "x=http://y/z"},
      {"http://[::1]:80?", "[::1]:80", "/", ""},
      {"http://[::ffff:127.0.0.1]/http://y", "[::ffff:127.0.0.1]", "/http://y", ""},
      {"http://ids.example://a", "ids.example:", "//a", ""},
      {"http://ids.example//a", "ids.example", "//a", ""},
  };
  for (const Case& good : cases) {
    for (const std::string& head :
         {std::string(" HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string(" HTTP/1.0\r\n\r\n"),
          std::string(" HTTP/1.1\r\nHost:\r\n\r\n")}) {
      const std::string bytes = std::string("GET ").append(good.target).append(head);
      INFO(bytes);
      const GateVerdict verdict = inspect_request(bytes);
      REQUIRE(verdict.kind == Kind::kRequest);
      CHECK(verdict.request.host == good.host);
      CHECK(verdict.request.path == good.path);
      CHECK(verdict.request.query == good.query);
    }
  }
}

TEST_CASE("an absolute form requires a valid host and the header Host", "[request_gate]") {
  for (const char* authority :
       {"",        ":80",     "u@x",       "localhost:80@x", "u:p@x:80", "@x",         "x@",
        "x:80:80", "x:y",     "x:-1",      "x:65536",        "x:8 0",    "[::1",       "::1",
        "[]",      "[::1]80", "[::1]x:80", "x[::1]",         "[x]",      "[::1%25lo]", "x\\",
        "x,y",     "x;y",     "x\"",       "localhost\\@y"}) {
    const std::string bytes = std::string("GET http://") + authority + "/ HTTP/1.1\r\n" + kHost;
    INFO(bytes);
    CHECK(inspect_request(bytes).status == 400);
  }
  const std::string get = "GET http://x/ HTTP/1.1\r\n";
  for (const char* host : {"", "Host: a b\r\n", "Host: u@x\r\n", "Host: x\r\nHost: x\r\n"}) {
    CHECK(inspect_request(get + host + "\r\n").status == 400);
  }
  CHECK(inspect_request("CONNECT x:80 HTTP/1.1\r\n" + kHost).status == 501);
}

TEST_CASE("OPTIONS * asks about the whole server, as OPTIONS / does", "[request_gate]") {
  const GateVerdict verdict = inspect_request("OPTIONS * HTTP/1.0\r\n\r\n");
  REQUIRE(verdict.kind == Kind::kRequest);
  CHECK(verdict.request.path == "/");
  CHECK(verdict.request.host.empty());
  for (const char* method : {"GET", "HEAD", "POST"}) {
    CHECK(inspect_request(method + (" * HTTP/1.1\r\n" + kHost)).status == 400);
  }
}

TEST_CASE("a rejection names the header or the limit", "[request_gate]") {
  const auto reason = [](const std::string& bytes) {
    return std::string(inspect_request(bytes).reason);
  };
  const auto names = [](const std::string& text, std::size_t limit) {
    INFO(text);
    return text.find(' ' + std::to_string(limit) + ' ') != std::string::npos;
  };
  for (const std::string header :
       {"Authorization", "Content-Length", "Content-Type", "Host", "Origin", "User-Agent"}) {
    CHECK(reason(kGet + header + ": 1\r\n" + header + ": 1\r\n") == header + " is given twice");
  }
  CHECK(names(reason(std::string(kRequestLineBytesMax + 1, 'x')), kRequestLineBytesMax));
  CHECK(names(reason("GET /" + std::string(kTargetBytesMax, 'x') + " HTTP/1.1\r\n"),
              kTargetBytesMax));
  CHECK(names(reason(kGet + std::string(kHeaderLineBytesMax + 1, 'x')), kHeaderLineBytesMax));
  const std::string line = "A: " + std::string(kHeaderLineBytesMax - 3, 'x') + "\r\n";
  CHECK(names(reason(kGet + line + line + line), kHeaderSectionBytesMax));
  std::string headers;
  for (int i = 0; i <= kHeadersMax; ++i) headers += "A: b\r\n";
  CHECK(names(reason(kGet + headers), kHeadersMax));
  CHECK(names(reason(kGet + "Content-Length: 99999\r\n" + kHost), kBodyBytesMax));
}

TEST_CASE("the limits are exact", "[request_gate]") {
  std::string headers;
  for (int i = 1; i < kHeadersMax; ++i) headers += "A: b\r\n";
  CHECK(inspect_request(kGet + headers + kHost).kind == Kind::kRequest);
  CHECK(inspect_request(kGet + headers + "A: b\r\n" + kHost).status == 431);

  const std::string target = "/" + std::string(kTargetBytesMax - 1, 'x');
  CHECK(inspect_request("GET " + target + " HTTP/1.1\r\n" + kHost).kind == Kind::kRequest);

  const std::string length = "Content-Length: " + std::to_string(kBodyBytesMax) + "\r\n";
  CHECK(inspect_request(kGet + length + kHost + std::string(kBodyBytesMax, 'x')).kind ==
        Kind::kRequest);

  // At most kRequestBytesMax bytes are requested, however they arrive.
  const std::string line = "A: " + std::string(4000, 'x') + "\r\n";
  std::string endless = "GET " + target + " HTTP/1.1\r\n" + length;
  while (endless.size() < kRequestBytesMax) endless += line;
  CHECK(inspect_request(endless).status == 431);
}

TEST_CASE("a repeated traceparent is ignored", "[request_gate]") {
  for (const int times : {1, 2, 3}) {
    std::string bytes = kGet + kHost.substr(0, kHost.size() - 2);
    for (int i = 0; i < times; ++i) bytes += "traceparent: 00-1\r\n";
    bytes += "\r\n";
    const GateVerdict verdict = inspect_request(bytes);
    REQUIRE(verdict.kind == Kind::kRequest);
    CHECK(verdict.request.traceparent == (times == 1 ? "00-1" : ""));
  }
}

TEST_CASE("the verdict does not depend on how the bytes were split", "[request_gate]") {
  // The longest allowed line, split between its CR and its LF.
  const std::string longest = kGet + "X: " + std::string(kHeaderLineBytesMax - 3, 'x') + "\r";
  CHECK(inspect_request(longest).kind == Kind::kNeedMore);
  CHECK(inspect_request(longest + "\n" + kHost).kind == Kind::kRequest);
  // The first error decides, even if more bytes have arrived.
  const std::string too_long = "GET /" + std::string(kRequestLineBytesMax, 'x');
  CHECK(inspect_request(too_long).status == 414);
  CHECK(inspect_request(too_long + "\n").status == 414);
  CHECK(inspect_request("\x16\x03").status == 400);
  CHECK(inspect_request("\x16 / HTTP/2.0\r\n").status == 400);
}

TEST_CASE("the limit that is passed first is named, however the bytes were split",
          "[request_gate][one_thread]") {
  // A last line that passes its own limit near the point where the section passes its limit.
  const std::string last = "B: " + std::string(kHeaderLineBytesMax, 'x');
  for (std::size_t before = 0; before < 8; ++before) {
    const std::size_t last_begin = kHeaderSectionBytesMax - kHeaderLineBytesMax - 4 + before;
    std::string headers = "A: " + std::string(kHeaderLineBytesMax - 3, 'x') + "\r\n";
    headers += "A: " + std::string(last_begin - headers.size() - 5, 'x') + "\r\n";
    REQUIRE(headers.size() == last_begin);
    for (const std::string end : {"x\r\n", "\r\r\n", "\n\r\n", "\r\nx\r\n"}) {
      const std::string bytes = kGet + headers + last.substr(0, kHeaderLineBytesMax) + end + kHost;
      const GateVerdict whole = inspect_request(bytes);
      for (std::size_t cut = kGet.size() + last_begin; cut < bytes.size(); ++cut) {
        const GateVerdict part = inspect_request(bytes.substr(0, cut));
        if (part.kind == Kind::kNeedMore) continue;
        INFO("last line at " << last_begin << ", cut at " << cut - kGet.size());
        REQUIRE(part.status == whole.status);
        REQUIRE(std::string(part.reason) == whole.reason);
      }
    }
  }
}

}  // namespace featherid
