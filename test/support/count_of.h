// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_COUNT_OF_H_
#define FEATHERID_TEST_SUPPORT_COUNT_OF_H_

#include <cstddef>
#include <string>

namespace featherid::test {

// How often `part` occurs in `text`.
inline int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_COUNT_OF_H_
