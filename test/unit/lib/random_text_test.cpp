// SPDX-License-Identifier: MIT
#include "lib/base/random_text.h"

#include <set>
#include <string>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("random texts differ, and are 32 hexadecimal digits", "[random_text]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = random_text();
    CHECK(text.size() == 32);
    CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(seen.insert(text).second);
  }
}

}  // namespace featherid
