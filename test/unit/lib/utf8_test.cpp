// SPDX-License-Identifier: MIT
#include "lib/base/utf8.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

// By the bit pattern of RFC 3629, section 3.
std::string encoded(char32_t c) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  const auto next = [&](int shift) { return byte(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), next(0)};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), next(6), next(0)};
  return {byte(0xF0 | c >> 18), next(12), next(6), next(0)};
}

}  // namespace

TEST_CASE("every code point is decoded, and surrogates are not", "[utf8]") {
  int wrong = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string text = encoded(c);
    const Utf8Char found = utf8_char(text + "x");
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (surrogate ? found.bytes != 0 : found.bytes != text.size() || found.code_point != c) ++wrong;
    if (text.size() > 1 && utf8_char(text.substr(0, text.size() - 1)).bytes != 0) ++wrong;  // cut
  }
  CHECK(wrong == 0);
}

TEST_CASE("malformed bytes are no character", "[utf8]") {
  for (const char* const bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98("}) {
    INFO(bad);
    CHECK(utf8_char(bad).bytes == 0);
  }
}

TEST_CASE("printable text ends with the character that reaches the limit", "[utf8]") {
  CHECK(printable("a\nb\xFF订", ' ') == "a b 订");
  CHECK(printable("订订订", '?', 4) == "订订");
  CHECK(printable("订订订", '?', 0).empty());
}

}  // namespace featherid
