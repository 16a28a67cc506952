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

// GETs `target` and waits as a connection does, without one.
inline Reply get(const Router& router, const std::string& target, std::chrono::milliseconds timeout,
                 bool peer_is_loopback = true) {
  const std::string_view whole = target;
  const std::size_t question = std::min(whole.find('?'), whole.size());
  HttpRequest request;
  request.method = "GET";
  request.path = whole.substr(0, question);
  request.query = whole.substr(std::min(question + 1, whole.size()));
  Exchange::Wait wait{Exchange::Clock::now() + timeout, false, {}};
  for (;;) {
    Exchange exchange(request, peer_is_loopback, wait);
    router.find(request.path).serve(exchange);
    // Only a route that is broken parks once its time is up.
    if (!exchange.parked() || wait.expired) return exchange.reply;
    // Shared: the answer may come when nobody waits any more.
    auto outcome = std::make_shared<std::promise<Status>>();
    exchange.start_wait([outcome](const Status& status) { outcome->set_value(status); });
    std::future<Status> ended = outcome->get_future();
    wait.expired = ended.wait_until(wait.deadline) == std::future_status::timeout;
    if (!wait.expired) wait.outcome = ended.get();
    wait.over = true;
  }
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_ROUTE_CLIENT_H_
