// SPDX-License-Identifier: MIT
#include "server/ops/ops_routes.h"

#include <optional>
#include <utility>

namespace featherid {

namespace {

// True if there is a fresh status of the store, or the request's time is over. Otherwise parks the
// request until there is a status.
bool wait_for_store(Exchange& exchange, Readiness& readiness) {
  if (exchange.wait.expired || readiness.store_status()) return true;
  exchange.park([&readiness](Exchange::Resume resume) {
    readiness.ask_store([resume = std::move(resume)] { resume(Status()); });
  });
  return false;
}

void serve_ready(Exchange& exchange, Readiness& readiness, bool draining) {
  Reply& reply = exchange.reply;
  if (draining) return reply.fail_for_now("the server is stopping");
  if (!readiness.holds_ids()) {
    if (!wait_for_store(exchange, readiness)) return;
    const Status store = readiness.store_status().value_or(
        Status(StatusCode::kUnavailable, "the store has not answered in time"));
    if (!store.ok()) return reply.fail_for_now("not ready: " + store.message());
  }
  reply.succeed(R"("ready")");
}

void serve_metrics(Exchange& exchange, Readiness& readiness, Metrics& metrics) {
  if (!wait_for_store(exchange, readiness)) return;
  exchange.reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  exchange.reply.body = metrics.text();
}

}  // namespace

void add_ops_routes(Router& router, Readiness& readiness, Metrics& metrics,
                    std::function<bool()> draining) {
  // Load balancers probe "/" by default.
  for (const char* const path : {"/", "/healthz"}) {
    router.get(path, Effect::kNone, [](Exchange& exchange) { exchange.reply.succeed(R"("ok")"); });
  }
  router.get("/readyz", Effect::kNone,
             [&readiness, draining = std::move(draining)](Exchange& exchange) {
               serve_ready(exchange, readiness, draining());
             });
  router.get("/metrics", Effect::kNone, [&readiness, &metrics](Exchange& exchange) {
    serve_metrics(exchange, readiness, metrics);
  });
}

}  // namespace featherid
