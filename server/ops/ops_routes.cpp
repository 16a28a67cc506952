// SPDX-License-Identifier: MIT
#include "server/ops/ops_routes.h"

#include <optional>
#include <utility>

namespace featherid {

namespace {

// The store's answer: a fresh one, or the one that the request has waited for, however late it runs
// again. Nothing: the request is parked until there is one, or its time is over.
std::optional<Status> store_answer(Exchange& exchange, Readiness& readiness) {
  const Exchange::Wait& wait = exchange.wait;
  std::optional<Status> fresh = readiness.store_status();
  if (fresh || wait.expired) return fresh;
  if (wait.over) return wait.outcome.status;
  exchange.park([&readiness](Exchange::Resume resume) {
    readiness.ask_store([resume = std::move(resume)](const Status& answer) { resume(answer); });
  });
  return std::nullopt;
}

void serve_ready(Exchange& exchange, Readiness& readiness, bool draining) {
  Reply& reply = exchange.reply;
  if (draining) return reply.fail_for_now("the server is stopping");
  if (!readiness.holds_ids()) {
    const std::optional<Status> store = store_answer(exchange, readiness);
    if (exchange.parked()) return;
    if (!store) return reply.fail_for_now("not ready: the store has not answered in time");
    if (!store->ok()) return reply.fail_for_now("not ready: " + store->message());
  }
  reply.succeed(R"("ready")");
}

// The text of ten thousand tags takes half a second, so no event loop writes it.
void write_metrics(Metrics& metrics, StoreCalls& calls, const Status& store,
                   const Exchange::Resume& resume) {
  const bool posted =
      calls.post(StoreCalls::Lane::kMetrics, [&metrics, store_up = store.ok(), resume] {
        Exchange::Outcome written;
        written.data = metrics.text(store_up, /*own_parked=*/1);
        resume(written);
      });
  if (!posted) resume(Status(StatusCode::kUnavailable, "too many calls are waiting; try again"));
}

void serve_metrics(Exchange& exchange, Readiness& readiness, Metrics& metrics, StoreCalls& calls) {
  const Exchange::Wait& wait = exchange.wait;
  if (!wait.outcome.status.ok()) {
    return exchange.reply.fail_for_now(wait.outcome.status.message());
  }
  if (wait.outcome.data.empty() && !wait.expired) {
    return exchange.park([&](const Exchange::Resume& resume) {
      const auto write = [&metrics, &calls, resume](const Status& store) {
        write_metrics(metrics, calls, store, resume);
      };
      const std::optional<Status> fresh = readiness.store_status();
      fresh ? write(*fresh) : readiness.ask_store(write);
    });
  }
  exchange.reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  // A store that does not answer in time is a metric too.
  exchange.reply.body = wait.expired ? metrics.text(/*store_up=*/false) : wait.outcome.data;
}

}  // namespace

void add_ops_routes(Router& router, Readiness& readiness, Metrics& metrics, StoreCalls& calls,
                    std::function<bool()> draining) {
  // Load balancers probe "/" by default.
  for (const char* const path : {"/", "/healthz"}) {
    router.get(path, Effect::kNone, [](Exchange& exchange) { exchange.reply.succeed(R"("ok")"); });
  }
  router.get("/readyz", Effect::kNone,
             [&readiness, draining = std::move(draining)](Exchange& exchange) {
               serve_ready(exchange, readiness, draining());
             });
  router.get("/metrics", Effect::kNone, [&readiness, &metrics, &calls](Exchange& exchange) {
    serve_metrics(exchange, readiness, metrics, calls);
  });
}

}  // namespace featherid
