// SPDX-License-Identifier: MIT
#include "server/serve.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "featherid/segment_allocator.h"
#include "featherid/version.h"
#include "server/api/auth.h"
#include "server/api/id_routes.h"
#include "server/api/lease_routes.h"
#include "server/api/log_routes.h"
#include "server/api/openapi.h"
#include "server/api/tag_routes.h"
#include "server/api/tag_texts.h"
#include "server/console/page_routes.h"
#include "server/console/status_routes.h"
#include "server/console/tag_watch.h"
#include "server/http/http_server.h"
#include "server/log/logging.h"
#include "server/ops/descriptor_limit.h"
#include "server/ops/metrics.h"
#include "server/ops/ops_routes.h"
#include "server/ops/readiness.h"
#include "server/ops/service_manager.h"
#include "server/ops/store_calls.h"
#include "server/terminal.h"

namespace featherid {

namespace {

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

void announce(const char* scheme, asio::ip::tcp::endpoint endpoint, const std::string& database,
              bool console) {
  std::ostringstream text;
  text << "featherid-server " FEATHERID_VERSION " ready on " << scheme << endpoint << " ("
       << database << ")\n";
  if (endpoint.address().is_unspecified()) {  // every address; a client requires a specific one
    endpoint.address(endpoint.protocol() == asio::ip::tcp::v4()
                         ? asio::ip::address(asio::ip::address_v4::loopback())
                         : asio::ip::address_v6::loopback());
  }
  text << "try: curl '" << scheme << endpoint << "/api/v1/id?biz_tag=order'\n";
  if (console) text << "console: " << scheme << endpoint << "/console/\n";
  print(text.str());
}

}  // namespace

int serve(const Config& config, const Signals::ReadConfig& read_again,
          const std::shared_ptr<Store>& store, const std::shared_ptr<LogFiles>& log_files) {
  const std::string database = redacted(config.store.addresses);
  SegmentAllocator allocator(with_auto_create(store, config.auto_create, log_core),
                             config.allocator);
  StoreCalls calls;
  Leases leases(store, config.allocator.lease_max_ids);
  TagTexts texts(store, calls, config.scramble_keys);
  Readiness readiness(store, allocator, calls);
  Auth auth(config.tokens, config.http.tls != nullptr);
  Router router(
      [&auth](Exchange& exchange, Effect effect) { return auth.permits(exchange, effect); },
      &auth.closed());
  HttpServer server(within_descriptor_limit(config.http), router);
  add_id_routes(router, {allocator, texts}, config.max_batch_ids);
  add_tag_routes(router, store, allocator, calls);
  add_lease_routes(router, leases, calls);
  add_log_routes(router);
  add_openapi_route(router);
  Metrics metrics(static_cast<std::size_t>(config.metrics_tags_max), [&] {
    MetricsSnapshot now;
    now.tags = allocator.stats();
    now.lease_latency = allocator.lease_latency();
    now.store_up = readiness.store_status().value_or(Status(StatusCode::kUnavailable, "")).ok();
    now.http = server.stats();
    now.log_lines_overrun = log_lines_overrun();
    now.log_lines_lost = log_lines_lost_on_stderr() + (log_files ? log_files->lines_lost() : 0);
    return now;
  });
  add_ops_routes(router, readiness, metrics, calls, [&server] { return server.draining(); });
  std::unique_ptr<TagWatch> watch;
  if (config.console) {
    watch =
        std::make_unique<TagWatch>(allocator, static_cast<std::size_t>(config.metrics_tags_max));
    add_status_routes(router,
                      {*watch, readiness, *store, database, [&server] { return server.draining(); },
                       [&auth](const Exchange& exchange) {
                         Exchange attempt(exchange.request, exchange.peer_is_loopback, {});
                         return auth.permits(attempt, Effect::kChanges);
                       },
                       recent_warnings});
    add_page_routes(router);
  }

  if (const Status bad = server.listen(config.listen); !bad.ok()) {
    return fail(kExitFailure, "--listen: " + text_of(config.listen) + ": " + bad.message());
  }
  const ServiceManager manager(std::getenv("NOTIFY_SOCKET"));
  const Signals signals(config, read_again, server, auth, log_files, manager);
  const char* const scheme = config.http.tls ? "https://" : "http://";
  spdlog::info("listening on {}{}, ids from {}", scheme, text_of(server.endpoint()), database);
  announce(scheme, server.endpoint(), database, config.console);
  readiness.ask_store([&readiness] {
    const Status store_status = readiness.store_status().value_or(Status());
    if (!store_status.ok()) spdlog::warn("no ids can be leased yet: {}", store_status.message());
  });
  manager.ready();
  server.run();

  // Nobody waits for a call of the store any more. Calls that have not begun are dropped; the
  // others end while unused ids are given back. Threads that may still resume a request must end
  // before the server, which owns it.
  if (watch) watch->stop();
  calls.stop();
  const std::int64_t returned_ids = allocator.shutdown();
  calls.join();
  spdlog::info("stopped; {} unused ids went back to {}", returned_ids, database);
  return EXIT_SUCCESS;
}

}  // namespace featherid
