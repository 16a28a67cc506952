// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_HTTP_OPTIONS_H_
#define FEATHERID_SERVER_HTTP_HTTP_OPTIONS_H_

#include <algorithm>
#include <chrono>

#include "server/http/tls_context.h"

namespace featherid {

// How the HTTP side of the server speaks, and what bounds it.
struct HttpOptions {
  TlsContext tls;  // null: in the clear
  int io_threads = 1;
  int connections_max = 10000;
  int parked_max = 10000;
  std::chrono::milliseconds header_timeout{10000};  // first byte of a request to its last
  std::chrono::milliseconds idle_timeout{75000};    // between two requests
  std::chrono::milliseconds write_timeout{30000};   // a client takes the answers waiting for it
  std::chrono::milliseconds request_timeout{2000};  // a request may be parked for so long
  std::chrono::milliseconds drain_timeout{10000};   // to finish what is under way

  // So long a server that stops still waits for what may be on its way: a connection whose client
  // believes it made, the next request of a client that kept its connection.
  std::chrono::milliseconds drain_grace() const {
    return std::min(std::chrono::milliseconds(500), drain_timeout / 2);
  }
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_HTTP_OPTIONS_H_
