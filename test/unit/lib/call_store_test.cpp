// SPDX-License-Identifier: MIT
#include "lib/base/call_store.h"

#include <new>
#include <stdexcept>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("the answer of a store passes as it is", "[call_store]") {
  CHECK(*call_store<int>([] { return 7; }) == 7);
  const Status passed =
      call_store<int>([] { return Status(StatusCode::kNotFound, "no such tag"); }).status();
  CHECK(passed.code() == StatusCode::kNotFound);
  CHECK(passed.message() == "no such tag");
}

TEST_CASE("whatever a store throws becomes an error that may be retried", "[call_store]") {
  const auto thrown = [](auto exception) {
    const Status status = call_store<int>([&]() -> Result<int> { throw exception; }).status();
    CHECK(status.code() == StatusCode::kUnavailable);
    return status.message();
  };
  CHECK(thrown(std::runtime_error("down")) == "the store threw: down");
  CHECK(thrown(42) == "the store threw something that is not a std::exception");
  CHECK(thrown(std::bad_alloc()) == "out of memory");
}

}  // namespace featherid
