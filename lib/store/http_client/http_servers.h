// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_SERVERS_H_
#define FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_SERVERS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "featherid/internal/export.h"
#include "featherid/log.h"
#include "featherid/status.h"
#include "lib/store/http_client/http_address.h"
#include "lib/store/http_client/http_connection.h"

namespace featherid {

// Calls of one of several servers that serve the same: which one, over which connection, and when
// another is asked. Each begins with one of them at random, and uses it until it fails. Nothing is
// repeated except as a call allows. Thread-safe.
class FEATHERID_EXPORT HttpServers {
 public:
  struct Options {
    std::chrono::milliseconds call_timeout{5000};
    // How long one server may take to accept a connection and to answer on it.
    std::chrono::milliseconds connect_timeout{1000};
    HttpConnection::Access access = {};
    // The bearer token of each new connection; empty function: access.token.
    std::function<std::string()> token = {};
    // Whether the server cannot serve, as its answer says. Then others are asked first for a while.
    std::function<Status(const HttpAnswer& answer, const std::string& url)> judge;
    // Whether such an answer proves that nothing was done. Then another is asked whatever the call
    // allows. Empty: none does.
    std::function<bool(const HttpAnswer& answer)> proves_undone = {};
    LogCallback log = {};  // a server that fails, and one that works again
  };

  // When another server is asked, besides when a server could not be reached.
  enum class Repeat {
    kNever,
    kIfRefused,  // also if a server says that it cannot serve
    kAlways,     // also if a server does not answer
  };
  struct Call {
    HttpClientRequest request;
    Repeat repeat = Repeat::kNever;
    std::optional<std::size_t> only_server = {};
    std::optional<TimePoint> deadline = {};  // none: in call_timeout
  };
  struct Answer {
    HttpAnswer http;
    std::size_t server = 0;  // who answered
  };

  // 1 to kServersMax addresses.
  static constexpr std::size_t kServersMax = 16;
  HttpServers(std::vector<HttpAddress> addresses, Options options);
  ~HttpServers();
  HttpServers(const HttpServers&) = delete;
  HttpServers& operator=(const HttpServers&) = delete;

  // The answer of a server that serves, or why there is none. Blocks until the deadline.
  Result<Answer> call(const Call& call);

  const std::string& url(std::size_t server) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_SERVERS_H_
