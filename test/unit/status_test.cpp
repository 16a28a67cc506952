// SPDX-License-Identifier: MIT
#include "featherid/status.h"

#include <memory>
#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a status is success by default", "[status]") {
  const Status status;
  CHECK(status.ok());
  CHECK(status.code() == StatusCode::kOk);
  CHECK(status.message().empty());
  CHECK(status.to_string() == "ok");
}

TEST_CASE("an error keeps its code and message when copied and moved", "[status]") {
  Status error(StatusCode::kNotFound, "no such tag");
  const Status copy = error;
  CHECK(copy.to_string() == "not found: no such tag");
  const Status moved = std::move(error);
  CHECK(moved.code() == StatusCode::kNotFound);
  Status assigned;
  assigned = copy;
  CHECK(assigned.message() == "no such tag");
}

TEST_CASE("copies share one message, whichever of them goes first", "[status]") {
  auto error = std::make_unique<Status>(StatusCode::kNotFound, "no such tag");
  Status copy = *error;
  CHECK(&copy.message() == &error->message());
  error.reset();
  CHECK(copy.message() == "no such tag");
  const Status& itself = copy;
  copy = itself;
  CHECK(copy.message() == "no such tag");
  copy = Status();
  CHECK(copy.ok());
}

TEST_CASE("an error without memory for a message still has its code", "[status]") {
  for (int code = 1; code <= static_cast<int>(StatusCode::kFailedPrecondition); ++code) {
    for (int use = 0; use < 3; ++use) {
      const Status status = internal::out_of_memory(static_cast<StatusCode>(code));
      CHECK(status.code() == static_cast<StatusCode>(code));
      CHECK(status.message() == "out of memory");
    }
  }
}

TEST_CASE("every code has a name", "[status]") {
  for (int code = 0; code <= static_cast<int>(StatusCode::kFailedPrecondition); ++code) {
    CHECK(std::string(to_string(static_cast<StatusCode>(code))) != "unknown code");
  }
}

TEST_CASE("a result holds a value or an error", "[status]") {
  Result<std::string> value = std::string("abc");
  REQUIRE(value.ok());
  CHECK(*value == "abc");
  CHECK(value->size() == 3);

  Result<std::string> error = Status(StatusCode::kUnavailable, "down");
  CHECK_FALSE(error.ok());
  CHECK(error.status().message() == "down");

  value = error;
  CHECK_FALSE(value.ok());
  value = Result<std::string>(std::string("again"));
  CHECK(*value == "again");
}

TEST_CASE("a result passes on what can only be moved", "[status]") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  Result<std::unique_ptr<int>> moved = std::move(result);
  const std::unique_ptr<int> value = *std::move(moved);
  CHECK(*value == 7);
}

}  // namespace featherid
