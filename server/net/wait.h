// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_WAIT_H_
#define FEATHERID_SERVER_NET_WAIT_H_

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/period.h"
#include "featherid/status.h"

namespace featherid {

// How a request waits without a thread. What answers it runs on an event loop and must not block.
// If it has to wait, it parks the request. When the wait has ended, the request is answered from
// the beginning, with what the wait has brought.

using NetClock = std::chrono::steady_clock;

// What a wait has brought.
struct WaitOutcome {
  WaitOutcome() = default;
  WaitOutcome(Status ended)  // NOLINT(google-explicit-constructor): resume(status)
      : status(std::move(ended)) {}
  WaitOutcome(Result<std::vector<IdRange>> ended)  // NOLINT(google-explicit-constructor): likewise
      : status(ended.status()) {
    if (ended.ok()) ids = *std::move(ended);
  }
  WaitOutcome(Result<PeriodRanges> ended)  // NOLINT(google-explicit-constructor): likewise
      : status(ended.status()) {
    if (!ended.ok()) return;
    ids = std::move(ended->ranges);
    period = ended->period;
  }

  Status status;
  std::string data;          // the text to answer, if the wait was for that
  std::vector<IdRange> ids;  // if it was for ids
  Period period;             // which they are of, if their tag has periods
};

// Ends the wait of a parked request. May be called from any thread, at any time, more than once.
using Resume = std::function<void(const WaitOutcome&)>;
// Begins the wait. It is called once, and must call its argument when the wait ends.
using StartWait = std::function<void(Resume)>;

// The state of the wait so far.
struct Wait {
  NetClock::time_point deadline;  // of the whole request
  bool expired = false;           // the deadline has passed: the request must be answered now
  WaitOutcome outcome;            // of the wait before this run; OK in the first run
  bool over = false;              // a wait has ended: this is not the first run

  std::chrono::milliseconds time_left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - NetClock::now());
  }
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_WAIT_H_
