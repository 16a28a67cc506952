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

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_PERCENT_H_
