// SPDX-License-Identifier: MIT
#include "server/api/receipts.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/manual_clock.h"

namespace featherid {

TEST_CASE("a receipt is good once", "[receipts]") {
  Receipts receipts;
  const std::string first = receipts.issue({"order", {1, 101}, {"store", 7}});
  const std::string second = receipts.issue({"user", {5, 6}, {"store", 7}});
  CHECK(first != second);
  CHECK(first.size() == 32);
  const auto taken = receipts.take(first);
  REQUIRE(taken);
  CHECK(taken->tag == "order");
  CHECK(taken->range == IdRange{1, 101});
  CHECK(taken->store.term == 7);
  CHECK_FALSE(receipts.take(first));
  CHECK(receipts.take(second));
}

TEST_CASE("no other server accepts a receipt, and nobody can guess one", "[receipts]") {
  Receipts issuer;
  Receipts other;
  const std::string text = issuer.issue({"order", {1, 101}, {}});
  CHECK_FALSE(other.take(text));
  std::string forged = text;
  forged.back() = forged.back() == '0' ? '1' : '0';
  for (const std::string& wrong : {forged, text + "0", text.substr(1), std::string()}) {
    CHECK_FALSE(issuer.take(wrong));
  }
  CHECK(issuer.take(text));
}

TEST_CASE("a receipt expires", "[receipts]") {
  const auto clock = std::make_shared<test::ManualClock>();
  Receipts receipts(clock);
  const std::string early = receipts.issue({"order", {1, 101}, {}});
  clock->advance(Receipts::kValidFor - std::chrono::seconds(1));
  const std::string late = receipts.issue({"order", {101, 201}, {}});
  clock->advance(std::chrono::seconds(1));
  CHECK_FALSE(receipts.take(early));
  CHECK(receipts.take(late));
}

TEST_CASE("the number of receipts is bounded: the oldest makes room", "[receipts]") {
  Receipts receipts;
  std::vector<std::string> issued;
  for (std::size_t i = 0; i < Receipts::kReceiptsMax + 2; ++i) {
    issued.push_back(receipts.issue({"order", {1, 2}, {}}));
  }
  CHECK_FALSE(receipts.take(issued[0]));
  CHECK_FALSE(receipts.take(issued[1]));
  CHECK(receipts.take(issued[2]));
  CHECK(receipts.take(issued.back()));
}

}  // namespace featherid
