// SPDX-License-Identifier: MIT
#include "lib/fork_guard.h"

#include <memory>

#include "test/support/catch.h"
#include "test/support/in_fork.h"

namespace featherid {

TEST_CASE("a fork closes the guarded cursors of the child alone", "[fork_guard][fork]") {
  internal::IdCursor cursor;
  const ForkGuard guard(cursor);
  CHECK(cursor.replace({1, 11}).empty());
  const std::uint32_t epoch = internal::fork_epoch;
  const int failed = test::failures_in_fork(
      [&] { return (cursor.claim_one() != 0) + !guard.forked() + !forked_since(epoch); });
  CHECK(failed == 0);
  CHECK_FALSE(guard.forked());
  CHECK(cursor.claim_one() == 1);
}

TEST_CASE("guards come and go in any order", "[fork_guard][fork]") {
  internal::IdCursor cursors[3];
  auto first = std::make_unique<ForkGuard>(cursors[0]);
  auto second = std::make_unique<ForkGuard>(cursors[1]);
  auto third = std::make_unique<ForkGuard>(cursors[2]);
  for (internal::IdCursor& cursor : cursors) CHECK(cursor.replace({1, 11}).empty());
  second.reset();
  third.reset();
  const int failed = test::failures_in_fork([&] {
    // What is no longer guarded is left alone.
    return (cursors[0].claim_one() != 0) + (cursors[1].claim_one() != 1);
  });
  CHECK(failed == 0);
}

TEST_CASE("a guard made in a child is the child's own", "[fork_guard][fork]") {
  const int failed = test::failures_in_fork([] {
    internal::IdCursor cursor;
    const ForkGuard guard(cursor);
    return (guard.forked() ? 1 : 0) + (cursor.replace({1, 2}).empty() ? 0 : 1) +
           (cursor.claim_one() == 1 ? 0 : 1);
  });
  CHECK(failed == 0);
}

}  // namespace featherid
