// SPDX-License-Identifier: MIT
// A tag with periods. Nothing is in the cursor, so every call comes here, and looks at the time.
#include <algorithm>
#include <utility>

#include "lib/base/status_in_words.h"
#include "lib/segment/tag_state.h"

namespace featherid {

// The process may have slept since the caller took its ids.
Status TagState::lateness(const Waiter& waiter) const {
  if (clock_->boot_now() < waiter.taken.until) return {};
  return status_in_words(StatusCode::kUnavailable, [&] {
    return "the period " + to_string(waiter.taken.period) +
           " ended before its ids were handed over; try again";
  });
}

Status TagState::misfit(const Waiter& waiter) const {
  if (step_ <= 0 || !stopped_.ok() || waiter.in_period == periods_.is_set()) return {};
  return status_in_words(StatusCode::kFailedPrecondition, [&] {
    return "tag '" + tag_ +
           (waiter.in_period
                ? "' has no periods; use next() or next_range()"
                : "' has periods, and an id is unique only together with its period; use "
                  "next_in_period() or next_range_in_period()");
  });
}

Result<PeriodRanges> TagState::take_in_period(std::int64_t count_ids,
                                              std::optional<Duration> timeout) {
  if (fork_guard_.forked()) return forked_status();
  const TimePoint deadline = clock_->now() + timeout.value_or(options_.wait_timeout);
  for (;;) {
    const auto self = std::make_shared<Waiter>(count_ids, count_ids, Shape::kAny);
    self->in_period = true;
    await(self, deadline - clock_->now());
    if (!self->verdict.ok()) return self->verdict;
    // Otherwise they are lost.
    if (lateness(*self).ok()) return PeriodRanges{std::move(self->ranges), self->taken.period};
  }
}

Result<PeriodRanges> TagState::try_take_in_period(std::int64_t count_ids) {
  if (fork_guard_.forked()) return forked_status();
  Waiter self(count_ids, count_ids, Shape::kAny);
  self.in_period = true;
  Status status = try_take(self);
  if (status.ok()) status = lateness(self);
  if (!status.ok()) return status;
  return PeriodRanges{std::move(self.ranges), self.taken.period};
}

void TagState::take_in_period_async(std::int64_t count_ids, Duration timeout,
                                    PeriodCallback callback) {
  if (fork_guard_.forked()) return refuse(callback, forked_status());
  await_async(std::make_shared<Waiter>(count_ids, std::move(callback)), timeout);
}

// As with the chunks of other tags: whenever so many ids are used up, the burn is measured.
void TagState::note_period_use(std::int64_t count_ids) {
  issued_ids_ += count_ids;
  used_ids_ += count_ids;
  until_measured_ids_ -= count_ids;
  if (until_measured_ids_ > 0) return;
  const TimePoint now = clock_->now();
  burn_.add(std::exchange(used_ids_, 0), now - burn_at_);
  burn_at_ = now;
  until_measured_ids_ = chunk_ids(options_.limits, step_, burn_.ids_per_second());
}

// Ids of the next period, too, shortly before it begins, if those of the present one were used.
TagState::PeriodNeed TagState::period_need() const {
  const TimePoint now = clock_->boot_now();
  PeriodNeed need{periods_.present(now)};
  if (!need.period) return need;
  const std::int64_t wanted_ids = std::max(waiting_ids_, missed_ids_);
  need.ids =
      order_ == TagOrder::kStrict ? wanted_ids : ids_to_lease(periods_.present_ids(), wanted_ids);
  const std::optional<Period> coming = periods_.coming(now);
  if (need.ids > 0 || !coming || !periods_.was_used()) return need;
  return order_ == TagOrder::kStrict ? need
                                     : PeriodNeed{coming, ids_to_lease(periods_.coming_ids(), 0)};
}

void TagState::take_in_period_lease(IdRange lease) {
  const Period period = *flight_period_;
  if (period == periods_.present(clock_->boot_now())) {
    if (watched_ != period) series_ = SeriesWatch();
    watched_ = period;
    series_.see(lease.last(), clock_->now());
  }
  periods_.add(period, lease);
}

std::optional<Period> TagState::lease_period() const {
  const MutexLock lock(mutex_);
  return flight_period_;
}

// Looks again when the next period's ids may be leased, so that midnight makes no caller wait.
void TagState::note_coming_period(TimePoint now) {
  const Duration left = periods_.coming_at() - clock_->boot_now();
  static_cast<void>(request_sweep(now + std::max(left, Duration(0))));
}

// Asks for the next period's first ids, if it is time and somebody uses the present one's.
void TagState::sweep_periods(TimePoint now) {
  periods_.settle(clock_->boot_now());
  try {
    request_refill(now);
  } catch (const std::bad_alloc&) {
    // The next caller asks.
  }
}

}  // namespace featherid
