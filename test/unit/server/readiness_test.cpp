// SPDX-License-Identifier: MIT
#include "server/ops/readiness.h"

#include <chrono>
#include <future>
#include <memory>

#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/patient.h"

namespace featherid {

namespace {

Status ask(Readiness& readiness) {
  // Shared: set_value() may still run when the answer has arrived.
  const auto answered = std::make_shared<std::promise<Status>>();
  readiness.ask_store([answered](const Status& answer) { answered->set_value(answer); });
  return answered->get_future().get();
}

const Status kDown(StatusCode::kUnavailable, "it is down");

}  // namespace

TEST_CASE("a store that answers is up, whether or not it knows the tag", "[readiness]") {
  const auto store = std::make_shared<test::FaultStore>();
  SegmentAllocator allocator(store, test::patient());
  StoreCalls calls;
  Readiness readiness(store, allocator, calls);
  CHECK(!readiness.store_status());
  CHECK(ask(readiness).ok());
  CHECK(store->leases() == 0);
  calls.join();
}

TEST_CASE("a store that is down gives its reason, and ids are still held", "[readiness]") {
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  std::atomic<bool> is_down{false};
  store->on_probe = [&] { return is_down ? kDown : Status(); };
  SegmentAllocator allocator(store, test::patient());
  StoreCalls calls;
  Readiness readiness(store, allocator, calls);
  is_down = true;
  CHECK(ask(readiness).message() == "it is down");
  CHECK(!readiness.holds_ids());
  is_down = false;
  REQUIRE(allocator.next_id("order").ok());
  is_down = true;
  CHECK(readiness.holds_ids());
  CHECK(ask(readiness).message() == "it is down");
  calls.join();
}

TEST_CASE("one probe at a time answers all callers", "[readiness]") {
  const auto store = std::make_shared<test::FaultStore>();
  std::promise<void> gate;
  const std::shared_future<void> opened = gate.get_future().share();
  store->on_probe = [opened] {
    opened.wait();
    return kDown;
  };
  SegmentAllocator allocator(store, test::patient());
  StoreCalls calls;
  Readiness readiness(store, allocator, calls);
  std::atomic<int> answers{0};
  for (int i = 0; i < 100; ++i) readiness.ask_store([&answers](const Status&) { ++answers; });
  gate.set_value();
  calls.join();
  CHECK(answers == 100);
  CHECK(store->probes() == 1);
}

TEST_CASE("the last answer is there at once, however old, and how long the next one takes",
          "[readiness]") {
  const auto store = std::make_shared<test::FaultStore>();
  std::promise<void> go_on;
  std::shared_future<void> gate = go_on.get_future().share();
  store->on_probe = [gate] {
    gate.wait();
    return kDown;
  };
  SegmentAllocator allocator(store, test::patient());
  StoreCalls calls;
  Readiness readiness(store, allocator, calls);
  CHECK_FALSE(readiness.last().answer);
  CHECK(readiness.last().waiting.count() == 0);
  readiness.ask_store([](const Status&) {});
  CHECK(readiness.last().waiting.count() > 0);
  go_on.set_value();
  CHECK(ask(readiness).message() == kDown.message());
  CHECK(readiness.last().answer->message() == kDown.message());
  calls.join();
  CHECK(readiness.last().waiting.count() == 0);
}

}  // namespace featherid
