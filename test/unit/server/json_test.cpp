// SPDX-License-Identifier: MIT
#include "server/log/json.h"

#include "test/support/catch.h"

namespace featherid {

using std::chrono::system_clock;

TEST_CASE("a time is in UTC", "[json]") {
  CHECK(json_time(system_clock::from_time_t(1795978800)) == "\"2026-11-29T19:00:00Z\"");
  CHECK(json_time(system_clock::from_time_t(0)) == "\"1970-01-01T00:00:00Z\"");
}

}  // namespace featherid
