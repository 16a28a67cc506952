// SPDX-License-Identifier: MIT
#include "server/ops/store_calls.h"

#include <asio/post.hpp>
#include <cstddef>
#include <utility>

#include "server/ops/low_priority.h"

namespace featherid {

StoreCalls::StoreCalls() {
  for (const Lane lane : {Lane::kReads, Lane::kMetrics}) {
    asio::post(this->lane(lane).pool, run_at_low_priority);
  }
}

StoreCalls::~StoreCalls() {
  stop();
  join();
}

bool StoreCalls::post(Lane lane, std::function<void()> call) {
  OneLane& its = this->lane(lane);
  if (++its.calls > its.calls_max) {
    --its.calls;
    return false;
  }
  asio::post(its.pool, [&its, call = std::move(call)] {
    call();
    --its.calls;
  });
  return true;
}

void StoreCalls::stop() {
  for (OneLane& each : lanes_) each.pool.stop();
  leases_.pool.stop();
}

void StoreCalls::join() {
  for (OneLane& each : lanes_) each.pool.join();
  leases_.pool.join();
}

StoreCalls::OneLane& StoreCalls::lane(Lane lane) {
  return lane == Lane::kLeases ? leases_ : lanes_[static_cast<std::size_t>(lane)];
}

}  // namespace featherid
