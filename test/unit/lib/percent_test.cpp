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

TEST_CASE("every text comes back from its escapes", "[percent]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(percent_encode("a b+&=?/%\xFF") == "a%20b%2B%26%3D%3F%2F%25%FF");
}

}  // namespace featherid
