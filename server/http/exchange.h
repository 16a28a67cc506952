// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_EXCHANGE_H_
#define FEATHERID_SERVER_HTTP_EXCHANGE_H_

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/period.h"
#include "featherid/status.h"
#include "server/http/query.h"
#include "server/http/reply.h"
#include "server/http/request_gate.h"
#include "server/http/request_trace.h"

namespace featherid {

// One request and its answer, as a route sees them. A route runs on an event loop and must not
// block. If it has to wait, it parks the request. When the wait has ended, the whole route runs
// again with a new Exchange.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  // What a wait has brought.
  struct Outcome {
    Outcome() = default;
    Outcome(Status ended)  // NOLINT(google-explicit-constructor): resume(status)
        : status(std::move(ended)) {}
    Outcome(Result<std::vector<IdRange>> ended)  // NOLINT(google-explicit-constructor): likewise
        : status(ended.status()) {
      if (ended.ok()) ids = *std::move(ended);
    }
    Outcome(Result<PeriodRanges> ended)  // NOLINT(google-explicit-constructor): likewise
        : status(ended.status()) {
      if (!ended.ok()) return;
      ids = std::move(ended->ranges);
      period = ended->period;
    }

    Status status;
    std::string data;          // the JSON to answer, if the wait was for that
    std::vector<IdRange> ids;  // if it was for ids
    Period period;             // which they are of, if their tag has periods
  };

  // Ends the wait of a parked request. May be called from any thread, at any time, more than once.
  using Resume = std::function<void(const Outcome&)>;
  using StartWait = std::function<void(Resume)>;

  // The state of the wait so far.
  struct Wait {
    Clock::time_point deadline;  // of the whole request
    bool expired = false;        // the deadline has passed: the route must answer now
    Outcome outcome;             // of the wait before this run; OK in the first run
    bool over = false;           // a wait has ended: this is not the first run
  };

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

  std::chrono::milliseconds time_left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(wait.deadline - Clock::now());
  }

  // Discards the reply. `start` is called once. It must call its argument when the wait ends.
  void park(StartWait start) { start_wait_ = std::move(start); }
  bool parked() const { return start_wait_ != nullptr; }
  void start_wait(Resume resume) const { start_wait_(std::move(resume)); }

 private:
  StartWait start_wait_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_EXCHANGE_H_
