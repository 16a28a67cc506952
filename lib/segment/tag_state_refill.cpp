// SPDX-License-Identifier: MIT
// How a tag asks for leases, takes in the answers, and stops.
#include <algorithm>
#include <new>
#include <utility>

#include "lib/base/invariant.h"
#include "lib/base/status_in_words.h"
#include "lib/segment/tag_state.h"

namespace featherid {

namespace {

// How long a row's step is used before it is read again.
constexpr Duration kRowTtl = std::chrono::seconds(60);

}  // namespace

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

}  // namespace featherid
