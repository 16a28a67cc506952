// SPDX-License-Identifier: MIT
#include "lib/store/store_arguments.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

// Whether each argument on a bound passes and each just past it is refused by name.
template <typename Check>
void check_bounds_of(const char* name, std::int64_t min, std::int64_t max, Check check) {
  CHECK(check(min).ok());
  CHECK(check(max).ok());
  for (const std::int64_t bad : {min - 1, max + 1}) {
    const Status status = check(bad);
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK_THAT(status.message(), Contains(name) && Contains(std::to_string(bad)));
  }
}

}  // namespace

TEST_CASE("numbers out of their bounds are refused by name", "[store_arguments]") {
  check_bounds_of("most_ids", 1, kLeaseIdsMax,
                  [](std::int64_t value) { return check_lease("order", value); });
  check_bounds_of("least_ids", 1, 7, [](std::int64_t value) {
    return check_lease("order", {value, 7});
  });
  check_bounds_of("to", 0, kIdMax,
                  [](std::int64_t value) { return check_rewind("order", kIdMax + 1, value); });
  check_bounds_of("step", 1, kStepMax,
                  [](std::int64_t value) { return check_step("order", value); });
  check_bounds_of("max_id", 0, kIdMax,
                  [](std::int64_t value) { return check_advance("order", value); });
  check_bounds_of("first", 1, kIdMax, [](std::int64_t value) {
    return check_give_back("order", {value, kIdMax + 1});
  });
}

TEST_CASE("an empty tail is refused", "[store_arguments]") {
  CHECK(check_rewind("order", 5, 4).ok());
  CHECK_THAT(check_rewind("order", 5, 5).message(), Contains("from is 5"));
  CHECK(check_give_back("order", {5, 6}).ok());
  CHECK(check_give_back("order", {5, 5}).code() == StatusCode::kInvalidArgument);
  CHECK(check_give_back("order", {5, 4}).code() == StatusCode::kInvalidArgument);
}

TEST_CASE("every call refuses an invalid tag", "[store_arguments]") {
  for (const Status& status :
       {check_lease("", 1), check_step("", 1), check_advance("", 1), check_give_back("", {1, 2})}) {
    CHECK(status.code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("why a row was not leased from", "[store_arguments]") {
  const std::int64_t last = kIdMax - 10;
  CHECK(ids_to_grant({"t", 0, 1}, 10) == 10);
  CHECK(ids_to_grant({"t", last, 1}, 10) == 10);
  CHECK(ids_to_grant({"t", last + 1, 1}, 10) == 0);
  CHECK(ids_to_grant({"t", last + 1, 1}, {9, 10}) == 9);
  CHECK(ids_to_grant({"t", last + 1, 1}, {1, 10}) == 9);
  CHECK(ids_to_grant({"t", kIdMax + 1, 1}, {1, 10}) == 0);
  CHECK(ids_to_grant({"t", -1, 1}, {1, 10}) == 0);
  CHECK(refused_lease({"t", -1, 1}, 10).code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused_lease({"t", -1, 1}, 10).message(), Contains("set it to 0"));
  CHECK(refused_lease({"t", last + 1, 1}, 10).code() == StatusCode::kExhausted);
  // It could have been leased from: somebody changed it in between.
  CHECK(refused_lease({"t", last, 1}, 10).code() == StatusCode::kUnavailable);
  CHECK_THAT(refused_lease({"t", last, 1}, 10).message(), Contains("try again"));
}

TEST_CASE("a refusal's code says what the caller can do, and its message names the tag",
          "[store_arguments]") {
  CHECK(no_such_tag("order").code() == StatusCode::kNotFound);
  CHECK_THAT(no_such_tag("order").message(), Contains("'order'"));
  CHECK(tag_exists("order").code() == StatusCode::kAlreadyExists);
  CHECK_THAT(tag_exists("order").message(), Contains("'order'"));
  CHECK(store_was_forked().code() == StatusCode::kFailedPrecondition);
}

}  // namespace featherid
