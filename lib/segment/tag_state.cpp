// SPDX-License-Identifier: MIT
#include "lib/segment/tag_state.h"

#include <algorithm>
#include <new>
#include <utility>

#include "lib/base/invariant.h"
#include "lib/base/status_in_words.h"

namespace featherid {

namespace {

// How long a row's step is used before it is read again.
constexpr Duration kRowTtl = std::chrono::seconds(60);

// How many holds ids of a tag with a time floor are kept. A steady burn uses them up in that time.
constexpr int kHoldsMax = 2;

}  // namespace

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

// --- strict order ---
// A caller gets an id only of a lease that was asked for while it waited. So if one call starts
// after another has ended, its lease was made later, and its id is larger.

// Chooses the callers that the next lease is for: those that wait now, as many as one lease may
// serve.
LeaseSize TagState::board() {
  const std::int64_t most_ids = std::max(options_.limits.lease_max_ids, kRangeIdsMax);
  const TimePoint now = clock_->now();
  LeaseSize size(kRangeIdsMax, 0);
  bool room = true;
  for (const std::shared_ptr<Waiter>& each : waiting_) {
    const bool in_vain = each->deadline < now || each->most_ids > each->least_ids;
    if (!in_vain) room = room && size.most_ids + each->least_ids <= most_ids;
    each->on_board = room && !in_vain;
    if (!each->on_board) continue;
    size.least_ids = std::min(size.least_ids, each->least_ids);
    size.most_ids += each->least_ids;
  }
  return size;
}

// Gives a lease to the callers that it was asked for. The rest of it is dropped.
void TagState::hand_out(IdRange lease, TimePoint now) {
  if (flight_period_) {
    if (flight_period_ != periods_.present(clock_->boot_now())) return;  // it is over
    take_in_period_lease(lease);
    periods_.clear();
  } else {
    highest_end_ = lease.end;
  }
  std::int64_t issued_ids = 0;
  for (const std::shared_ptr<Waiter>& each : waiting_) {
    if (!each->on_board || each->least_ids > lease.size()) continue;
    each->ranges.push_back({lease.first, lease.first + each->least_ids});
    if (flight_period_) each->taken = periods_.hand_out(each->least_ids);
    lease.first += each->least_ids;
    issued_ids += each->least_ids;
  }
  issued_ids_ += issued_ids;
  burn_.add(issued_ids, now - burn_at_);
  burn_at_ = now;
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

// --- time floor ---

bool TagState::is_old(const Held& held, TimePoint now) const {
  return now - held.leased_at >= kHoldsMax * options_.limits.hold;
}

std::int64_t TagState::old_ids() const {
  if (!floor_.is_set() || stock_.empty()) return 0;
  const TimePoint now = clock_->now();
  std::int64_t count_ids = is_old(stock_.front(), now) ? cursor_.remaining() : 0;
  for (const Held& held : stock_) {
    if (is_old(held, now)) count_ids += held.size();
  }
  return count_ids;
}

void TagState::drop_old(TimePoint now) {
  if (stock_.empty() || !is_old(stock_.front(), now)) return;
  reclaim_chunk();
  const auto fresh = std::find_if(stock_.begin(), stock_.end(),
                                  [&](const Held& held) { return !is_old(held, now); });
  for (auto old = stock_.begin(); old != fresh; ++old) stock_ids_ -= old->size();
  stock_.erase(stock_.begin(), fresh);
  publish_chunk();
}

bool TagState::request_sweep(TimePoint due) {
  if (sweep_requested_ || queue_ == nullptr) return true;
  try {
    queue_->sweep(shared_from_this(), due);
  } catch (const std::bad_alloc&) {
    return false;
  }
  sweep_requested_ = true;
  return true;
}

void TagState::sweep() {
  const MutexLock lock(mutex_);
  sweep_requested_ = false;
  if (!stopped_.ok()) return;
  const TimePoint now = clock_->now();
  if (periods_.is_set()) return sweep_periods(now);
  const Duration keep = kHoldsMax * options_.limits.hold;
  const bool in_use = issued_ids() != issued_at_lease_;
  bool dropped = true;
  if (in_use && old_ids() > 0) {
    try {
      request_refill(now);
      dropped = flight_ == Flight::kNone;  // there are enough others
    } catch (const std::bad_alloc&) {
      // Without a refill, the next caller waits for one.
    }
  }
  if (dropped) drop_old(now);
  if (stock_.empty()) return;
  const auto next = std::find_if(stock_.begin(), stock_.end(),
                                 [&](const Held& held) { return !is_old(held, now); });
  // If there are only old ones, a lease is due. If none comes, look again.
  const TimePoint due = next != stock_.end() ? next->leased_at + keep : now + options_.limits.hold;
  if (!request_sweep(due)) drop_stock();
}

bool TagState::follows_clock() const {
  const MutexLock lock(mutex_);
  return floor_.is_set() || periods_.is_set();
}

void TagState::note_row(const SegmentRow& row) {
  floor_ = row.floor;
  if (row.read_at == WallTime()) return;
  lead_seconds_ = lead_seconds(row.floor, row.max_id, row.read_at);
}

// The store refuses leases past the lead, unless it only warns.
std::optional<double> TagState::next_lead_warning() {
  const bool too_long = floor_.is_set() && floor_.lead_only_warns &&
                        lead_seconds_ > static_cast<double>(floor_.lead_max_s);
  const bool warned = std::exchange(lead_warned_, too_long);
  return too_long && !warned ? std::optional<double>(lead_seconds_) : std::nullopt;
}

// --- refill ---

std::int64_t TagState::ids_to_lease(std::int64_t stock_ids, std::int64_t wanted_ids) const {
  RefillState state;
  state.step = step_;
  state.stock_ids = stock_ids;
  state.wanted_ids = wanted_ids;
  // Somebody wants consecutive ids, and what is held is in smaller pieces.
  const bool in_pieces =
      (waiting_for_range_ > 0 || missed_range_) && largest_range_ids() < wanted_ids;
  if (in_pieces) state.wanted_ids += state.stock_ids;
  state.last_lease_ids = last_lease_ids_;
  state.burn_ids_per_second = burn_.ids_per_second();
  state.lease_latency = lease_latency_;
  return featherid::ids_to_lease(options_.limits, state);
}

std::int64_t TagState::refill_due_ids() const {
  if (periods_.is_set()) return period_need().ids;
  const std::int64_t wanted_ids = std::max(waiting_ids_, missed_ids_);
  if (order_ == TagOrder::kStrict) return wanted_ids;
  return ids_to_lease(available_ids() - old_ids(), wanted_ids);
}

void TagState::request_refill(TimePoint now) {
  if (flight_ != Flight::kNone || queue_ == nullptr || !stopped_.ok()) return;
  // After an error the next flight is due whatever the stock is, because it clears the error.
  if (step_ > 0 && error_.ok() && refill_due_ids() == 0 && !needs_clock()) return;
  const TimePoint due = error_.ok() ? now : std::max(now, retry_at_);
  queue_->request(shared_from_this(), due);
  flight_ = Flight::kQueued;  // last: if the request throws, the next call makes another
  due_at_ = due;
  if (due == now) failing_since_ = now;  // an old error is retried for this caller
}

bool TagState::begin_refill() {
  const MutexLock lock(mutex_);
  FEATHERID_INVARIANT(flight_ == Flight::kQueued, static_cast<int>(flight_), 0);
  flight_ = stopped_.ok() ? Flight::kFlying : Flight::kNone;
  flight_limit_ = kIdMax;
  flight_period_.reset();
  flight_began_at_ = clock_->boot_now();
  return flight_ == Flight::kFlying;
}

bool TagState::needs_row(std::int64_t asked_ids) const {
  const MutexLock lock(mutex_);
  if (step_ <= 0 || clock_->now() >= row_due_at_ || needs_clock()) return true;
  return !error_.ok() && (asked_ids == 0 || floor_.is_set() || periods_.is_set());
}

Status TagState::accept_row(const SegmentRow& row) {
  if (row.period.is_set() && row.read_at == WallTime()) {
    return status_in_words(StatusCode::kFailedPrecondition, [&] {
      return "tag '" + tag_ + "' has periods, but the store does not tell the time of its clock";
    });
  }
  if (row.step <= 0) {
    return status_in_words(StatusCode::kFailedPrecondition, [&] {
      return "the row of tag '" + tag_ + "' has step " + std::to_string(row.step) +
             "; set it to 1 or more";
    });
  }
  const MutexLock lock(mutex_);
  step_ = std::min(row.step, kLeaseIdsMax);
  const TimePoint now = clock_->now();
  const bool fresh = flight_limit_ == kIdMax;  // otherwise a change has come since, perhaps
  row_due_at_ = fresh ? now + kRowTtl : TimePoint();
  cap_ = row.cap;
  order_ = row.order;
  periods_.see(row.period, row.read_at, flight_began_at_, clock_->boot_now());
  // relaxed: a hint, which publishes nothing.
  has_period_.store(row.period.is_set(), std::memory_order_relaxed);
  if (stopped_.ok() && order_ == TagOrder::kStrict) {
    drop_stock();
  } else if (stopped_.ok() && row.period.is_set()) {
    drop_chunks();
    note_coming_period(now);
  } else if (stopped_.ok() && fresh && cursor_.stopped()) {
    cursor_.start();
  }
  note_row(row);
  if (!row.period.is_set()) series_.see(row.max_id, now);
  // relaxed: a hint, which publishes nothing.
  known_.store(true, std::memory_order_relaxed);
  return {};
}

LeaseSize TagState::lease_size() {
  const MutexLock lock(mutex_);
  if (!stopped_.ok() || step_ <= 0) return {1, 0};
  if (periods_.is_set()) {
    periods_.settle(clock_->boot_now());
    const PeriodNeed need = period_need();
    flight_period_ = need.period;
    if (!need.period || order_ != TagOrder::kStrict) return {1, need.ids};
  }
  return order_ == TagOrder::kStrict ? board() : LeaseSize(1, refill_due_ids());
}

Status TagState::check_lease(std::int64_t asked_ids, IdRange range) const {
  const std::int64_t highest_end =
      flight_period_ ? periods_.highest_end(*flight_period_) : highest_end_;
  const bool outside = range.first < 1 || range.empty() || range.last() > kIdMax;
  if (!outside && range.size() <= asked_ids && range.first >= highest_end) return {};
  return status_in_words(StatusCode::kDataLoss, [&] {
    std::string wrong;
    if (outside) {
      wrong = "a lease is empty or lies outside [1, 2^63 - 2]";
    } else if (range.size() > asked_ids) {
      wrong = "a lease of at most " + std::to_string(asked_ids) + " ids returned " +
              std::to_string(range.size());
    } else {
      wrong = "the store went backwards: it leased id " + std::to_string(range.first) +
              " after this process had held ids up to " + std::to_string(highest_end - 1);
    }
    return "tag '" + tag_ + "' is stopped: " + wrong +
           "; after a rewind, restart this process; otherwise advance the tag past every id ever "
           "handed out before that";
  });
}

TagState::RefillOutcome TagState::end_refill(std::int64_t asked_ids, Result<IdRange> leased,
                                             Duration latency) {
  RefillOutcome outcome;
  Waiters ended;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = clock_->now();
    flight_ = Flight::kNone;
    const bool wanted = waiting_ids_ + missed_ids_ > 0;
    missed_ids_ = 0;
    missed_range_ = false;
    outcome.failures_before = error_.code() == StatusCode::kNotFound ? 0 : failures_;
    outcome.status = leased.status();
    if (leased.ok() && asked_ids > 0) {
      outcome.status = check_lease(asked_ids, *leased);
      ++leases_;
      if (dry_) burn_at_ = now;
      dry_ = false;
      if (outcome.status.ok()) {
        if (!flight_period_) series_.see(leased->last(), now);
        outcome.status = take_in(*leased, now);
      }
    }
    outcome.near_end = series_.next_warning(cap_);
    outcome.lead_seconds = next_lead_warning();
    if (outcome.status.code() == StatusCode::kDataLoss) {
      stop(outcome.status);
    } else if (!stopped_.ok()) {
      // Its error stays. A closed tag keeps the range only to give it back.
    } else if (!outcome.status.ok()) {
      note_failure(outcome.status, now);
    } else {
      error_ = {};
      failures_ = 0;
      if (asked_ids > 0) {
        last_lease_ids_ = asked_ids;
        lease_latency_ = latency;
      }
      if (cursor_.remaining() == 0) {
        reclaim_chunk();
        publish_chunk();
      }
    }
    ended = end_waits(now);
    // Whether a tag exists is asked again only when a caller comes.
    if (outcome.status.ok() || (is_transient(outcome.status) && (step_ > 0 || wanted))) {
      try {
        request_refill(now);
      } catch (const std::bad_alloc&) {
        // No flight will come for waiting callers. They must come again.
        while (!waiting_.empty()) {
          waiting_.front()->verdict = internal::out_of_memory(StatusCode::kUnavailable);
          leave_line(*waiting_.front(), &ended);
        }
      }
    }
  }
  run(std::move(ended));
  return outcome;
}

void TagState::note_failure(const Status& status, TimePoint now) {
  if (!is_transient(error_)) failures_ = 0;  // it counts one kind of error at a time
  error_ = status;
  ++lease_failures_;
  if (failures_++ == 0) failing_since_ = now;
  retry_at_ = now + (is_transient(status)
                         ? backoff(options_.backoff_min, options_.backoff_max, failures_, random_)
                         : options_.unknown_tag_ttl);
}

// Also what LocalBlocks hold, unless they are not used until the row has been read again.
void TagState::drop_chunks() {
  reclaim_chunk();
  stock_.clear();
  stock_ids_ = 0;
  cursor_.stop();
}

void TagState::drop_stock() {
  drop_chunks();
  periods_.clear();
}

void TagState::limit(std::int64_t max_id) {
  const MutexLock lock(mutex_);
  // The store may have changed the tag after the lease under way.
  flight_limit_ = std::min(flight_limit_, max_id);
  row_due_at_ = {};
  if (!stopped_.ok()) return;
  if (highest_end_ <= max_id + 1 && periods_.highest_id() <= max_id) return;
  drop_stock();
  try {
    request_refill(clock_->now());  // it learns whether the tag still exists
  } catch (const std::bad_alloc&) {
    // The next caller asks.
  }
}

void TagState::drop() {
  const MutexLock lock(mutex_);
  flight_limit_ = 0;
  row_due_at_ = {};
  if (stopped_.ok()) drop_stock();
}

void TagState::stop_for(const Status& reason) {
  Waiters ended;
  {
    const MutexLock lock(mutex_);
    if (!stopped_.ok()) return;
    stop(reason);
    ended = end_waits(clock_->now());
  }
  run(std::move(ended));
}

void TagState::stop(Status reason) {
  drop_stock();  // others may have leased the held ids again by now
  error_ = reason;
  stopped_ = std::move(reason);
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
