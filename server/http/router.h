// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_ROUTER_H_
#define FEATHERID_SERVER_HTTP_ROUTER_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/exchange.h"

namespace featherid {

// What a call does besides answering.
enum class Effect {
  kNone,     // nothing, and every client may: load balancers use it as a probe
  kReads,    // nothing, but an operator may close it to strangers
  kUsesIds,  // it uses up ids; closed together with what reads
  kLeases,   // it serves a process that leases from the store; not every client may
  kChanges,  // it changes something else, which not every client may do
};

// One method of a path, and its handler.
struct Operation {
  using Handler = std::function<void(Exchange&)>;

  std::string_view method;
  Effect effect;
  Handler handler;
  std::string changes_with;  // kChanges: only if the request has this parameter, else it reads
  std::vector<std::string> parameters;  // all that it has; empty: others are ignored
};

// One path; or, if it ends in "/*", all that begin with what is before the star.
struct Route {
  std::string path;
  std::vector<Operation> operations;
};

// The routes by their path. Constant once the server runs, and then safe from any thread.
class Router {
 public:
  // False if the client may not do what has this effect; the reply then says why.
  using Permits = std::function<bool(Exchange&, Effect)>;

  // Calls `permits` before each handler that changes something or leases, and while `closed` is
  // true before each that reads or uses ids, but not again after a wait. Without `permits`, nobody
  // may change anything or lease.
  explicit Router(Permits permits = {}, const std::atomic<bool>* closed = nullptr);

  void add(std::string path, Operation operation);
  void get(std::string path, Effect effect, Operation::Handler handler);

  // Answers the request or parks it. Returns the number of its route.
  std::size_t serve(Exchange& exchange) const;

  // In the order of their numbers.
  const std::vector<Route>& routes() const { return routes_; }
  // The number of a request without a route.
  std::size_t no_route() const { return routes_.size(); }

 private:
  void answer(const Route& route, Exchange& exchange) const;
  bool permits(const Operation& operation, Exchange& exchange) const;

  const Permits permits_;
  const std::atomic<bool>* const closed_;
  std::vector<Route> routes_;  // few: a scan is the quickest look-up
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_ROUTER_H_
