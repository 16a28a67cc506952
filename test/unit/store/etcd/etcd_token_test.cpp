// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_token.h"

#include <atomic>
#include <chrono>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/stopwatch.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

TimePoint in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

constexpr std::chrono::seconds kLong{30};

}  // namespace

TEST_CASE("a token is used until it is refused", "[etcd_token]") {
  int logins = 0;
  EtcdToken token([&](TimePoint) { return "t" + std::to_string(++logins); });
  CHECK(*token.get({}, in(kLong)) == "t1");
  CHECK(*token.get({}, in(kLong)) == "t1");
  CHECK(*token.get("t1", in(kLong)) == "t2");
  CHECK(*token.get("t1", in(kLong)) == "t2");  // somebody else has renewed it
  CHECK(logins == 2);
}

TEST_CASE("that no token is required is remembered too", "[etcd_token]") {
  int logins = 0;
  EtcdToken token([&](TimePoint) { return ++logins == 1 ? std::string() : "t"; });
  CHECK(token.get({}, in(kLong))->empty());
  CHECK(token.get({}, in(kLong))->empty());
  CHECK(*token.get("", in(kLong)) == "t");
  CHECK(logins == 2);
}

TEST_CASE("many calls with a refused token make one login", "[etcd_token]") {
  std::atomic<int> logins{0};
  std::atomic<int> calls{0};
  EtcdToken token([&](TimePoint) {
    if (++logins == 2) {
      test::wait_until([&] { return calls == 8; });
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // so that all have come
    }
    return "t" + std::to_string(logins);
  });
  REQUIRE(*token.get({}, in(kLong)) == "t1");
  std::atomic<int> renewed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      ++calls;
      if (*token.get("t1", in(kLong)) == "t2") ++renewed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(renewed == 8);
  CHECK(logins == 2);
}

TEST_CASE("who waits for a login gets its error, and no later than its own deadline",
          "[etcd_token]") {
  std::atomic<bool> began{false};
  std::atomic<bool> ends{false};
  EtcdToken token([&](TimePoint) -> Result<std::string> {
    began = true;
    test::wait_until([&] { return ends.load(); });
    return Status(StatusCode::kFailedPrecondition, "wrong password");
  });
  std::thread first([&] { static_cast<void>(token.get({}, in(kLong))); });
  REQUIRE(test::wait_until([&] { return began.load(); }));
  const test::Stopwatch watch;
  CHECK(token.get({}, in(std::chrono::milliseconds(50))).status().code() ==
        StatusCode::kUnavailable);
  CHECK(watch.elapsed() < kLong);
  Status second;
  std::thread waiter([&] { second = token.get({}, in(kLong)).status(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // so that it waits
  ends = true;
  first.join();
  waiter.join();
  CHECK(second.message() == "wrong password");
}

TEST_CASE("a login that ends without memory does not block the next", "[etcd_token]") {
  int logins = 0;
  EtcdToken token([&](TimePoint) -> Result<std::string> {
    if (++logins == 1) throw std::bad_alloc();
    return std::string("t");
  });
  CHECK_THROWS_AS(token.get({}, in(kLong)), std::bad_alloc);
  CHECK(*token.get({}, in(kLong)) == "t");
}

}  // namespace featherid
