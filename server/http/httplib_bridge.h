// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_HTTPLIB_BRIDGE_H_
#define FEATHERID_SERVER_HTTP_HTTPLIB_BRIDGE_H_

#include <memory>
#include <string>

#include "server/http/exchange.h"
#include "server/http/router.h"

namespace featherid {

// cpp-httplib without its sockets: it parses, calls the route and renders, over memory. The one
// place that knows how its versions (0.11 to today's) differ. For one thread; each event loop has
// its own.
class HttplibBridge {
 public:
  HttplibBridge();
  ~HttplibBridge();

  // Runs the exchange's route and appends the answer, unless the route has parked the request.
  // `close` says so in the answer. The reply's body goes with it.
  void answer(const Route& route, Exchange& exchange, bool close, std::string* out);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_HTTPLIB_BRIDGE_H_
