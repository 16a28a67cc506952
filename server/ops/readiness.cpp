// SPDX-License-Identifier: MIT
#include "server/ops/readiness.h"

#include <utility>

namespace featherid {

Readiness::Readiness(std::shared_ptr<TagAdmin> store, const SegmentAllocator& allocator,
                     StoreCalls& calls)
    : store_(std::move(store)), allocator_(allocator), calls_(calls) {}

std::optional<Status> Readiness::store_status() const {
  const MutexLock lock(mutex_);
  if (std::chrono::steady_clock::now() - answered_at_ >= kFresh) return std::nullopt;
  return answer_;
}

Readiness::Last Readiness::last() const {
  const MutexLock lock(mutex_);
  Last last{answer_, std::chrono::milliseconds(0)};
  if (waiting_.empty()) return last;
  const auto waiting = std::chrono::steady_clock::now() - asked_at_;
  last.waiting = std::chrono::ceil<std::chrono::milliseconds>(waiting);
  return last;
}

void Readiness::ask_store(Done done) {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) asked_at_ = std::chrono::steady_clock::now();
  waiting_.push_back(std::move(done));
  // Only probes use this lane, one at a time, so it is never full.
  if (waiting_.size() == 1) calls_.post(StoreCalls::Lane::kReadiness, [this] { probe(); });
}

void Readiness::probe() {
  const Status answer = store_->probe();
  std::vector<Done> waiting;
  {
    const MutexLock lock(mutex_);
    answer_ = answer;
    answered_at_ = std::chrono::steady_clock::now();
    waiting.swap(waiting_);
  }
  for (const Done& done : waiting) done(answer);
}

}  // namespace featherid
