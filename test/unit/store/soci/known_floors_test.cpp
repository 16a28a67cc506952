// SPDX-License-Identifier: MIT
#include "lib/store/soci/known_floors.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a tag's floor is known as its row was seen last", "[known_floors]") {
  KnownFloors floors;
  SegmentRow row{"order", 5, 1000, 7000};
  floors.learn(row);
  CHECK_FALSE(floors.find("order"));
  row.floor.rate = 1000;
  floors.learn(row);
  const std::optional<KnownFloors::Known> known = floors.find("order");
  REQUIRE(known);
  CHECK(known->floor.rate == 1000);
  CHECK(known->cap == 7000);
  CHECK_FALSE(floors.find("user"));
  row.cap = 8000;
  floors.learn(row);
  CHECK_FALSE(floors.find("order") == known);
  row.floor.rate = 0;
  floors.learn(row);
  CHECK_FALSE(floors.find("order"));
}

}  // namespace featherid
