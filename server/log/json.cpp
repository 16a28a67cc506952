// SPDX-License-Identifier: MIT
#include "server/log/json.h"

#include <spdlog/fmt/fmt.h>

#include <cstddef>
#include <ctime>

#include "lib/base/utf8.h"

namespace featherid {

std::string json_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string json = "\"";
  while (!text.empty()) {
    const Utf8Char next = utf8_char(text);
    const std::size_t length = next.bytes;
    const char c = text.front();
    if (length == 0) {
      json += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (is_hidden(next.code_point)) {
      json += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) json += kHex[next.code_point >> shift & 15];
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  json += '"';
  return json;
}

std::string json_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return "null";
  return fmt::format(R"("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z")", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace featherid
