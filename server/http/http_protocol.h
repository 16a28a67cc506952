// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_HTTP_PROTOCOL_H_
#define FEATHERID_SERVER_HTTP_HTTP_PROTOCOL_H_

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "server/http/router.h"
#include "server/net/protocol.h"
#include "server/net/request_stats.h"

namespace featherid {

// What the HTTP connections of one event loop share.
struct HttpLoop {
  static constexpr std::size_t kStatusEnd = 600;  // above every HTTP status

  explicit HttpLoop(std::size_t routes) : stats(routes, kStatusEnd) {}

  // In the format of http_date().
  const std::string& date(std::time_t now);

  RequestStats stats;

 private:
  std::string date_;
  std::time_t date_of_ = 0;
};

// HTTP/1.1: the gate, the router, the reply. The router must outlive it.
class HttpProtocol final : public Protocol {
 public:
  explicit HttpProtocol(const Router& router) : router_(router) {}

  void start(std::size_t loops) override;  // from then on the router is constant
  std::unique_ptr<Conversation> open(ConnectionLoop& loop, const Stream& stream) override;
  std::size_t request_bytes_max() const override;
  std::chrono::milliseconds idle_timeout(const NetOptions& options) const override;
  bool may_begin_idle() const override { return false; }

  // Counts since the start, by HTTP status, and the current state. Call it from any thread once the
  // server runs.
  ProtocolStats stats() const;

 private:
  const Router& router_;
  std::vector<std::unique_ptr<HttpLoop>> loops_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_HTTP_PROTOCOL_H_
