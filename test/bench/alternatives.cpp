// SPDX-License-Identifier: MIT
#include "test/bench/alternatives.h"

#include <utility>

namespace featherid::bench {

Result<std::int64_t> MutexSegment::next() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (segment_.empty()) {
    const Result<IdRange> leased = store_.lease(tag_, step_);
    if (!leased.ok()) return leased.status();
    segment_ = *leased;
  }
  return segment_.first++;
}

MutexSegment& MutexPerTag::segment_of(const std::string& tag) {
  {
    const std::shared_lock<std::shared_mutex> lock(mutex_);
    const auto found = segments_.find(tag);
    if (found != segments_.end()) return *found->second;
  }
  const std::unique_lock<std::shared_mutex> lock(mutex_);
  std::unique_ptr<MutexSegment>& segment = segments_[tag];
  if (segment == nullptr) segment = std::make_unique<MutexSegment>(store_, tag, step_);
  return *segment;
}

Result<std::int64_t> MutexPerTag::next_id(const std::string& tag) { return segment_of(tag).next(); }

TwoBuffers::TwoBuffers(Store& store, std::string tag, std::int64_t step)
    : store_(store), tag_(std::move(tag)), step_(step), filler_([this] { fill(); }) {}

TwoBuffers::~TwoBuffers() {
  {
    const std::lock_guard<std::mutex> lock(fill_mutex_);
    stopping_ = true;
  }
  fill_changed_.notify_all();
  filler_.join();
}

void TwoBuffers::ask_for_filling() {
  {
    const std::lock_guard<std::mutex> lock(fill_mutex_);
    if (filling_.exchange(true)) return;
  }
  fill_changed_.notify_all();
}

void TwoBuffers::fill() {
  std::unique_lock<std::mutex> fill_lock(fill_mutex_);
  for (;;) {
    fill_changed_.wait(fill_lock, [this] { return stopping_ || filling_; });
    if (stopping_) return;
    fill_lock.unlock();
    const Result<IdRange> leased = store_.lease(tag_, step_);
    {
      const std::unique_lock<std::shared_mutex> lock(mutex_);
      error_ = leased.status();
      other_filled_ = leased.ok();
      if (leased.ok()) {
        buffers_[1 - current_].next = leased->first;
        buffers_[1 - current_].end = leased->end;
      }
    }
    fill_lock.lock();
    filling_ = false;
    ++fills_ended_;
    fill_changed_.notify_all();
  }
}

Result<std::int64_t> TwoBuffers::next() {
  for (;;) {
    std::uint64_t fills_seen = 0;
    {
      const std::shared_lock<std::shared_mutex> lock(mutex_);
      Buffer& buffer = buffers_[current_];
      const std::int64_t left = buffer.end - buffer.next.load();
      if (!other_filled_ && left < step_ - step_ / 10 && !filling_) ask_for_filling();
      const std::int64_t id = buffer.next.fetch_add(1);
      if (id < buffer.end) return id;
    }
    {
      const std::unique_lock<std::shared_mutex> lock(mutex_);
      if (buffers_[current_].next.load() < buffers_[current_].end) continue;
      if (other_filled_) {
        current_ = 1 - current_;
        other_filled_ = false;
        continue;
      }
      if (!error_.ok()) return std::exchange(error_, Status());
      const std::lock_guard<std::mutex> fill_lock(fill_mutex_);
      fills_seen = fills_ended_;
    }
    ask_for_filling();
    std::unique_lock<std::mutex> fill_lock(fill_mutex_);
    fill_changed_.wait(fill_lock, [&] { return fills_ended_ != fills_seen; });
  }
}

}  // namespace featherid::bench
