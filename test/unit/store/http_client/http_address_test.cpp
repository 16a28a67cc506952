// SPDX-License-Identifier: MIT
#include "lib/store/http_client/http_address.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("addresses of servers are separated by commas or blanks", "[http_address]") {
  using Texts = std::vector<std::string>;
  CHECK(split_http_addresses("http://a:1,http://b:2") == Texts{"http://a:1", "http://b:2"});
  CHECK(split_http_addresses(" http://a:1 ,\n http://b:2, ") == Texts{"http://a:1", "http://b:2"});
  CHECK(split_http_addresses(" , ").empty());
}

TEST_CASE("an address of a server has a scheme, a host and perhaps a port", "[http_address]") {
  const auto check = [](const char* text, const char* url, const char* host, int port) {
    CAPTURE(text);
    const Result<HttpAddress> address = parse_http_address(text);
    REQUIRE(address.ok());
    CHECK(address->url == url);
    CHECK(address->host == host);
    CHECK(address->port == port);
  };
  check("http://ids.example:8080", "http://ids.example:8080", "ids.example", 8080);
  check("https://ids.example/", "https://ids.example:443", "ids.example", 443);
  check("http://127.0.0.1", "http://127.0.0.1:80", "127.0.0.1", 80);
  check("https://[::1]:8443", "https://[::1]:8443", "::1", 8443);
}

TEST_CASE("what else may be in a URL is refused, and not shown", "[http_address]") {
  for (const char* text :
       {"", "ids.example:8080", "ftp://ids.example", "http://", "http://:80",
        "http://a:", "http://a:0", "http://a:65536", "http://a:80x",
        "http://ann:s3cret@ids.example", "http://s3cret/path", "http://a?token=s3cret",
        "http://a b", "http://[::1", "HTTP://a", "http://a:80:80", "http://a//"}) {
    CAPTURE(text);
    const Status refused = parse_http_address(text).status();
    CHECK(refused.code() == StatusCode::kInvalidArgument);
    CHECK(refused.message().find("s3cret") == std::string::npos);
  }
}

}  // namespace featherid
