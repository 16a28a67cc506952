// SPDX-License-Identifier: MIT
#include "cli/present_period.h"

#include "featherid/memory_store.h"
#include "test/support/catch.h"

namespace featherid::test {

TEST_CASE("a lease goes on in the next period when one is over", "[cli][period]") {
  WallTime now = begin_of({PeriodKind::kDay}, {2026, 11, 30}) - std::chrono::hours(1);
  MemoryStore store([&now] { return now; });
  NewTag daily(10);
  daily.options.period.kind = PeriodKind::kDay;
  REQUIRE(store.create("bill", daily).ok());
  Result<Period> present = present_period(store, "bill");
  REQUIRE(present.ok());
  CHECK(*present == Period{2026, 11, 29});
  CHECK(*lease_in_present(store, "bill", 5, &*present) == IdRange{1, 6});
  CHECK(*lease_in_present(store, "bill", 5, &*present) == IdRange{6, 11});
  now += std::chrono::hours(2);
  CHECK(*lease_in_present(store, "bill", 5, &*present) == IdRange{1, 6});
  CHECK(*present == Period{2026, 11, 30});
}

TEST_CASE("a tag without periods has none that is on", "[cli][period]") {
  MemoryStore store;
  REQUIRE(store.create("order", 10).ok());
  Result<Period> present = present_period(store, "order");
  REQUIRE(present.ok());
  CHECK(*present == Period());
  CHECK(*lease_in_present(store, "order", 5, &*present) == IdRange{1, 6});
  CHECK(present_period(store, "nix").status().code() == StatusCode::kNotFound);
}

}  // namespace featherid::test
