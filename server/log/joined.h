// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_JOINED_H_
#define FEATHERID_SERVER_LOG_JOINED_H_

#include <string>
#include <vector>

namespace featherid {

// "a, b, c", or "none".
inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_JOINED_H_
