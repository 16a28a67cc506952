// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace featherid {

void Router::get(std::string path, Lane lane, Handler handler) {
  routes_.push_back({std::move(path), lane, std::move(handler)});
}

const Router::Route* Router::find(std::string_view path) const {
  for (const Route& route : routes_) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

Lane Router::lane_of(const HttpRequest& request) const {
  const Route* route = find(request.path);
  return route != nullptr ? route->lane : Lane::kBridge;
}

void Router::dispatch(Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  const Route* route = find(request.path);
  if (route == nullptr) {
    return exchange.reply.fail(404, ApiCode::kBadRequest, "there is no such path");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    exchange.reply.fail(405, ApiCode::kBadRequest, "use GET");
    exchange.reply.header = {"Allow", "GET, HEAD"};
    return;
  }
  Result<Query> query = Query::parse(request.query);
  if (!query.ok()) {
    return exchange.reply.fail(400, ApiCode::kBadRequest, query.status().message());
  }
  exchange.query = *std::move(query);
  try {
    route->handler(exchange);
  } catch (const std::exception& error) {
    spdlog::error("{} failed: {}", route->path, error.what());
    exchange.reply = Reply();
    exchange.reply.fail(500, ApiCode::kUnavailable, "the server failed; its log says why");
  }
}

}  // namespace featherid
