// SPDX-License-Identifier: MIT
#include "server/store/cap.h"

#include <string>

#include "featherid/id_range.h"
#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a cap is a word, a number of digits, or a number", "[cap]") {
  CHECK(parse_cap("none").value() == kIdMax);
  CHECK(parse_cap("int32").value() == 2147483647);
  CHECK(parse_cap("2^53").value() == 9007199254740992);
  CHECK(parse_cap("1digits").value() == 9);
  CHECK(parse_cap("12digits").value() == 999999999999);
  CHECK(parse_cap("18digits").value() == 999999999999999999);
  CHECK(parse_cap("1").value() == 1);
  CHECK(parse_cap("9223372036854775806").value() == kIdMax);
  for (const char* bad : {"",
                          "0",
                          "-1",
                          "+1",
                          " 1",
                          "1 ",
                          "1e3",
                          "0x10",
                          "9223372036854775807",
                          "99999999999999999999",
                          "digits",
                          "0digits",
                          "19digits",
                          "-1digits",
                          "1 digits",
                          "12digit",
                          "None",
                          "int64",
                          "2^31",
                          "1\n"}) {
    CAPTURE(bad);
    const Status status = parse_cap(bad).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find("none, int32, 2^53, 1digits to 18digits") != std::string::npos);
  }
}

}  // namespace featherid
