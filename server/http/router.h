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

// One path, and what answers it.
struct Route {
  using Handler = std::function<void(Exchange&)>;

  std::string path;
  Handler handler;
  std::size_t number = 0;  // by which its requests are counted
  bool probe = false;      // whether HEAD and OPTIONS are answered, too

  // Runs the handler; where there is none, or it throws, the reply is an error.
  void serve(Exchange& exchange) const;
};

// The routes by their exact path. Constant once the server runs, and then safe from any thread.
class Router {
 public:
  // Answers GET.
  void get(std::string path, Route::Handler handler);
  // Answers HEAD and OPTIONS as well, with the status of GET and no body, as load balancers probe:
  // for what hands out and changes nothing.
  void get_or_probe(std::string path, Route::Handler handler);

  // The path's route. A path without one has the route whose path is empty, which says so; its
  // number comes after all others.
  const Route& find(std::string_view path) const;

  // The routes' paths in the order of their numbers.
  std::vector<std::string> paths() const;

 private:
  std::vector<Route> routes_;  // few: a scan is the quickest look-up
  Route no_route_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_ROUTER_H_
