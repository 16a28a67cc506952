// SPDX-License-Identifier: MIT
#include "lib/base/inside.h"

#include <thread>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a thread knows what it is inside of, at any depth, and no other thread does",
          "[inside][threads]") {
  const int outer = 0;
  const int inner = 0;
  CHECK_FALSE(Inside::of(&outer));
  {
    const Inside of_outer(&outer);
    CHECK(Inside::of(&outer));
    CHECK_FALSE(Inside::of(&inner));
    try {
      const Inside of_inner(&inner);
      CHECK(Inside::of(&outer));
      CHECK(Inside::of(&inner));
      bool other_thread = true;
      std::thread([&] { other_thread = Inside::of(&outer); }).join();
      CHECK_FALSE(other_thread);
      throw 42;
    } catch (int) {
      CHECK_FALSE(Inside::of(&inner));
    }
    CHECK(Inside::of(&outer));
  }
  CHECK_FALSE(Inside::of(&outer));
}

}  // namespace featherid
