// SPDX-License-Identifier: MIT
#include "lib/base/stay_loaded.h"

#include "test/support/catch.h"

namespace featherid {

// test/package/consumer/host.cpp shows what it does in a plugin.
TEST_CASE("a program asks to stay loaded without harm, as often as it likes", "[stay_loaded]") {
  CHECK_NOTHROW(stay_loaded());
  CHECK_NOTHROW(stay_loaded());
}

}  // namespace featherid
