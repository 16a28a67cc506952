// SPDX-License-Identifier: MIT
#include "server/http/stream.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("loopback is loopback, as IPv6 too", "[stream]") {
  for (const char* here :
       {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::ffff:127.8.9.1"}) {
    INFO(here);
    CHECK(is_loopback(asio::ip::make_address(here)));
  }
  for (const char* elsewhere :
       {"10.0.0.1", "128.0.0.1", "0.0.0.0", "::", "::2", "fe80::1", "::127.0.0.1",
        "::ffff:10.0.0.1", "::ffff:128.0.0.1", "64:ff9b::127.0.0.1"}) {
    INFO(elsewhere);
    CHECK(!is_loopback(asio::ip::make_address(elsewhere)));
  }
}

}  // namespace featherid
