// SPDX-License-Identifier: MIT
#include "server/http/reply.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a date is spelled as HTTP has it", "[reply]") {
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(951827696) == "Tue, 29 Feb 2000 12:34:56 GMT");
  CHECK(http_date(4102444799) == "Thu, 31 Dec 2099 23:59:59 GMT");
}

TEST_CASE("an answer is rendered, and says no more than is so", "[reply]") {
  Reply reply;
  reply.date = "Thu, 01 Jan 1970 00:00:00 GMT";
  reply.succeed("1");
  const auto rendered = [&reply](bool head, bool close) {
    std::string text = "before";
    append_response(reply, head, close, &text);
    return text;
  };
  const std::string rest =
      "Cache-Control: no-store\r\nContent-Length: 35\r\nContent-Type: application/json\r\n"
      "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n";
  const std::string body = R"({"code":0,"msg":"success","data":1})";
  CHECK(rendered(false, false) == "beforeHTTP/1.1 200 OK\r\n" + rest + body);
  CHECK(rendered(true, false) == "beforeHTTP/1.1 200 OK\r\n" + rest);
  CHECK(rendered(false, true) == "beforeHTTP/1.1 200 OK\r\nConnection: close\r\n" + rest + body);
}

TEST_CASE("an error names its request, and when to try again", "[reply]") {
  Reply reply;
  reply.request_number = 0xab;
  std::string text;
  reply.fail_for_now("so \"what\"\n");
  append_response(reply, false, false, &text);
  CAPTURE(text);
  CHECK(text.find("HTTP/1.1 503 Service Unavailable\r\n") == 0);
  CHECK(text.find("\r\nRetry-After: 1\r\nX-Request-Id: 00000000000000ab\r\n\r\n") !=
        std::string::npos);
  CHECK(text.find(R"({"code":2,"msg":"so \"what\"\u000a","data":null})") != std::string::npos);
  reply = {};
  reply.request_number = 0xab;
  reply.succeed("1");
  text.clear();
  append_response(reply, false, false, &text);
  CHECK(text.find("X-Request-Id") == std::string::npos);
}

}  // namespace featherid
