// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_EXCHANGE_H_
#define FEATHERID_SERVER_HTTP_EXCHANGE_H_

#include <chrono>
#include <string>
#include <utility>

#include "server/http/query.h"
#include "server/http/reply.h"
#include "server/http/request_gate.h"
#include "server/net/request_trace.h"
#include "server/net/wait.h"

namespace featherid {

// One request and its answer, as a route sees them. A route runs on an event loop and must not
// block. If it has to wait, it parks the request. When the wait has ended, the whole route runs
// again with a new Exchange.
class Exchange {
 public:
  using Clock = NetClock;
  using Outcome = WaitOutcome;
  using Resume = featherid::Resume;
  using StartWait = featherid::StartWait;
  using Wait = featherid::Wait;

  Exchange(const HttpRequest& request_in, bool peer_is_loopback_in, Wait wait_in)
      : request(request_in), peer_is_loopback(peer_is_loopback_in), wait(std::move(wait_in)) {}

  const HttpRequest& request;
  const bool peer_is_loopback;
  const Wait wait;
  Query query;
  Reply reply;
  bool changes = false;  // the request changes something, and the client is allowed to
  std::string who;       // if it is: the name of its token, or "loopback"

  // The end of a log line about this request.
  std::string log_tag() const {
    return featherid::log_tag(reply.request_number, request.traceparent);
  }

  std::chrono::milliseconds time_left() const { return wait.time_left(); }

  // Discards the reply. `start` is called once. It must call its argument when the wait ends.
  void park(StartWait start) { start_wait_ = std::move(start); }
  bool parked() const { return start_wait_ != nullptr; }
  void start_wait(Resume resume) const { start_wait_(std::move(resume)); }
  StartWait take_wait() { return std::move(start_wait_); }

 private:
  StartWait start_wait_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_EXCHANGE_H_
