// SPDX-License-Identifier: MIT
#include "lib/refiller.h"

#include <algorithm>
#include <utility>

namespace featherid {

Refiller::Refiller(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Clock> clock,
                   LogCallback log)
    : store_(std::move(store)), clock_(std::move(clock)), log_(std::move(log)) {}

Refiller::~Refiller() = default;

void Refiller::request(std::shared_ptr<TagState> tag, TimePoint due) {
  const MutexLock lock(mutex_);
  if (stopping_) return;
  jobs_.push({due, next_number_++, std::move(tag)});
  changed_.notify_one();
}

std::shared_ptr<TagState> Refiller::pop_due() {
  if (jobs_.empty() || jobs_.top().due > clock_->now()) return nullptr;
  std::shared_ptr<TagState> tag = jobs_.top().tag;
  jobs_.pop();
  return tag;
}

bool Refiller::run_once() {
  std::shared_ptr<TagState> tag;
  {
    const MutexLock lock(mutex_);
    tag = pop_due();
  }
  if (tag == nullptr) return false;
  refill(*tag);
  return true;
}

std::optional<TimePoint> Refiller::next_due() const {
  const MutexLock lock(mutex_);
  if (jobs_.empty()) return std::nullopt;
  return jobs_.top().due;
}

LeaseLatency Refiller::lease_latency() const {
  const MutexLock lock(mutex_);
  return lease_latency_;
}

void Refiller::note_lease_latency(Duration latency) {
  const auto& bounds = LeaseLatency::kBounds;
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), latency);
  const MutexLock lock(mutex_);
  ++lease_latency_.counts[static_cast<std::size_t>(bound - bounds.begin())];
  lease_latency_.sum += std::chrono::duration_cast<std::chrono::microseconds>(latency);
}

Status Refiller::start(int threads) {
  const MutexLock lock(mutex_);
  threads_.reserve(static_cast<std::size_t>(threads));
  try {
    for (; running_ < threads; ++running_) {
      // The thread owns a share, so that one left behind by stop() finds everything in place.
      threads_.emplace_back([self = shared_from_this()] { self->run(); });
    }
  } catch (const std::exception& e) {  // the machine gives no more threads, or no memory for one
    if (running_ == 0) {
      return {StatusCode::kUnavailable,
              std::string("cannot start a refill thread (") + e.what() +
                  "); raise the process's limits on threads and memory, or free some"};
    }
    log(LogLevel::kWarn, [&] {
      return "only " + std::to_string(running_) + " of " + std::to_string(threads) +
             " refill threads could be started: " + e.what();
    });
  }
  return {};
}

void Refiller::run() {
  for (;;) {
    std::shared_ptr<TagState> tag;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && (tag = pop_due()) == nullptr) {
        if (jobs_.empty()) {
          changed_.wait(mutex_);
        } else {
          changed_.wait_until(mutex_, jobs_.top().due);
        }
      }
      if (stopping_) {
        --running_;
        changed_.notify_all();
        return;
      }
    }
    refill(*tag);
  }
}

bool Refiller::stop(Duration timeout) {
  std::vector<platform::Thread> threads;
  bool ended = true;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    jobs_ = {};
    changed_.notify_all();
    const TimePoint deadline = clock_->now() + timeout;
    while (running_ > 0 && ended) ended = changed_.wait_until(mutex_, deadline);
    ended = running_ == 0;
    threads.swap(threads_);
  }
  for (platform::Thread& thread : threads) ended ? thread.join() : thread.detach();
  return ended;
}

void Refiller::refill(TagState& tag) noexcept {
  if (!tag.begin_refill()) return;
  Result<IdRange> leased = IdRange{};
  std::int64_t asked_ids = 0;
  Duration latency{0};
  if (tag.needs_row()) {
    const Result<SegmentRow> row = call_store<SegmentRow>([&] { return store_->find(tag.tag()); });
    const Status accepted = row.ok() ? tag.accept_row(*row) : row.status();
    if (!accepted.ok()) leased = accepted;
  }
  if (leased.ok()) asked_ids = tag.ids_to_lease();
  if (asked_ids > 0) {
    const TimePoint start = clock_->now();
    leased = call_store<IdRange>([&] { return store_->lease(tag.tag(), asked_ids); });
    latency = clock_->now() - start;
    note_lease_latency(latency);
  }
  log_outcome(tag, tag.end_refill(asked_ids, std::move(leased), latency));
}

template <typename Line>
void Refiller::log(LogLevel level, Line line) noexcept {
  if (!log_) return;
  try {
    log_(level, line());
  } catch (...) {
    // Somebody else's code, and there may be no memory for the line: the line is lost, not the
    // thread.
  }
}

void Refiller::log_outcome(const TagState& tag, const TagState::RefillOutcome& outcome) {
  const auto about_tag = [&](const char* what) {
    return "tag '" + tag.tag() + "': " + what + outcome.status.message();
  };
  if (outcome.status.ok()) {
    if (outcome.failures_before == 0) return;
    log(LogLevel::kInfo, [&] { return about_tag("leasing works again"); });
  } else if (outcome.status.code() == StatusCode::kDataLoss) {
    log(LogLevel::kError, [&] { return outcome.status.message(); });
  } else if (outcome.status.code() == StatusCode::kNotFound) {
    log(LogLevel::kDebug, [&] { return about_tag(""); });
  } else if (outcome.failures_before == 0) {
    log(LogLevel::kWarn, [&] { return about_tag("cannot lease: "); });
  } else {
    log(LogLevel::kDebug, [&] { return about_tag("still cannot lease: "); });
  }
}

}  // namespace featherid
