// SPDX-License-Identifier: MIT
#include "server/net/net_server.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "test/support/wait_until.h"
#include "test/unit/server/served.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using test::RawClient;

std::string request(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// False if the machine was too slow for the request to be in time.
bool check_late_loop() {
  std::atomic<int> begun{0};
  std::atomic<int> may_end{0};
  Router router;
  router.get("/", Effect::kNone, [](Exchange& exchange) { exchange.reply.succeed("1"); });
  router.get("/busy", Effect::kNone, [&](Exchange& exchange) {  // nothing else runs meanwhile
    const int turn = ++begun;
    test::wait_until([&] { return may_end >= turn; });
    std::this_thread::sleep_for(milliseconds(turn == 1 ? 400 : 1200));
    exchange.reply.succeed("1");
  });
  NetOptions options;
  options.idle_timeout = milliseconds(1000);
  const test::Served served(router, options);
  const RawClient idle(served.port());
  const RawClient first(served.port());
  const RawClient second(served.port());
  const auto begin = std::chrono::steady_clock::now();
  idle.send(request("/"));
  REQUIRE(idle.read_until("}"));
  // While the first one keeps the loop busy, its ticker becomes due, and the second one comes.
  first.send(request("/busy"));
  REQUIRE(test::wait_until([&] { return begun == 1; }));
  second.send(request("/busy"));
  may_end = 1;
  REQUIRE(test::wait_until([&] { return begun == 2; }));
  idle.send(request("/"));  // before the loop notices that its time is up
  const bool in_time = std::chrono::steady_clock::now() - begin < options.idle_timeout;
  may_end = 2;
  if (in_time) CHECK(idle.read_until("}"));
  return in_time;
}

}  // namespace

TEST_CASE("a request that has come is in time, however late the event loop runs", "[net]") {
  CHECK(test::wait_until(check_late_loop));
}

}  // namespace featherid
