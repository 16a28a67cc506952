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

// A hot call is answered straight after the gate; every other one goes through cpp-httplib.
enum class Lane { kDirect, kBridge };

// The routes by their exact path. Constant once the server runs, and then safe from any thread.
class Router {
 public:
  using Handler = std::function<void(Exchange&)>;

  // Answers GET, and HEAD without the body.
  void get(std::string path, Lane lane, Handler handler);

  Lane lane_of(const HttpRequest& request) const;

  // The routes' paths in the order of their numbers. A path without a route has the number after
  // the last one's.
  std::vector<std::string> paths() const;
  std::size_t number_of(std::string_view path) const;

  // Runs the route; where there is none, or it throws, the reply is an error.
  void dispatch(Exchange& exchange) const;

 private:
  struct Route {
    std::string path;
    Lane lane;
    Handler handler;
  };
  const Route* find(std::string_view path) const;

  std::vector<Route> routes_;  // few: a scan is the quickest look-up
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_ROUTER_H_
