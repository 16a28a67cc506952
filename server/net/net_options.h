// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_NET_OPTIONS_H_
#define FEATHERID_SERVER_NET_NET_OPTIONS_H_

#include <algorithm>
#include <chrono>

#include "server/net/tls_context.h"

namespace featherid {

// The options and limits of connections, whatever their protocol.
struct NetOptions {
  TlsContext tls;  // null: no TLS
  int io_threads = 1;
  int connections_max = 10000;
  int parked_max = 10000;
  std::chrono::milliseconds header_timeout{10000};  // from a request's first byte to its last
  std::chrono::milliseconds idle_timeout{75000};    // between two requests of HTTP
  std::chrono::milliseconds resp_idle_timeout{0};   // the same of the Redis protocol; 0: for ever
  std::chrono::milliseconds write_timeout{30000};   // for a client to read its answers
  std::chrono::milliseconds request_timeout{2000};  // how long a request may be parked
  std::chrono::milliseconds drain_timeout{10000};   // to finish what is in progress

  // How long a stopping server still waits for what may be on its way: a connection that its client
  // already considers open, or the next request on an open connection.
  std::chrono::milliseconds drain_grace() const {
    return std::min(std::chrono::milliseconds(500), drain_timeout / 2);
  }
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_NET_OPTIONS_H_
