// SPDX-License-Identifier: MIT
#include "lib/segment/refill_policy.h"

#include <algorithm>
#include <cmath>

#include "featherid/segment_store.h"

namespace featherid {

bool is_transient(const Status& status) {
  return status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kDeadlineExceeded;
}

namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Ids are counted in doubles at first, so that no product overflows. No lease exceeds the bound.
std::int64_t to_ids(double ids) {
  return static_cast<std::int64_t>(
      std::clamp(ids, 0.0, 4.0 * static_cast<double>(kLeaseIdsMax) * 1e6));
}

}  // namespace

void BurnMeter::add(std::int64_t used_ids, Duration elapsed) {
  // If the clock is too coarse for the elapsed time, the ids still count.
  const double elapsed_seconds = std::max(seconds(elapsed), 1e-9);
  const double weight = -std::expm1(-elapsed_seconds / seconds(window_));
  const double now = static_cast<double>(used_ids) / elapsed_seconds;
  ids_per_second_ += weight * (now - ids_per_second_);
}

std::int64_t ids_to_lease(const RefillLimits& limits, const RefillState& state) {
  const double burn_of_hold = state.burn_ids_per_second * static_cast<double>(limits.hold.count());
  // A store slower than the hold must still be asked early enough.
  const double burn_of_lease = state.burn_ids_per_second * seconds(state.lease_latency);
  const std::int64_t low_ids =
      std::max(to_ids(1.25 * burn_of_hold + 2 * burn_of_lease), (state.step + 1) / 2);
  const std::int64_t high_ids = std::max(to_ids(2 * burn_of_hold + 4 * burn_of_lease), state.step);

  const std::int64_t missing_ids = std::max<std::int64_t>(0, state.wanted_ids - state.stock_ids);
  if (missing_ids == 0 && state.stock_ids >= low_ids) return 0;

  const std::int64_t lease_max_ids = std::max(limits.lease_max_ids, state.step);
  const std::int64_t grown_ids =
      state.last_lease_ids == 0 ? state.step : std::min(2 * state.last_lease_ids, lease_max_ids);
  std::int64_t count_ids = std::min(high_ids - state.stock_ids, grown_ids);
  // Bounded as well: a failover guard must be larger than any lease.
  const std::int64_t waited_for_ids = std::min(missing_ids, std::max(lease_max_ids, kRangeIdsMax));
  count_ids = std::max({count_ids, state.step, waited_for_ids});
  return std::clamp<std::int64_t>(count_ids, 1, kLeaseIdsMax);
}

std::int64_t chunk_ids(const RefillLimits& limits, std::int64_t step, double burn_ids_per_second) {
  const std::int64_t eighth_of_hold =
      to_ids(burn_ids_per_second * static_cast<double>(limits.hold.count()) / 8);
  return std::clamp<std::int64_t>(std::max(eighth_of_hold, step / 4), 1, kLeaseIdsMax);
}

Duration backoff(Duration min, Duration max, int failures, std::minstd_rand& random) {
  const double doubled = seconds(min) * std::exp2(std::min(failures - 1, 60));
  const double whole = std::min(doubled, seconds(max));
  const double share = std::uniform_real_distribution<double>(0.5, 1.0)(random);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(whole * share));
}

}  // namespace featherid
