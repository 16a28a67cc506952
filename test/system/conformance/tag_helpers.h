// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CONFORMANCE_TAG_HELPERS_H_
#define FEATHERID_TEST_SYSTEM_CONFORMANCE_TAG_HELPERS_H_

#include <cstdint>
#include <string>

#include "featherid/tag_admin.h"

namespace featherid::test {

// A tag with a cap and step 10.
inline NewTag capped(std::int64_t cap) {
  NewTag tag(10);
  tag.options.cap = cap;
  return tag;
}

inline TagChange cap_change(std::int64_t cap) {
  TagChange change;
  change.cap = cap;
  return change;
}

inline std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_CONFORMANCE_TAG_HELPERS_H_
