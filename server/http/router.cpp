// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

#include "lib/exception_text.h"

namespace featherid {

namespace {

constexpr const char* kProbeMethods = "GET, HEAD, OPTIONS";

}  // namespace

void Router::get(std::string path, Route::Handler handler) {
  routes_.push_back({std::move(path), std::move(handler), routes_.size()});
  no_route_.number = routes_.size();
}

void Router::get_or_probe(std::string path, Route::Handler handler) {
  get(std::move(path), std::move(handler));
  routes_.back().probe = true;
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
  Reply& reply = exchange.reply;
  if (!handler) return reply.fail(404, ApiCode::kBadRequest, "there is no such path");
  const bool options = request.method == "OPTIONS";
  if (request.method != "GET" && !(probe && (options || request.method == "HEAD"))) {
    reply.fail(405, ApiCode::kBadRequest, "use GET");
    reply.header = {"Allow", probe ? kProbeMethods : "GET"};
    return;
  }
  Result<Query> query = Query::parse(request.query);
  if (!query.ok()) {
    return reply.fail(400, ApiCode::kBadRequest, query.status().message());
  }
  exchange.query = *std::move(query);
  try {
    handler(exchange);
    if (options && reply.status == 200) {
      reply.body.clear();
      reply.header = {"Allow", kProbeMethods};
    }
  } catch (const std::exception& error) {
    // Quoted: nobody knows what an exception's text holds, such as a line end.
    spdlog::error("{} failed: {} {}", path, json_string(text_of(error)), exchange.log_tag());
    reply.fail(500, ApiCode::kUnavailable, "the server failed; its log says why");
  }
}

}  // namespace featherid
