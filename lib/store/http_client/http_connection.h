// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_CONNECTION_H_
#define FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <string>

#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/base/watchdog.h"
#include "lib/store/http_client/http_address.h"

namespace featherid {

// No answer of a server is larger. More would only fill the memory.
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

struct HttpClientRequest {
  const char* method;
  std::string target;              // path and query, percent-encoded
  std::string body = {};           // JSON; empty: none
  std::string authorization = {};  // the header; empty: that of the connection, if it has one
  std::size_t answer_bytes_max = kAnswerBytesMax;  // a larger one is none
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string date;  // the header
};

// What messages call the options.
struct HttpWords {
  std::string address = "the address of the server";
  std::string ca_file = "HttpStoreOptions::ca_file";
  std::string token = "HttpStoreOptions::token or token_file";
  std::string without_tls = "use http:// if the server has no certificate";
  std::string unhealthy = "see the server's log";  // what to do if it says that it cannot serve
};

// One connection to a server. All that depends on the version of cpp-httplib is in its source.
// cpp-httplib's client connects by itself when it sends, and some versions then send a request
// again. Here a connection is made with a request that does nothing, and never made again: each
// request after that is sent at most once. Not thread-safe.
class HttpConnection {
 public:
  struct Access {
    std::string token;    // a bearer token; empty: none
    std::string ca_file;  // empty: the system's
    HttpWords words = {};
    std::string cert_file = {};  // the client's own certificate and its key; empty: none
    std::string key_file = {};
    std::string opening = "/healthz";  // the path that the first request asks for
    bool must_be_healthy = false;      // its answer must be 200
  };

  // Connects to one address of the host, as text, and waits for the server's first answer.
  // kUnavailable: there is none by the deadline, its certificate is not trusted, the server says
  // that it is not healthy, or it does not keep the connection.
  static Result<std::unique_ptr<HttpConnection>> open(const HttpAddress& address,
                                                      const std::string& numeric_host,
                                                      const Access& access, Watchdog& watchdog,
                                                      TimePoint deadline);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Sends the request, once. kUnavailable: no answer came by the deadline, and the server may have
  // got the request. The connection must not be used again then.
  Result<HttpAnswer> send(const HttpClientRequest& request, TimePoint deadline);

  // False if the server has closed the connection, or has sent something that was not asked for.
  bool usable() const;

  TimePoint last_used() const;

 private:
  struct Impl;
  explicit HttpConnection(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_CONNECTION_H_
