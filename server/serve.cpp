// SPDX-License-Identifier: MIT
#include "server/serve.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <optional>
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
#include "server/http/http_protocol.h"
#include "server/log/logging.h"
#include "server/net/net_server.h"
#include "server/ops/descriptor_limit.h"
#include "server/ops/metrics.h"
#include "server/ops/ops_routes.h"
#include "server/ops/readiness.h"
#include "server/ops/service_manager.h"
#include "server/ops/store_calls.h"
#include "server/resp/resp_protocol.h"
#include "server/terminal.h"

namespace featherid {

namespace {

using asio::ip::tcp;

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

void announce(const char* scheme, tcp::endpoint endpoint, const std::string& resp_address,
              const std::string& database, bool console) {
  std::ostringstream text;
  text << "featherid-server " FEATHERID_VERSION " ready on " << scheme << endpoint << " ("
       << database << ")\n";
  if (endpoint.address().is_unspecified()) {  // every address; a client requires a specific one
    endpoint.address(endpoint.protocol() == asio::ip::tcp::v4()
                         ? asio::ip::address(asio::ip::address_v4::loopback())
                         : asio::ip::address_v6::loopback());
  }
  text << "try: curl '" << scheme << endpoint << "/api/v1/id?biz_tag=order'\n";
  if (!resp_address.empty()) text << "redis: " << resp_address << "\n";
  if (console) text << "console: " << scheme << endpoint << "/console/\n";
  print(text.str());
}

// What the console shows.
struct ConsoleSources {
  TagWatch& watch;
  Readiness& readiness;
  Store& store;
  const std::string& database;
  const NetServer& server;
  const Auth& auth;
};

void add_console(Router& router, const ConsoleSources& from) {
  add_status_routes(router, {from.watch, from.readiness, from.store, from.database,
                             [&server = from.server] { return server.draining(); },
                             [&auth = from.auth](const Exchange& exchange) {
                               Exchange attempt(exchange.request, exchange.peer_is_loopback, {});
                               return auth.permits(attempt, Effect::kChanges);
                             },
                             recent_warnings});
  add_page_routes(router);
}

// Listens on the address of a setting, and returns it. Nothing: it has failed, and has said why.
std::optional<tcp::endpoint> listen(NetServer& server, const char* setting,
                                    const tcp::endpoint& endpoint, Protocol& protocol) {
  const Result<tcp::endpoint> listening = server.listen(endpoint, protocol);
  if (listening.ok()) return *listening;
  fail(kExitFailure,
       std::string(setting) + ": " + text_of(endpoint) + ": " + listening.status().message());
  return std::nullopt;
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
  Auth auth(config.tokens, config.net.tls != nullptr);
  Router router(
      [&auth](Exchange& exchange, Effect effect) { return auth.permits(exchange, effect); },
      &auth.closed());
  HttpProtocol http(router);
  RespProtocol resp({allocator, store, calls, auth});
  NetServer server(within_descriptor_limit(config.net));
  add_id_routes(router, {allocator, texts}, config.max_batch_ids);
  add_tag_routes(router, store, allocator, calls);
  add_lease_routes(router, leases, calls);
  add_log_routes(router);
  add_openapi_route(router);
  Metrics metrics(static_cast<std::size_t>(config.metrics_tags_max), [&] {
    MetricsSnapshot now;
    now.tags = allocator.stats();
    now.lease_latency = allocator.lease_latency();
    now.http = http.stats();
    if (config.resp_listen) now.resp = resp.stats();
    now.certificate_end = server.certificate_end();
    now.log_lines_overrun = log_lines_overrun();
    now.log_lines_lost = log_lines_lost_on_stderr() + (log_files ? log_files->lines_lost() : 0);
    return now;
  });
  add_ops_routes(router, readiness, metrics, calls, [&server] { return server.draining(); });
  std::unique_ptr<TagWatch> watch;
  if (config.console) {
    const auto tags_max = static_cast<std::size_t>(config.metrics_tags_max);
    watch = std::make_unique<TagWatch>(allocator, tags_max);
    add_console(router, {*watch, readiness, *store, database, server, auth});
  }

  const auto endpoint = listen(server, "--listen", config.listen, http);
  if (!endpoint) return kExitFailure;
  std::string resp_address;
  if (config.resp_listen) {
    const auto listening = listen(server, "--resp-listen", *config.resp_listen, resp);
    if (!listening) return kExitFailure;
    resp_address = (config.net.tls ? "rediss://" : "redis://") + text_of(*listening);
    spdlog::info("listening on {}", resp_address);
  }
  const ServiceManager manager(std::getenv("NOTIFY_SOCKET"));
  const Signals signals(config, read_again, server, auth, log_files, manager);
  const char* const scheme = config.net.tls ? "https://" : "http://";
  spdlog::info("listening on {}{}, ids from {}", scheme, text_of(*endpoint), database);
  announce(scheme, *endpoint, resp_address, database, config.console);
  readiness.ask_store([](const Status& answer) {
    if (!answer.ok()) spdlog::warn("no ids can be leased yet: {}", answer.message());
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
