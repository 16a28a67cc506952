// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "lib/base/exception_text.h"
#include "server/log/json.h"

namespace featherid {

namespace {

bool leads_to(const Route& route, std::string_view path) {
  const std::string_view own = route.path;
  const std::size_t before_star = own.size() - 1;
  if (own.size() < 2 || own.substr(before_star - 1) != "/*") return own == path;
  return path.substr(0, before_star) == own.substr(0, before_star);
}

bool has_no_effect(const Operation& operation) {
  return operation.effect == Effect::kNone || operation.effect == Effect::kReads;
}

// Null: the path does not have this method. HEAD and OPTIONS are allowed if GET has no effect.
const Operation* find_operation(const Route& route, std::string_view method) {
  const bool probe = method == "HEAD" || method == "OPTIONS";
  for (const Operation& operation : route.operations) {
    if (operation.method == method) return &operation;
    if (probe && operation.method == "GET" && has_no_effect(operation)) return &operation;
  }
  return nullptr;
}

std::string methods_of(const Route& route, const char* separator) {
  std::string methods;
  for (const Operation& operation : route.operations) {
    if (!methods.empty()) methods += separator;
    methods += operation.method;
  }
  return methods;
}

// False: the request has something that the call would ignore, and that its sender may rely on.
bool is_well_formed(const Operation& operation, Exchange& exchange) {
  const bool closed = operation.effect == Effect::kChanges || operation.effect == Effect::kLeases;
  if (closed && !exchange.request.body.empty()) {
    exchange.reply.fail(415, ApiCode::kBadRequest,
                        "this call reads no body; put its parameters into the query");
    return false;
  }
  const std::vector<std::string>& known = operation.parameters;
  if (known.empty()) return true;
  const std::string* const unknown = exchange.query.find_other_than(known);
  if (unknown == nullptr) return true;
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  exchange.reply.fail(400, ApiCode::kBadRequest,
                      "there is no parameter '" + *unknown + "' here; there are " + names);
  return false;
}

Reply::Header allow(const Route& route) {
  const bool probe = find_operation(route, "HEAD") != nullptr;
  return {"Allow", methods_of(route, ", ") + (probe ? ", HEAD, OPTIONS" : "")};
}

}  // namespace

Router::Router(Permits permits, const std::atomic<bool>* closed)
    : permits_(std::move(permits)), closed_(closed) {}

void Router::get(std::string path, Effect effect, Operation::Handler handler) {
  add(std::move(path), {"GET", effect, std::move(handler), {}, {}});
}

void Router::add(std::string path, Operation operation) {
  auto route = std::find_if(routes_.begin(), routes_.end(),
                            [&path](const Route& other) { return other.path == path; });
  if (route == routes_.end()) route = routes_.insert(route, {std::move(path), {}});
  route->operations.push_back(std::move(operation));
}

std::size_t Router::serve(Exchange& exchange) const {
  std::size_t number = 0;
  while (number < routes_.size() && !leads_to(routes_[number], exchange.request.path)) ++number;
  if (number < routes_.size()) {
    answer(routes_[number], exchange);
  } else {
    exchange.reply.fail(404, ApiCode::kBadRequest, "there is no such path");
  }
  return number;
}

void Router::answer(const Route& route, Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  Reply& reply = exchange.reply;
  const Operation* const operation = find_operation(route, request.method);
  if (operation == nullptr) {
    reply.fail(405, ApiCode::kBadRequest, "use " + methods_of(route, " or "));
    return reply.headers.push_back(allow(route));
  }
  Result<Query> query = Query::parse(request.query);
  if (!query.ok()) {
    return reply.fail(400, ApiCode::kBadRequest, query.status().message());
  }
  exchange.query = *std::move(query);
  if (!permits(*operation, exchange) || !is_well_formed(*operation, exchange)) return;
  try {
    operation->handler(exchange);
    if (request.method == "OPTIONS" && reply.status == 200) {
      reply.body.clear();
      reply.headers.push_back(allow(route));
    }
  } catch (const std::exception& error) {
    // Quoted, because an exception's text may contain anything, such as a line end.
    spdlog::error("{} failed: {} {}", route.path, json_string(text_of(error)), exchange.log_tag());
    reply.fail(500, ApiCode::kUnavailable, "the server failed; its log says why");
  }
}

bool Router::permits(const Operation& operation, Exchange& exchange) const {
  Effect effect = operation.effect;
  const std::string& with = operation.changes_with;
  if (!with.empty() && exchange.query.find(with) == nullptr) effect = Effect::kReads;
  if (effect == Effect::kNone) return true;
  if (exchange.wait.over || exchange.wait.expired) {  // it was permitted before its wait
    exchange.changes = effect == Effect::kChanges;
    return true;
  }
  if (effect != Effect::kChanges && effect != Effect::kLeases) {
    // relaxed: a request that does not see the change is as good as one that came before it.
    const bool closed = closed_ != nullptr && closed_->load(std::memory_order_relaxed);
    return !closed || permits_(exchange, effect);
  }
  if (!permits_) {
    exchange.reply.fail(403, ApiCode::kNotAllowed, "this server allows no changes");
    return false;
  }
  const bool permitted = permits_(exchange, effect);
  exchange.changes = permitted && effect == Effect::kChanges;
  return permitted;
}

}  // namespace featherid
