// SPDX-License-Identifier: MIT
#include "lib/segment/tag_state.h"

#include <algorithm>
#include <new>
#include <utility>

#include "lib/base/invariant.h"
#include "lib/base/status_in_words.h"

namespace featherid {

TagState::TagState(std::string tag, const TagStateOptions& options,
                   std::shared_ptr<const Clock> clock, RefillQueue* queue)
    : tag_(std::move(tag)),
      options_(options),
      clock_(std::move(clock)),
      queue_(queue),
      burn_(options.limits.hold),
      burn_at_(clock_->now()),
      random_(static_cast<std::minstd_rand::result_type>(options.seed ^
                                                         std::hash<std::string>()(tag_))) {
  stock_.reserve(2);  // rarely more are held, so taking in a lease needs no memory
}

Status TagState::forked_status() const {
  return {StatusCode::kFailedPrecondition,
          "this process is a fork of the one that made the allocator; make a new one here"};
}

// --- stock ---

bool TagState::serve(Waiter& waiter) {
  if (!stopped_.ok()) return false;
  // Under strict order, ids come only from hand_out().
  if (order_ == TagOrder::kStrict) return !waiter.ranges.empty();
  if (waiter.in_period) {
    const bool taken =
        periods_.take(waiter.least_ids, clock_->boot_now(), &waiter.ranges, &waiter.taken);
    dry_ = dry_ || !taken;
    if (taken) note_period_use(waiter.least_ids);
    return taken;
  }
  return take_locked(waiter);
}

bool TagState::take_locked(Waiter& waiter) {
  const std::int64_t least = waiter.least_ids;
  const std::int64_t most = waiter.most_ids;
  std::vector<IdRange>* const ranges = &waiter.ranges;
  ranges->reserve(1);  // room first, so that nothing is taken that cannot be noted
  if (const IdRange range = cursor_.claim(least, most); !range.empty()) {
    ranges->push_back(range);
    return true;
  }
  reclaim_chunk();
  dry_ = dry_ || stock_ids_ < least;
  const bool enough = waiter.shape == Shape::kOneRange ? skip_to_range(least) : stock_ids_ >= least;
  // One range if that is enough: ids that a caller does not insist on stay for the others.
  std::int64_t missing = enough ? std::min(most, std::max(least, stock_.front().size())) : 0;
  if (enough && missing > stock_.front().size()) ranges->reserve(stock_.size());
  stock_ids_ -= missing;
  issued_ids_ += missing;
  used_ids_ += missing;
  auto range = stock_.begin();
  while (missing > 0) {
    const std::int64_t taken = std::min(missing, range->size());
    ranges->push_back({range->first, range->first + taken});
    range->first += taken;
    missing -= taken;
    if (range->empty()) ++range;
  }
  stock_.erase(stock_.begin(), range);
  publish_chunk();
  return enough;
}

bool TagState::skip_to_range(std::int64_t count_ids) {
  const auto range = std::find_if(stock_.begin(), stock_.end(),
                                  [&](const Held& held) { return held.size() >= count_ids; });
  if (range == stock_.end()) return false;
  for (auto below = stock_.begin(); below != range; ++below) stock_ids_ -= below->size();
  stock_.erase(stock_.begin(), range);
  return true;
}

void TagState::reclaim_chunk() {
  if (chunk_size_ == 0) return;
  const IdRange tail = cursor_.replace({});
  const std::int64_t used = chunk_size_ - tail.size();
  chunk_size_ = 0;
  issued_ids_ += used;

  const TimePoint now = clock_->now();
  // No use while there is nothing to use does not mean a low burn. Otherwise the tag would begin
  // with many small leases after an outage.
  if (!dry_ || used + used_ids_ > 0) burn_.add(used + used_ids_, now - burn_at_);
  burn_at_ = now;
  used_ids_ = 0;

  if (tail.empty()) {
    if (!stock_.empty() && stock_.front().empty()) stock_.erase(stock_.begin());
    return;
  }
  FEATHERID_INVARIANT(!stock_.empty() && stock_.front().first == tail.end, tail.first, tail.end);
  stock_.front().first = tail.first;
  stock_ids_ += tail.size();
}

void TagState::publish_chunk() {
  if (stock_.empty() || chunk_size_ != 0 || cursor_.stopped()) return;
  IdRange& front = stock_.front();
  // What came back from the cursor goes in again whole: the ends of its chunks never go back.
  chunk_size_ = std::max(chunk_ids(options_.limits, step_, burn_.ids_per_second()),
                         cursor_.end() - front.first);
  chunk_size_ = std::min({chunk_size_, front.size(), internal::IdCursor::kChunkIdsMax});
  const IdRange left = cursor_.replace({front.first, front.first + chunk_size_});
  FEATHERID_INVARIANT(left.empty(), left.first, left.end);
  front.first += chunk_size_;
  stock_ids_ -= chunk_size_;
}

bool TagState::add_to_stock(IdRange range, TimePoint now) {
  FEATHERID_INVARIANT(range.first >= highest_end_, range.first, highest_end_);
  highest_end_ = range.end;
  if (!stock_.empty() && stock_.back().end == range.first && !floor_.is_set()) {
    stock_.back().end = range.end;
  } else {
    try {
      stock_.push_back({range, now});
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  stock_ids_ += range.size();
  return true;
}

Status TagState::take_in(IdRange lease, TimePoint now) {
  if (lease.last() > flight_limit_) {  // as if it had been held when the change came
    if (!flight_period_) highest_end_ = lease.end;
    drop_stock();
    return status_in_words(StatusCode::kUnavailable, [&] {
      return "tag '" + tag_ + "' was changed during a lease, whose ids are lost; try again";
    });
  }
  if (order_ == TagOrder::kStrict) return hand_out(lease, now), Status();
  if (flight_period_) return take_in_period_lease(lease), Status();
  if (floor_.is_set() && stopped_.ok()) {  // else it is only given back
    drop_old(now);
    if (!request_sweep(now + kHoldsMax * options_.limits.hold)) {
      return internal::out_of_memory(StatusCode::kUnavailable);
    }
    issued_at_lease_ = issued_ids();
  }
  return add_to_stock(lease, now) ? Status() : internal::out_of_memory(StatusCode::kUnavailable);
}

std::int64_t TagState::available_ids() const {
  return stock_ids_ + cursor_.remaining() + periods_.present_ids() + periods_.coming_ids();
}

// The chunk in the cursor and the front of the stock are one range.
std::int64_t TagState::largest_range_ids() const {
  if (stock_.empty()) return 0;
  std::int64_t largest_ids = cursor_.remaining() + stock_.front().size();
  for (const Held& held : stock_) largest_ids = std::max(largest_ids, held.size());
  return largest_ids;
}

std::int64_t TagState::issued_ids() const {
  return issued_ids_ + std::max<std::int64_t>(0, chunk_size_ - cursor_.remaining());
}

bool TagState::holds_ids() const {
  const MutexLock lock(mutex_);
  return available_ids() > 0;
}

TagSnapshot TagState::snapshot() const {
  const MutexLock lock(mutex_);
  TagSnapshot snapshot;
  const std::int64_t in_cursor = cursor_.remaining();
  const std::int64_t used_of_chunk = std::max<std::int64_t>(0, chunk_size_ - in_cursor);
  snapshot.issued_ids = issued_ids_ + used_of_chunk;
  snapshot.held_ids = stock_ids_ + in_cursor + periods_.present_ids() + periods_.coming_ids();
  snapshot.returned_ids = returned_ids_;
  BurnMeter burn_until_now = burn_;  // an unused tag does not measure by itself
  burn_until_now.add(used_ids_ + used_of_chunk, clock_->now() - burn_at_);
  snapshot.burn_ids_per_second = burn_until_now.ids_per_second();
  snapshot.leases = leases_;
  snapshot.lease_failures = lease_failures_;
  snapshot.waits = waits_;
  snapshot.lease_latency = lease_latency_;
  snapshot.cap = cap_;
  snapshot.strict = order_ == TagOrder::kStrict;
  snapshot.max_id = series_.max_id();
  snapshot.series_ids_per_second = series_.ids_per_second();
  snapshot.floor = floor_;
  snapshot.lead_seconds = lead_seconds_;
  snapshot.period = periods_.present(clock_->boot_now()).value_or(Period());
  snapshot.error = error_;
  return snapshot;
}

// --- shutdown ---

void TagState::close() {
  Waiters ended;
  {
    const MutexLock lock(mutex_);
    queue_ = nullptr;
    if (stopped_.ok()) {
      reclaim_chunk();
      cursor_.stop();
      stopped_ = status_in_words(StatusCode::kFailedPrecondition,
                                 [] { return "the allocator was shut down"; });
    }
    ended = end_waits(clock_->now());
  }
  run(std::move(ended));
}

TagState::Tail TagState::take_tail() {
  const MutexLock lock(mutex_);
  FEATHERID_INVARIANT(queue_ == nullptr, 0, 0);
  if (periods_.is_set()) return periods_.take_tail();
  // A flight that is still in progress may have moved max_id; the store's compare-and-set decides.
  if (stock_.empty() || stock_.back().end != highest_end_) return {};
  const Tail tail{stock_.back(), {}};
  stock_.clear();
  stock_ids_ = 0;
  return tail;
}

void TagState::note_returned(std::int64_t count_ids) {
  const MutexLock lock(mutex_);
  returned_ids_ += count_ids;
}

}  // namespace featherid
