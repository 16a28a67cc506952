// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_HEADER_ORDER_H_
#define FEATHERID_TEST_SUPPORT_HEADER_ORDER_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace featherid::test {

// The same answers with the headers of each in the order of their lines. Newer versions of
// cpp-httplib write them in that of a hash table.
inline std::string with_headers_sorted(std::string_view answers) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  constexpr std::string_view kLineEnd = "\r\n";
  std::string sorted;
  while (!answers.empty()) {
    // A body has no empty line.
    const std::size_t first = std::min(answers.find("HTTP/1.1 "), answers.size());
    const std::size_t begin = answers.find(kLineEnd, first);
    const std::size_t end = answers.find(kHeadEnd, first);
    if (end == std::string_view::npos) break;
    std::vector<std::string_view> lines;
    for (std::size_t at = begin; at < end;) {
      const std::size_t next = answers.find(kLineEnd, at + kLineEnd.size());
      lines.push_back(answers.substr(at, next - at));
      at = next;
    }
    std::sort(lines.begin(), lines.end());
    sorted += answers.substr(0, begin);
    for (const std::string_view line : lines) sorted += line;
    sorted += kHeadEnd;
    answers.remove_prefix(end + kHeadEnd.size());
  }
  return sorted.append(answers);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_HEADER_ORDER_H_
