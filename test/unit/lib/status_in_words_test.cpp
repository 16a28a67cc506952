// SPDX-License-Identifier: MIT
#include "lib/base/status_in_words.h"

#include <new>
#include <string>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("an error has the words, or says that there was no memory for them", "[status]") {
  const Status told = status_in_words(StatusCode::kDataLoss, [] { return std::string("why"); });
  CHECK(told.code() == StatusCode::kDataLoss);
  CHECK(told.message() == "why");
  const Status untold =
      status_in_words(StatusCode::kDataLoss, []() -> std::string { throw std::bad_alloc(); });
  CHECK(untold.code() == StatusCode::kDataLoss);
  CHECK(untold.message() == "out of memory");
}

}  // namespace featherid
