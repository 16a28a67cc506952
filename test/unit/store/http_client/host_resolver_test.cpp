// SPDX-License-Identifier: MIT
#include "lib/store/http_client/host_resolver.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

using Texts = std::vector<std::string>;

TimePoint in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("an address is its own result", "[host_resolver]") {
  for (const char* address : {"127.0.0.1", "::1"}) {
    HostResolver resolver(address, [](const std::string&) { return Texts(); });
    CHECK(*resolver.resolve(in(std::chrono::seconds(20))) == Texts{address});
  }
}

TEST_CASE("a name is looked up each time", "[host_resolver]") {
  std::atomic<int> asked{0};
  HostResolver resolver("ids.example", [&](const std::string& host) {
    ++asked;
    return host == "ids.example" && asked > 1 ? Texts{"192.0.2.1", "192.0.2.2"} : Texts();
  });
  CHECK(resolver.resolve(in(std::chrono::seconds(20))).status().code() == StatusCode::kUnavailable);
  CHECK(*resolver.resolve(in(std::chrono::seconds(20))) == Texts{"192.0.2.1", "192.0.2.2"});
  CHECK(HostResolver("localhost").resolve(in(std::chrono::seconds(20))).ok());
}

TEST_CASE("a resolver that hangs holds up nobody for longer, on one thread", "[host_resolver]") {
  const auto gate = std::make_shared<test::Gate>();
  const auto asked = std::make_shared<std::atomic<int>>(0);
  HostResolver resolver("ids.example", [gate, asked](const std::string&) {
    ++*asked;
    gate->wait();
    return Texts{"192.0.2.1"};
  });
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Status late = resolver.resolve(in(std::chrono::milliseconds(30))).status();
    CHECK(late.code() == StatusCode::kUnavailable);
    CHECK(late.message().find("was not found in time") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  }
  REQUIRE(test::wait_until([&] { return *asked > 0; }));  // its thread may be slow to start
  CHECK(*asked == 1);
  Texts found;
  std::thread waits([&] { found = *resolver.resolve(in(std::chrono::seconds(20))); });
  gate->open();
  waits.join();
  CHECK(found == Texts{"192.0.2.1"});
}

}  // namespace featherid
