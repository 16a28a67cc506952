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

TEST_CASE("a series is near an end when three quarters of it are used up", "[cap]") {
  const auto name = [](std::int64_t max_id, std::int64_t cap) {
    const std::optional<SeriesEnd> end = near_end(max_id, cap);
    return std::string(end ? end->name : "");
  };
  constexpr std::int64_t kInt32 = 2147483647;
  CHECK(name(0, kIdMax).empty());
  CHECK(name(1610612735, kIdMax).empty());
  CHECK(name(1610612736, kIdMax) == "int32");
  CHECK(name(kInt32, kIdMax) == "int32");
  CHECK(name(kInt32 + 1, kIdMax).empty());  // whatever it was for, that was no end
  CHECK(name(9007199254740991, kIdMax) == "2^53");
  CHECK(name(9007199254740992, kIdMax).empty());
  CHECK(name(kIdMax, kIdMax) == "2^63");
  CHECK(name(74, 99).empty());
  CHECK(name(75, 99) == "cap");
  CHECK(name(99, 99) == "cap");
  CHECK(name(200, 99) == "cap");  // advanced past it
  CHECK(name(0, 1).empty());
  CHECK(name(kInt32, 1000000000000) == "int32");  // far from its cap
  CHECK(name(kInt32, kInt32) == "cap");
  CHECK(near_end(75, 99)->last_id == 99);
}

}  // namespace featherid
