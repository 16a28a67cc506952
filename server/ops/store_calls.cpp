// SPDX-License-Identifier: MIT
#include "server/ops/store_calls.h"

#include <asio/post.hpp>
#include <cstddef>
#include <utility>

#include "server/ops/low_priority.h"

namespace featherid {

StoreCalls::StoreCalls() {
  for (const Lane lane : {Lane::kReads, Lane::kMetrics}) {
    asio::post(lanes_[static_cast<std::size_t>(lane)].pool, run_at_low_priority);
  }
}

StoreCalls::~StoreCalls() {
  stop();
  join();
}

bool StoreCalls::post(Lane lane, std::function<void()> call) {
  OneLane& its = lanes_[static_cast<std::size_t>(lane)];
  if (++its.calls > kCallsMax) {
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
  for (OneLane& lane : lanes_) lane.pool.stop();
}

void StoreCalls::join() {
  for (OneLane& lane : lanes_) lane.pool.join();
}

}  // namespace featherid
