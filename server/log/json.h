// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_JSON_H_
#define FEATHERID_SERVER_LOG_JSON_H_

#include <string>
#include <string_view>

namespace featherid {

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_JSON_H_
