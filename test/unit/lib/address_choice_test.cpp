// SPDX-License-Identifier: MIT
#include "lib/base/address_choice.h"

#include <vector>

#include "test/support/catch.h"

using featherid::AddressChoice;
using featherid::TimePoint;
using Order = std::vector<std::size_t>;
using std::chrono::seconds;

namespace {
constexpr TimePoint kStart{std::chrono::hours(1)};
}

TEST_CASE("the preferred address comes first while it works", "[address_choice]") {
  AddressChoice choice(3);
  CHECK(choice.order(kStart) == Order{0, 1, 2});
  choice.worked(1);
  CHECK(choice.order(kStart) == Order{0, 1, 2});
}

TEST_CASE("a failed address comes last, and after a while it comes first again",
          "[address_choice]") {
  AddressChoice choice(3);
  choice.failed(0, kStart);
  CHECK(choice.order(kStart) == Order{1, 2, 0});
  choice.failed(1, kStart + seconds(1));
  CHECK(choice.order(kStart + seconds(4)) == Order{2, 0, 1});
  const TimePoint over = kStart + AddressChoice::kShunned;
  CHECK(choice.order(over) == Order{0, 2, 1});
  // Only one caller tries it until it is known to work.
  CHECK(choice.order(over)[0] == 2);
  choice.worked(0);
  CHECK(choice.order(over)[0] == 0);
}

TEST_CASE("if all have failed, all are tried, and the one that failed first comes first",
          "[address_choice]") {
  AddressChoice choice(2);
  choice.failed(1, kStart);
  choice.failed(0, kStart + seconds(1));
  CHECK(choice.order(kStart + seconds(2)) == Order{1, 0});
  AddressChoice only(1);
  only.failed(0, kStart);
  CHECK(only.order(kStart) == Order{0});
}
