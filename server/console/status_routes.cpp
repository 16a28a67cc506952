// SPDX-License-Identifier: MIT
#include "server/console/status_routes.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/console/status_json.h"
#include "server/log/logging.h"

namespace featherid {

namespace {

using std::chrono::steady_clock;

// A store that has not answered for this long is not up, whatever it answered before.
constexpr std::chrono::seconds kSilentMax{2};

// Nothing: 'as' is wrong, and the reply says so.
std::optional<IdsAs> read_as(Exchange& exchange) {
  const std::string* as = exchange.query.find("as");
  if (as == nullptr || *as == "number") return IdsAs::kNumber;
  if (*as == "string") return IdsAs::kText;
  exchange.reply.fail(400, ApiCode::kBadRequest, "'as' must be string or number");
  return std::nullopt;
}

// Parks the request until `look`, which gets what to call then, has been answered.
template <typename Look>
void wait_for_view(Exchange& exchange, Look look) {
  if (exchange.wait.expired) return exchange.reply.fail_for_now("the server is too busy");
  if (!exchange.wait.outcome.status.ok()) {
    return exchange.reply.fail_for_now(exchange.wait.outcome.status.message());
  }
  exchange.park([look = std::move(look)](const Exchange::Resume& resume) {
    if (!look([resume] { resume(Status()); })) {
      resume(Status(StatusCode::kUnavailable, "too many calls are waiting; try again"));
    }
  });
}

void read_store(Readiness& readiness, ServerStatus* status) {
  const Readiness::Last last = readiness.last();
  if (last.waiting.count() == 0 && !readiness.store_status())
    readiness.ask_store([](const Status&) {});
  if (last.waiting >= kSilentMax) {
    status->store_up = false;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(last.waiting);
    status->store_message = "no answer for " + std::to_string(seconds.count()) + " s";
  } else if (last.answer) {
    status->store_up = last.answer->ok();
    status->store_message = last.answer->message();
  }
}

void serve_status(Exchange& exchange, const StatusSources& sources,
                  steady_clock::time_point start) {
  const std::optional<IdsAs> as = read_as(exchange);
  if (!as) return;
  const std::shared_ptr<const TagWatch::View> view = sources.watch.view();
  if (!view) {
    return wait_for_view(exchange, [&watch = sources.watch](TagWatch::Done done) {
      return watch.look(std::move(done));
    });
  }
  ServerStatus status;
  status.now = std::chrono::system_clock::now();
  read_store(sources.readiness, &status);
  status.totals = view->totals;
  if (sources.draining()) {
    status.not_ready_because = "the server is stopping";
  } else if (status.totals.held_ids <= 0 && !status.store_up.value_or(true)) {
    status.not_ready_because = status.store_message;
  }
  const steady_clock::time_point now = steady_clock::now();
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(now - start);
  status.store = sources.store_address;
  status.leader = sources.store.leader();
  status.may_change = sources.may_change(exchange);
  status.log_level = log_level_name(spdlog::default_logger()->level());
  // They may name people, machines and logins, which are no business of strangers.
  if (status.may_change) status.warnings = sources.warnings();
  status.samples = sources.watch.samples().of_all(now);
  exchange.reply.succeed(status_json(status, *as));
}

void serve_tags(Exchange& exchange, TagWatch& watch) {
  const std::optional<IdsAs> as = read_as(exchange);
  if (!as) return;
  if (const std::shared_ptr<const TagWatch::View> view = watch.view_with_json(*as)) {
    return exchange.reply.succeed(view->json_of(*as));
  }
  wait_for_view(exchange, [&watch, as = *as](TagWatch::Done done) {
    return watch.look_with_json(as, std::move(done));
  });
}

void serve_tag(Exchange& exchange, TagWatch& watch) {
  const std::optional<IdsAs> as = read_as(exchange);
  if (!as) return;
  const std::string* const tag = exchange.query.find("biz_tag");
  if (tag == nullptr) {
    return exchange.reply.fail(400, ApiCode::kBadRequest, "biz_tag is missing; add ?biz_tag=order");
  }
  if (const Status bad = validate_tag(*tag); !bad.ok()) {
    return exchange.reply.fail(400, ApiCode::kBadRequest, bad.message());
  }
  const std::shared_ptr<const TagWatch::View> view = watch.view();
  if (!view) {
    return wait_for_view(exchange,
                         [&watch](TagWatch::Done done) { return watch.look(std::move(done)); });
  }
  const TagStats* const stats = view->find(*tag);
  if (stats == nullptr) return exchange.reply.succeed(R"({"tag":null,"samples":null})");
  const std::optional<SampleSeries> series = watch.samples().of_tag(*tag, steady_clock::now());
  exchange.reply.succeed(R"({"tag":)" + tag_json(*stats, *as, std::chrono::system_clock::now()) +
                         R"(,"samples":)" + (series ? series_json(*series) : "null") + "}");
}

}  // namespace

void add_status_routes(Router& router, StatusSources sources) {
  TagWatch& watch = sources.watch;
  const auto add = [&router](const char* path, std::vector<std::string> parameters,
                             Operation::Handler handler) {
    router.add(path, {"GET", Effect::kReads, std::move(handler), "", std::move(parameters)});
  };
  add("/api/v1/status", {"as"},
      [sources = std::move(sources), start = steady_clock::now()](Exchange& exchange) {
        serve_status(exchange, sources, start);
      });
  add("/api/v1/status/tags", {"as"}, [&watch](Exchange& exchange) { serve_tags(exchange, watch); });
  add("/api/v1/status/tag", {"biz_tag", "as"},
      [&watch](Exchange& exchange) { serve_tag(exchange, watch); });
}

}  // namespace featherid
