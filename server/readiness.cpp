// SPDX-License-Identifier: MIT
#include "server/readiness.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

namespace featherid {

namespace {

// Whether the store does what a lease takes, by calls that change nothing.
Status ask(SegmentStore& store) {
  // It writes, so that a store that can only be read is found out.
  Status written = store.advance("health", 0);
  if (!written.ok() && written.code() != StatusCode::kNotFound) return written;
  // It asks who leads, as a lease does; nobody has this tag, less still leased its last id.
  return store.give_back("readiness of featherid-server", {kIdMax, kIdMax + 1}).status();
}

}  // namespace

Readiness::Readiness(std::shared_ptr<SegmentStore> store, const SegmentAllocator& allocator,
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

bool Readiness::holds_ids() const {
  const std::vector<TagStats> tags = allocator_.stats();
  return std::any_of(tags.begin(), tags.end(),
                     [](const TagStats& tag) { return tag.held_ids > 0; });
}

void Readiness::probe() {
  Status answer = ask(*store_);
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
