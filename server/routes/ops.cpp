// SPDX-License-Identifier: MIT
#include "server/routes/ops.h"

#include <optional>
#include <utility>

namespace featherid {

namespace {

void serve_ready(Exchange& exchange, Readiness& readiness, bool draining) {
  Reply& reply = exchange.reply;
  if (draining) return reply.fail_for_now("the server is stopping");
  std::optional<Status> answer = readiness.fresh();
  if (!answer && exchange.wait.expired) {
    answer = readiness.holds_ids()
                 ? Status()
                 : Status(StatusCode::kUnavailable, "the store has not answered in time");
  }
  if (!answer) {
    return exchange.park([&readiness](Exchange::Resume resume) {
      // Whatever the answer is, the second run reads it afresh.
      readiness.refresh([resume = std::move(resume)](const Status&) { resume(Status()); });
    });
  }
  if (!answer->ok()) return reply.fail_for_now("not ready: " + answer->message());
  reply.succeed(R"("ready")");
}

}  // namespace

void add_ops_routes(Router& router, Readiness& readiness, std::function<bool()> draining) {
  router.get("/healthz", Lane::kBridge,
             [](Exchange& exchange) { exchange.reply.succeed(R"("ok")"); });
  router.get("/readyz", Lane::kBridge,
             [&readiness, draining = std::move(draining)](Exchange& exchange) {
               serve_ready(exchange, readiness, draining());
             });
}

}  // namespace featherid
