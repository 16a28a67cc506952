// SPDX-License-Identifier: MIT
#include "lib/base/bounds.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a value out of its bounds is refused with its name, its unit and the bounds",
          "[bounds]") {
  for (const std::int64_t good : {2, 3, 60}) CHECK(check_bounds("hold", good, 2, 60).ok());
  for (const std::int64_t bad : {1, 61}) {
    const Status status = check_bounds("hold", bad, 2, 60, "s");
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message() == "hold is " + std::to_string(bad) + " s; use 2 to 60 s");
  }
  CHECK(check_bounds("step", 0, 1, 9).message() == "step is 0; use 1 to 9");
}

}  // namespace featherid
