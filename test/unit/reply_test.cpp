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

}  // namespace featherid
