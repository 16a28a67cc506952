// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_UTF8_H_
#define FEATHERID_LIB_BASE_UTF8_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace featherid {

// A character and the number of its bytes in UTF-8; 0 bytes: there is none.
struct Utf8Char {
  std::size_t bytes = 0;
  char32_t code_point = 0;
};

// The well-formed character that `text` starts with (RFC 3629: no overlong forms, no surrogates, at
// most U+10FFFF). `text` must not be empty.
inline Utf8Char utf8_char(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code_point = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {};
  return {length, code_point};
}

inline bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// A control character, or one that breaks the line or turns the direction of the text around.
inline bool is_hidden(char32_t c) {
  return is_control(c) || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

// `text` with `instead` for each hidden character, and for each byte that belongs to no character.
// It ends with the character that reaches `bytes_max` bytes.
inline std::string printable(std::string_view text, char instead = '?',
                             std::size_t bytes_max = std::string_view::npos) {
  std::string clean;
  while (!text.empty() && clean.size() < bytes_max) {
    const Utf8Char next = utf8_char(text);
    const std::size_t bytes = std::max<std::size_t>(1, next.bytes);
    if (next.bytes == 0 || is_hidden(next.code_point)) {
      clean += instead;
    } else {
      clean += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return clean;
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_UTF8_H_
