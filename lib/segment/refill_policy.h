// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_REFILL_POLICY_H_
#define FEATHERID_LIB_SEGMENT_REFILL_POLICY_H_

#include <chrono>
#include <cstdint>
#include <random>

#include "featherid/status.h"
#include "lib/base/clock.h"

namespace featherid {

// The arithmetic of refill: pure, without a clock, a lock or a store.

// Whether waiting may clear this error of the store before the caller's timeout.
bool is_transient(const Status& status);

// A tag's burn rate: an exponentially weighted mean of its use, over `window`. The mean is over
// time, not over samples, so a spike of a tenth of the window counts for about a tenth.
class BurnMeter {
 public:
  explicit BurnMeter(Duration window) : window_(window) {}

  // `used_ids` were used during the `elapsed` since the last call.
  void add(std::int64_t used_ids, Duration elapsed);
  double ids_per_second() const { return ids_per_second_; }

 private:
  Duration window_;
  double ids_per_second_ = 0;
};

struct RefillLimits {
  std::chrono::seconds hold;
  std::int64_t lease_max_ids;
};

// What the size of a lease depends on.
struct RefillState {
  std::int64_t step = 0;
  std::int64_t stock_ids = 0;       // in the cursor and queued behind it
  std::int64_t wanted_ids = 0;      // requested by waiting callers
  std::int64_t last_lease_ids = 0;  // 0 before the first
  double burn_ids_per_second = 0;
  Duration lease_latency{0};  // of the last lease
};

// How many ids to lease now; 0 for none.
//
// A stock below the low mark (1.25 x hold of burn, or half a step) is filled up to the high mark (2
// x hold, or one step). So a steady burn leases at most once per 0.75 x hold, the stock never falls
// below one hold while the store answers, and an idle tag that holds half a step leases nothing. A
// lease is at least one step and at most twice the last one. It exceeds lease_max_ids only if the
// step does, or for callers that wait for more at once, and then only up to kRangeIdsMax.
//
// The burn rate is a mean over one hold. So n ids burnt in a spike make a rate of n / hold, and at
// most about 2 n ids are held after the spike.
std::int64_t ids_to_lease(const RefillLimits& limits, const RefillState& state);

// How many ids to put into the cursor at a time: an eighth of a hold, or a quarter of a step.
// Whenever they are used up, the tag measures its burn and calls ids_to_lease() again, so the low
// mark is noticed in time without any work on the fast path.
std::int64_t chunk_ids(const RefillLimits& limits, std::int64_t step, double burn_ids_per_second);

// The pause after the `failures`th failure in a row (from 1): it doubles from `min` to `max`, and
// the latter half of it is random, so that processes do not all retry at once.
Duration backoff(Duration min, Duration max, int failures, std::minstd_rand& random);

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_REFILL_POLICY_H_
