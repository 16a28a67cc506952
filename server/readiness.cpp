// SPDX-License-Identifier: MIT
#include "server/readiness.h"

#include <asio/post.hpp>
#include <utility>

namespace featherid {

Readiness::Readiness(std::shared_ptr<TagAdmin> store, const SegmentAllocator& allocator,
                     asio::thread_pool& pool)
    : store_(std::move(store)), allocator_(allocator), pool_(pool) {}

std::optional<Status> Readiness::store_status() const {
  const MutexLock lock(mutex_);
  if (std::chrono::steady_clock::now() - answered_at_ >= kFresh) return std::nullopt;
  return answer_;
}

void Readiness::ask_store(Done done) {
  const MutexLock lock(mutex_);
  waiting_.push_back(std::move(done));
  if (waiting_.size() == 1) asio::post(pool_, [this] { probe(); });
}

void Readiness::probe() {
  Status answer = store_->probe();
  std::vector<Done> waiting;
  {
    const MutexLock lock(mutex_);
    answer_ = std::move(answer);
    answered_at_ = std::chrono::steady_clock::now();
    waiting.swap(waiting_);
  }
  for (const Done& done : waiting) done();
}

}  // namespace featherid
