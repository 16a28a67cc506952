// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace featherid {

void Router::get(std::string path, Lane lane, Handler handler) {
  routes_.push_back({std::move(path), lane, std::move(handler)});
}

std::vector<std::string> Router::paths() const {
  std::vector<std::string> paths;
  for (const Route& route : routes_) paths.push_back(route.path);
  return paths;
}

std::size_t Router::number_of(std::string_view path) const {
  std::size_t number = 0;
  while (number < routes_.size() && routes_[number].path != path) ++number;
  return number;
}

const Router::Route* Router::find(std::string_view path) const {
  const std::size_t number = number_of(path);
  return number < routes_.size() ? &routes_[number] : nullptr;
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
    spdlog::error("{} failed: {} {}", route->path, error.what(), exchange.log_tag());
    exchange.reply.fail(500, ApiCode::kUnavailable, "the server failed; its log says why");
  }
}

}  // namespace featherid
