// SPDX-License-Identifier: MIT
#include "server/ops/store_calls.h"

#include <atomic>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/wait_until.h"

namespace featherid {

using Lane = StoreCalls::Lane;

TEST_CASE("a lane takes a bounded number of calls, and more once they have ended",
          "[store_calls]") {
  test::Gate gate;
  std::atomic<int> done{0};
  StoreCalls calls;
  const auto call = [&] {
    gate.wait();
    ++done;
  };
  for (int i = 0; i < StoreCalls::kCallsMax; ++i) CHECK(calls.post(Lane::kAdmin, call));
  CHECK_FALSE(calls.post(Lane::kAdmin, call));
  CHECK(calls.post(Lane::kReadiness, call));  // each lane has its own bound
  gate.open();
  CHECK(test::wait_until([&] { return calls.post(Lane::kAdmin, [] {}); }));
  calls.join();
  CHECK(done == StoreCalls::kCallsMax + 1);
}

TEST_CASE("several leases are made at once, and many may wait", "[store_calls]") {
  test::Gate gate;
  std::atomic<int> begun{0};
  StoreCalls calls;
  const auto call = [&] {
    ++begun;
    gate.wait();
  };
  for (int i = 0; i < StoreCalls::kLeaseCallsMax; ++i) REQUIRE(calls.post(Lane::kLeases, call));
  CHECK_FALSE(calls.post(Lane::kLeases, call));
  CHECK(test::wait_until([&] { return begun == StoreCalls::kLeaseThreads; }));
  gate.open();
  CHECK(test::wait_until([&] { return begun == StoreCalls::kLeaseCallsMax; }));
  calls.join();
}

TEST_CASE("a call of one lane does not wait behind those of the other", "[store_calls]") {
  test::Gate gate;
  StoreCalls calls;
  REQUIRE(calls.post(Lane::kAdmin, [&] { gate.wait(); }));
  std::atomic<bool> probed{false};
  REQUIRE(calls.post(Lane::kReadiness, [&] { probed = true; }));
  CHECK(test::wait_until([&] { return probed.load(); }));
  gate.open();
  calls.join();
}

TEST_CASE("stop() drops calls that have not begun, and the end waits for those that have",
          "[store_calls]") {
  test::Gate gate;
  std::atomic<bool> begun{false};
  std::atomic<bool> ended{false};
  std::atomic<bool> dropped{true};
  {
    StoreCalls calls;
    REQUIRE(calls.post(Lane::kAdmin, [&] {
      begun = true;
      gate.wait();
      ended = true;
    }));
    REQUIRE(calls.post(Lane::kAdmin, [&] { dropped = false; }));
    REQUIRE(test::wait_until([&] { return begun.load(); }));
    calls.stop();
    gate.open();
  }
  CHECK(ended);
  CHECK(dropped);
}

}  // namespace featherid
