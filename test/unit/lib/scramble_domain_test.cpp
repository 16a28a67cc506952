// SPDX-License-Identifier: MIT
#include "lib/format/scramble_domain.h"

#include <limits>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a domain is a number of digits or of bits", "[scramble_domain]") {
  CHECK(parse_scramble_domain("6digits")->id_max() == 999999);
  CHECK(parse_scramble_domain("18digits")->id_max() == 999999999999999999);
  CHECK(parse_scramble_domain("20bits")->id_max() == 1048575);
  CHECK(parse_scramble_domain("63bits")->id_max() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("other domains are refused", "[scramble_domain]") {
  for (const char* const text :
       {"", "9", "digits", "5digits", "19digits", "19bits", "64bits", "-9digits", "09digits",
        "9 digits", "9digit", "9digitss", "99999999999digits"}) {
    CAPTURE(text);
    const Status status = parse_scramble_domain(text).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK_THAT(status.message(), Contains("6digits to 18digits"));
  }
}

}  // namespace featherid
