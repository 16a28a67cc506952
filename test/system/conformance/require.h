// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CONFORMANCE_REQUIRE_H_
#define FEATHERID_TEST_SYSTEM_CONFORMANCE_REQUIRE_H_

#include <cstdint>
#include <string_view>
#include <utility>

#include "featherid/segment_store.h"
#include "test/support/catch.h"

namespace featherid::test {

inline void require_ok(const Status& status) {
  INFO(status);
  REQUIRE(status.ok());
}

// The value of a result, which must be OK.
template <typename T>
T take(Result<T> result) {
  require_ok(result.status());
  return *std::move(result);
}

inline std::int64_t max_id_of(SegmentStore& store, std::string_view tag) {
  return take(store.find(tag)).max_id;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_CONFORMANCE_REQUIRE_H_
