// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_HTTP_CONNECTION_H_
#define FEATHERID_LIB_STORE_HTTP_HTTP_CONNECTION_H_

#include <memory>
#include <string>

#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/base/watchdog.h"
#include "lib/store/http/api_client.h"
#include "lib/store/http/http_address.h"

namespace featherid {

struct HttpRequestLine {
  const char* method;
  std::string target;  // path and query, percent-encoded
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string date;  // the header
};

// One connection to a server. All that depends on the version of cpp-httplib is in its source.
// cpp-httplib's client connects by itself when it sends, and some versions then send a request
// again. Here a connection is made with a request that does nothing, and never made again: each
// request after that is sent at most once. Not thread-safe.
class HttpConnection {
 public:
  struct Access {
    std::string token;    // empty: none
    std::string ca_file;  // empty: the system's
    ApiClient::Words words = {};
  };

  // Connects to one address of the host, as text, and waits for the server's first answer.
  // kUnavailable: there is none by the deadline, or its certificate is not trusted.
  static Result<std::unique_ptr<HttpConnection>> open(const HttpAddress& address,
                                                      const std::string& numeric_host,
                                                      const Access& access, Watchdog& watchdog,
                                                      TimePoint deadline);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Sends the request, once. kUnavailable: no answer came by the deadline, and the server may have
  // got the request. The connection must not be used again then.
  Result<HttpAnswer> send(const HttpRequestLine& request, TimePoint deadline);

  // False if the server has closed the connection, or has sent something that was not asked for.
  bool usable() const;

  TimePoint last_used() const;

 private:
  struct Impl;
  explicit HttpConnection(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_HTTP_CONNECTION_H_
