// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace featherid {

void Router::get(std::string path, Lane lane, Route::Handler handler) {
  routes_.push_back({std::move(path), lane, std::move(handler), routes_.size()});
  no_route_.number = routes_.size();
}

void Router::get_or_head(std::string path, Lane lane, Route::Handler handler) {
  get(std::move(path), lane, std::move(handler));
  routes_.back().head = true;
}

const Route& Router::find(std::string_view path) const {
  for (const Route& route : routes_) {
    if (route.path == path) return route;
  }
  return no_route_;
}

std::vector<std::string> Router::paths() const {
  std::vector<std::string> paths;
  for (const Route& route : routes_) paths.push_back(route.path);
  return paths;
}

void Route::serve(Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  if (!handler) return exchange.reply.fail(404, ApiCode::kBadRequest, "there is no such path");
  if (request.method != "GET" && !(head && request.method == "HEAD")) {
    exchange.reply.fail(405, ApiCode::kBadRequest, "use GET");
    exchange.reply.header = {"Allow", head ? "GET, HEAD" : "GET"};
    return;
  }
  Result<Query> query = Query::parse(request.query);
  if (!query.ok()) {
    return exchange.reply.fail(400, ApiCode::kBadRequest, query.status().message());
  }
  exchange.query = *std::move(query);
  try {
    handler(exchange);
  } catch (const std::exception& error) {
    // Quoted: nobody knows what an exception's text holds, such as a line end.
    spdlog::error("{} failed: {} {}", path, json_string(error.what()), exchange.log_tag());
    exchange.reply.fail(500, ApiCode::kUnavailable, "the server failed; its log says why");
  }
}

}  // namespace featherid
