// SPDX-License-Identifier: MIT
#include "lib/store/leader_term.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("rows may descend from those of fewer leaders, and of the same one", "[leader_term]") {
  const std::int64_t first = kOneLeader + 17;
  const std::int64_t twin = kOneLeader + 18;
  const std::int64_t second = 2 * kOneLeader + 1;
  CHECK(may_follow(0, 0));
  CHECK(may_follow(first, 0));
  CHECK(may_follow(first, first));
  CHECK(may_follow(second, first));
  CHECK_FALSE(may_follow(0, first));
  CHECK_FALSE(may_follow(first, second));
  CHECK_FALSE(may_follow(twin, first));
  CHECK_FALSE(may_follow(first, twin));
}

}  // namespace featherid
