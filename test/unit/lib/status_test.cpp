// SPDX-License-Identifier: MIT
#include "featherid/status.h"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "featherid/id_range.h"
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

TEST_CASE("copies share one message, whichever of them ends first", "[status]") {
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

TEST_CASE("a result can hold a value that can only be moved", "[status]") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  Result<std::unique_ptr<int>> moved = std::move(result);
  const std::unique_ptr<int> value = *std::move(moved);
  CHECK(*value == 7);
}

namespace {

// Reports whether it is still alive.
struct Mark {
  explicit Mark(bool* gone) : gone_(gone) {}
  Mark(Mark&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
  Mark(const Mark&) = delete;
  ~Mark() {
    if (gone_ != nullptr) *gone_ = true;
  }
  bool* gone_;
};

}  // namespace

TEST_CASE("what is taken from a temporary result outlives it", "[status]") {
  bool gone = false;
  const auto result = [&]() -> Result<Mark> { return Mark(&gone); };
  SECTION("its value, by name") {
    auto&& mark = result().value();
    CHECK_FALSE(gone);
    CHECK(mark.gone_ == &gone);
  }
  SECTION("its value, by star") {
    auto&& mark = *result();
    CHECK_FALSE(gone);
    CHECK(mark.gone_ == &gone);
  }
  SECTION("in a loop over it") {
    const auto ranges = []() -> Result<std::vector<IdRange>> {
      return std::vector<IdRange>{{1, 4}, {7, 9}};
    };
    std::int64_t count_ids = 0;
    for (const IdRange range : *ranges()) count_ids += range.size();
    for (const IdRange range : ranges().value()) count_ids += range.size();
    CHECK(count_ids == 10);
  }
  SECTION("its error, and the message of that") {
    const auto error = []() -> Result<int> {
      return Status(StatusCode::kNotFound, "a message that is too long for a short string");
    };
    const Status& status = error().status();
    const std::string& message = error().status().message();
    CHECK(status.message() == message);
    std::string letters;
    for (const char letter : Status(status).message()) letters += letter;
    CHECK(letters == message);
  }
}

TEST_CASE("a named result gives a reference, a temporary one a value", "[status]") {
  using R = Result<std::string>;
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<R&>().value()), std::string&>);
  STATIC_REQUIRE(std::is_same_v<decltype(*std::declval<const R&>()), const std::string&>);
  STATIC_REQUIRE(std::is_same_v<decltype(*std::declval<R>()), std::string>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<R>().value()), std::string>);
  STATIC_REQUIRE(std::is_same_v<decltype(*std::declval<const R>()), std::string>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const R>().value()), std::string>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const R>().status()), Status>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<R&>().status()), const Status&>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<const Status>().message()), std::string>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::declval<Status&>().message()), const std::string&>);
}

}  // namespace featherid
