// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_ROUTE_CLIENT_H_
#define FEATHERID_TEST_SUPPORT_ROUTE_CLIENT_H_

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/router.h"

namespace featherid::test {

// Asks for `target` and waits as a connection does, without one.
inline Reply ask(const Router& router, std::string_view method, const std::string& target,
                 std::chrono::milliseconds timeout, bool peer_is_loopback = true) {
  const std::string_view whole = target;
  const std::size_t question = std::min(whole.find('?'), whole.size());
  HttpRequest request;
  request.method = method;
  request.path = whole.substr(0, question);
  request.query = whole.substr(std::min(question + 1, whole.size()));
  Exchange::Wait wait{Exchange::Clock::now() + timeout, false, {}};
  for (;;) {
    Exchange exchange(request, peer_is_loopback, wait);
    router.serve(exchange);
    // Only a route that is broken parks once its time is up.
    if (!exchange.parked() || wait.expired) return exchange.reply;
    // Shared: the answer may come when nobody waits any more.
    using Outcome = Exchange::Outcome;
    auto promise = std::make_shared<std::promise<Outcome>>();
    exchange.start_wait([promise](const Outcome& outcome) { promise->set_value(outcome); });
    std::future<Outcome> ended = promise->get_future();
    wait.expired = ended.wait_until(wait.deadline) == std::future_status::timeout;
    if (!wait.expired) wait.outcome = ended.get();
    wait.over = true;
  }
}

inline Reply get(const Router& router, const std::string& target, std::chrono::milliseconds timeout,
                 bool peer_is_loopback = true) {
  return ask(router, "GET", target, timeout, peer_is_loopback);
}

// The value of a header of its own; "none" if the reply does not have it.
inline std::string header_of(const Reply& reply, std::string_view wanted) {
  for (const auto& [name, value] : reply.headers) {
    if (name == wanted) return value;
  }
  return "none";
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_ROUTE_CLIENT_H_
