// SPDX-License-Identifier: MIT
#include "lib/store/http/lease_receipts.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("the receipt of a lease is found by its end, once", "[lease_receipts]") {
  LeaseReceipts receipts;
  receipts.keep("order", {{1, 101}, "a", 0});
  receipts.keep("order", {{101, 201}, "b", 1});
  receipts.keep("user", {{1, 101}, "c", 0});
  for (const IdRange other : {IdRange{1, 100}, {201, 202}, {150, 200}}) {
    CHECK_FALSE(receipts.take("order", other));
  }
  CHECK_FALSE(receipts.take("none", {1, 101}));
  const auto taken = receipts.take("order", {150, 201});
  REQUIRE(taken);
  CHECK(taken->texts == "b");
  CHECK(taken->server == 1);
  CHECK_FALSE(receipts.take("order", {150, 201}));
  CHECK(receipts.take("order", {1, 101})->texts == "a");
  CHECK(receipts.take("user", {100, 101})->texts == "c");
}

TEST_CASE("a tail of several leases needs all their receipts, of one server", "[lease_receipts]") {
  LeaseReceipts receipts;
  const auto fill = [&](std::size_t last_server) {
    receipts.keep("order", {{1, 101}, "a", 1});
    receipts.keep("order", {{101, 201}, "b", 1});
    receipts.keep("order", {{201, 301}, "c", last_server});
  };
  fill(1);
  const auto taken = receipts.take("order", {51, 301});
  REQUIRE(taken);
  CHECK(taken->texts == "c,b,a");
  CHECK(taken->server == 1);
  CHECK_FALSE(receipts.take("order", {1, 101}));
  fill(2);
  CHECK_FALSE(receipts.take("order", {51, 301}));  // and takes none
  CHECK(receipts.take("order", {101, 201})->texts == "b");
  CHECK_FALSE(receipts.take("order", {51, 301}));
  CHECK(receipts.take("order", {201, 301})->server == 2);
}

TEST_CASE("of each tag the newest receipts are kept", "[lease_receipts]") {
  LeaseReceipts receipts;
  receipts.keep("user", {{1, 11}, "user", 0});
  const int last = LeaseReceipts::kPerTagMax + 1;
  for (int i = 1; i <= last; ++i) receipts.keep("order", {{10 * i, 10 * i + 10}, "", 0});
  CHECK_FALSE(receipts.take("order", {10, 20}));
  CHECK(receipts.take("order", {20, 30}));
  CHECK(receipts.take("order", {10 * last, 10 * last + 10}));
  CHECK(receipts.take("user", {1, 11}));
}

// A tag that was rewound may be leased twice. The newer lease counts.
TEST_CASE("of two leases with one end, the newer counts", "[lease_receipts]") {
  LeaseReceipts receipts;
  receipts.keep("order", {{1, 101}, "old", 0});
  receipts.keep("order", {{51, 101}, "new", 0});
  CHECK(receipts.take("order", {60, 101})->texts == "new");
}

TEST_CASE("rows whose receipts no server accepts any more are dropped", "[lease_receipts]") {
  LeaseReceipts receipts;
  const TimePoint begin{};
  const auto day = [](std::size_t i) { return "daily@" + std::to_string(i); };
  const auto keep = [&](const std::string& row, TimePoint at) {
    receipts.keep(row, {{1, 11}, "r", 0, at});
  };
  keep(day(0), begin);
  keep(day(0), begin + LeaseReceipts::kValidFor / 2);  // this row is still in use
  for (std::size_t i = 1; i < LeaseReceipts::kSweepRows; ++i) keep(day(i), begin);
  keep("daily@now", begin + LeaseReceipts::kValidFor);
  CHECK(receipts.take("daily@now", {5, 11}).has_value());
  CHECK(receipts.take(day(0), {5, 11}).has_value());
  for (std::size_t i = 1; i < LeaseReceipts::kSweepRows; ++i) {
    CHECK_FALSE(receipts.take(day(i), {5, 11}).has_value());
  }
}

}  // namespace featherid
