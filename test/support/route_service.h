// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_ROUTE_SERVICE_H_
#define FEATHERID_TEST_SUPPORT_ROUTE_SERVICE_H_

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/http/router.h"
#include "server/ops/store_calls.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/route_client.h"

namespace featherid::test {

// Calls of a server on a store in memory. A test adds its routes. What they use besides the members
// here must outlive calls.join().
class RouteService {
 public:
  // `prefix`: of each target.
  RouteService(std::string prefix, Router::Permits permits)
      : router(std::move(permits)), prefix_(std::move(prefix)) {}

  Reply ask(const char* method, const std::string& target,
            std::chrono::milliseconds timeout = std::chrono::milliseconds(60000)) const {
    return test::ask(router, method, prefix_ + target, timeout);
  }
  // The data of a call that succeeds.
  nlohmann::json good(const char* method, const std::string& target) const {
    const Reply reply = ask(method, target);
    CAPTURE(method, target, reply.body);
    REQUIRE(reply.status == 200);
    return nlohmann::json::parse(reply.body)["data"];
  }
  // "409 7" of a call that fails.
  std::string code(const char* method, const std::string& target) const {
    return code_of(ask(method, target));
  }
  // "409 7 the message".
  std::string bad(const char* method, const std::string& target) const {
    const Reply reply = ask(method, target);
    return code_of(reply) + " " + nlohmann::json::parse(reply.body)["msg"].get<std::string>();
  }

  std::shared_ptr<FaultStore> store = std::make_shared<FaultStore>();
  StoreCalls calls;
  Router router;

 private:
  static std::string code_of(const Reply& reply) {
    return std::to_string(reply.status) + " " + nlohmann::json::parse(reply.body)["code"].dump();
  }

  const std::string prefix_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_ROUTE_SERVICE_H_
