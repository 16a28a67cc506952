// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_ROUTER_H_
#define FEATHERID_SERVER_HTTP_ROUTER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/exchange.h"

namespace featherid {

// What a call does besides answering.
enum class Effect {
  kNone,     // nothing: HEAD and OPTIONS work too, because load balancers use them as probes
  kUsesIds,  // it uses up ids
  kChanges,  // it changes something else, which not every client may do
};

// One method of a path, and its handler.
struct Operation {
  using Handler = std::function<void(Exchange&)>;

  std::string_view method;
  Effect effect;
  Handler handler;
  std::string changes_with;  // kChanges: only if the request has this parameter; empty: always
};

// One path.
struct Route {
  std::string path;
  std::vector<Operation> operations;
};

// The routes by their exact path. Constant once the server runs, and then safe from any thread.
class Router {
 public:
  // False if the client may not change anything; the reply then says why.
  using MayChange = std::function<bool(Exchange&)>;

  // Calls `may_change` before each handler that changes something. Without it, nobody may change
  // anything.
  explicit Router(MayChange may_change = {});

  void get(std::string path, Effect effect, Operation::Handler handler,
           std::string changes_with = {});
  void post(std::string path, Effect effect, Operation::Handler handler);
  void patch(std::string path, Effect effect, Operation::Handler handler);
  void del(std::string path, Effect effect, Operation::Handler handler);

  // Answers the request or parks it. Returns the number of its route.
  std::size_t serve(Exchange& exchange) const;

  // In the order of their numbers.
  const std::vector<Route>& routes() const { return routes_; }
  // The number of a request without a route.
  std::size_t no_route() const { return routes_.size(); }

 private:
  void add(std::string path, Operation operation);
  void answer(const Route& route, Exchange& exchange) const;
  bool permits(const Operation& operation, Exchange& exchange) const;

  const MayChange may_change_;
  std::vector<Route> routes_;  // few: a scan is the quickest look-up
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_ROUTER_H_
