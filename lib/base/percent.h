// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_PERCENT_H_
#define FEATHERID_LIB_BASE_PERCENT_H_

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace featherid {

// `text` with each %XX replaced by its byte; nothing if a % is not followed by two hexadecimal
// digits.
inline std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = text.substr(0, text.find('%')).size();
    decoded.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    unsigned char byte = 0;
    const char* const digits = text.data() + 1;
    if (text.size() < 3) return std::nullopt;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
    decoded.push_back(static_cast<char>(byte));
    text.remove_prefix(3);
  }
  return decoded;
}

// `text` with each byte as %XX that is not an unreserved character of a URL (RFC 3986).
inline std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_PERCENT_H_
