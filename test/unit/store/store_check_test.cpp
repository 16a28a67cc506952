// SPDX-License-Identifier: MIT
#include "featherid/store_check.h"

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/fault_store.h"

namespace featherid {

namespace {

using test::FaultStore;

// What check_store() finds wrong with a store that `spoil` has given a fault, in one text.
std::string wrong_with(const std::function<void(FaultStore&)>& spoil) {
  auto store = std::make_shared<FaultStore>();
  REQUIRE(store->create("order", 1000).ok());
  spoil(*store);
  std::string all;
  for (const std::string& wrong : check_store([&] { return store; }, "order")) all += wrong + "\n";
  return all;
}

}  // namespace

TEST_CASE("a store that keeps the contract passes", "[store_check]") {
  CHECK(wrong_with([](FaultStore&) {}).empty());
}

TEST_CASE("no store, or no row, is told", "[store_check]") {
  CHECK(check_store([] { return nullptr; }, "order").size() == 1);
  auto empty = std::make_shared<MemoryStore>();
  CHECK_FALSE(check_store([&] { return empty; }, "order").empty());
}

TEST_CASE("two stores that do not share their rows are told", "[store_check]") {
  const auto open = [] {
    auto store = std::make_shared<MemoryStore>();
    REQUIRE(store->create("order", 1000).ok());
    return store;
  };
  const std::vector<std::string> wrong = check_store(open, "order");
  REQUIRE_FALSE(wrong.empty());
  CHECK_THAT(wrong.front(), Contains("visible to the second store"));
}

TEST_CASE("a store that throws or answers with garbage is told", "[store_check]") {
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_lease = [](std::string_view, std::int64_t) -> Result<IdRange> {
                 throw std::runtime_error("out of order");
               };
             }),
             Contains("the store threw: out of order"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_lease = [](std::string_view, std::int64_t) -> Result<IdRange> { throw 7; };
             }),
             Contains("the store threw"));
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const IdRange garbage : {IdRange{kMax, kMax}, IdRange{1, kMax}, IdRange{-kMax, kMax}}) {
    CHECK_THAT(wrong_with([&](FaultStore& store) {
                 store.on_lease = [garbage](std::string_view, std::int64_t) { return garbage; };
               }),
               Contains("lease() must"));
  }
  for (const std::int64_t garbage : {kMax, -kMax}) {
    CHECK_THAT(wrong_with([&](FaultStore& store) {
                 store.on_find = [garbage](std::string_view tag) {
                   return SegmentRow{std::string(tag), garbage, 1};
                 };
               }),
               Contains("max_id that leaves no ids"));
  }
}

TEST_CASE("each clause of the contract is checked", "[store_check]") {
  CHECK_THAT(
      wrong_with([](FaultStore& store) {
        store.on_lease = [&](std::string_view tag, std::int64_t ids) {
          const Result<IdRange> range = store.memory().lease(tag, ids);
          return range.ok() ? Result<IdRange>(IdRange{range->first - 1, range->last()}) : range;
        };
      }),
      Contains("must begin right after it"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_lease = [&](std::string_view tag, std::int64_t ids) {
                 return store.memory().lease(tag, ids < 1 ? 1 : ids);
               };
             }),
             Contains("a refused lease() must not move max_id"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_lease = [&](std::string_view tag, std::int64_t ids) {
                 return store.memory().lease(tag, ids == 7 ? 6 : ids);
               };
             }),
             Contains("within the size asked for"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_give_back = [&](std::string_view tag, IdRange tail) -> Result<bool> {
                 const Result<SegmentRow> row = store.memory().find(tag);
                 if (!row.ok() || tail.empty() || tail.first < 1) {
                   return store.memory().give_back(tag, tail);
                 }
                 std::this_thread::sleep_for(std::chrono::milliseconds(1));  // others lease now
                 store.memory().overwrite({row->tag, tail.first - 1, row->step});
                 return true;
               };
             }),
             Contains("somebody else's lease must return false") && Contains("must not overlap"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_give_back = [](std::string_view, IdRange) { return false; };
             }),
             Contains("newest lease's tail must return true"));
  CHECK_THAT(wrong_with([](FaultStore& store) {
               store.on_find = [&](std::string_view tag) {
                 const Result<SegmentRow> row = store.memory().find(tag);
                 return row.ok() ? row : SegmentRow{std::string(tag), 0, 1};
               };
             }),
             Contains("find() without a row must return not_found") ||
                 Contains("find() without a row must return not found"));
}

}  // namespace featherid
