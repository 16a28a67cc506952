// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_JSON_H_
#define FEATHERID_SERVER_LOG_JSON_H_

#include <chrono>
#include <string>
#include <string_view>

namespace featherid {

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// A time in UTC as a JSON string (RFC 3339): "2026-11-29T19:00:00Z".
std::string json_time(std::chrono::system_clock::time_point time);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_JSON_H_
