// SPDX-License-Identifier: MIT
#include "lib/base/percent.h"

#include <cstdio>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("every byte has an escape, and other text stays", "[percent]") {
  for (int byte = 0; byte < 256; ++byte) {
    char escape[4];
    std::snprintf(escape, sizeof escape, byte % 2 == 0 ? "%%%02x" : "%%%02X", byte);
    const std::string expected = "a" + std::string(1, static_cast<char>(byte)) + "+ b";
    CHECK(percent_decode("a" + std::string(escape) + "+ b") == expected);
  }
  CHECK(percent_decode("") == "");
  CHECK(percent_decode("%41%42") == "AB");
  CHECK(percent_decode("%2541") == "%41");  // once
}

TEST_CASE("a broken escape is refused", "[percent]") {
  for (const char* const broken :
       {"%", "%4", "a%", "a%4", "%4g", "%g4", "%-1", "%+1", "% 1", "%0x", "%%41", "%41%"}) {
    INFO(broken);
    CHECK_FALSE(percent_decode(broken));
  }
}

}  // namespace featherid
