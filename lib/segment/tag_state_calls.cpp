// SPDX-License-Identifier: MIT
// The callers of a tag: those that take ids, wait for them, or are called back.
#include <algorithm>
#include <new>
#include <utility>

#include "lib/base/inside.h"
#include "lib/base/status_in_words.h"
#include "lib/segment/tag_state.h"

namespace featherid {

namespace {

// Runs a callback. It is foreign code: what it throws is dropped.
template <typename Callback, typename R>
void call_foreign(const Callback& callback, R result) {
  try {
    callback(std::move(result));
  } catch (...) {
    // It must stop neither the other callbacks nor the refill thread.
  }
}

}  // namespace

TagState::Waiter::Waiter(std::int64_t least, std::int64_t most, Shape shape_in)
    : least_ids(least), most_ids(most), shape(shape_in), is_thread(true) {
  ranges.reserve(1);
}

TagState::Waiter::Waiter(std::int64_t count, Shape shape_in, Callback callback_in)
    : least_ids(count),
      most_ids(count),
      shape(shape_in),
      is_thread(false),
      callback(std::move(callback_in)) {
  ranges.reserve(1);
}

TagState::Waiter::Waiter(std::int64_t count, PeriodCallback callback_in)
    : least_ids(count),
      most_ids(count),
      shape(Shape::kAny),
      is_thread(false),
      period_callback(std::move(callback_in)),
      in_period(true) {
  ranges.reserve(1);
}

Result<std::vector<IdRange>> TagState::result_of(Waiter& waiter) {
  if (!waiter.verdict.ok()) return waiter.verdict;
  return std::move(waiter.ranges);
}

Result<std::vector<IdRange>> TagState::take(std::int64_t least, std::int64_t most,
                                            std::optional<Duration> timeout, Shape shape) {
  if (fork_guard_.forked()) return forked_status();
  const auto self = std::make_shared<Waiter>(least, most, shape);
  await(self, timeout);
  return result_of(*self);
}

void TagState::await(const std::shared_ptr<Waiter>& self, std::optional<Duration> timeout) {
  Waiters own{self};
  bool answered = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = clock_->now();
    self->deadline = now + timeout.value_or(options_.wait_timeout);
    answered = answer_in_time(*self, now);
    note_call(*self, answered, now);
    if (!answered) line_up(&own);
  }
  if (!answered) wait(*self);
}

void TagState::line_up(Waiters* own) {
  Waiter& self = *own->front();
  waiting_ids_ += self.least_ids;
  waiting_for_range_ += self.shape == Shape::kOneRange ? 1 : 0;
  self.in_line = true;
  self.place = own->begin();
  waiting_.splice(waiting_.end(), *own);
}

void TagState::leave_line(Waiter& waiter, Waiters* to) {
  waiting_ids_ -= waiter.least_ids;
  waiting_for_range_ -= waiter.shape == Shape::kOneRange ? 1 : 0;
  waiter.in_line = false;
  to->splice(to->end(), waiting_, waiter.place);
}

void TagState::wait(Waiter& self) {
  {
    const MutexLock lock(self.mutex);
    while (!self.ended && clock_->now() < self.deadline) {
      self.changed.wait_until(self.mutex, self.deadline);
    }
    if (self.ended) return;
  }
  {
    Waiters own;
    const MutexLock lock(mutex_);
    if (self.in_line) {
      leave_line(self, &own);
      self.verdict = deadline_status();
      return;
    }
  }
  const MutexLock lock(self.mutex);  // it has an answer, and is about to be woken
  while (!self.ended) self.changed.wait(self.mutex);
}

void TagState::wake(Waiter& waiter) {
  const MutexLock lock(waiter.mutex);
  waiter.ended = true;
  waiter.changed.notify_one();
}

Result<std::vector<IdRange>> TagState::try_take(std::int64_t least, std::int64_t most,
                                                Shape shape) {
  if (fork_guard_.forked()) return forked_status();
  Waiter self(least, most, shape);
  Status status = try_take(self);
  if (!status.ok()) return status;
  return std::move(self.ranges);
}

Status TagState::try_take(Waiter& self) {
  const MutexLock lock(mutex_);
  const TimePoint now = clock_->now();
  bool answered = answer(self, now);
  if (!answered && order_ == TagOrder::kStrict) {
    answered = true;
    self.verdict =
        Status(StatusCode::kUnavailable, "tag '" + tag_ +
                                             "' has strict order, so memory never holds its ids; "
                                             "use a call that waits");
  }
  note_call(self, answered, now);
  if (answered) return self.verdict;
  return {StatusCode::kUnavailable, "no ids of tag '" + tag_ + "' are in memory now; try again"};
}

void TagState::take_async(std::int64_t count_ids, Duration timeout, Callback callback,
                          Shape shape) {
  if (fork_guard_.forked()) return refuse(callback, forked_status());
  await_async(std::make_shared<Waiter>(count_ids, shape, std::move(callback)), timeout);
}

void TagState::await_async(const std::shared_ptr<Waiter>& self, Duration timeout) {
  Waiters own{self};
  Status stopped;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = clock_->now();
    self->deadline = now + timeout;
    stopped = stopped_;
    if (stopped.ok()) park(&own, now);
  }
  stopped.ok() ? run(std::move(own)) : refuse(*self, stopped);
}

// Parks one more caller, or leaves it in `own` to be called at once. In a callback of this tag it
// is always parked, for run(), which called it, or for the next flight: callbacks that ask again
// would never return.
void TagState::park(Waiters* own, TimePoint now) {
  Waiter& self = *own->front();
  const bool in_callback = Inside::of(this);
  const bool answered = !in_callback && answer_in_time(self, now);
  note_call(self, answered, now);  // before it is parked: if this throws, nobody is called back
  if (answered) return;
  line_up(own);
  if (in_callback) parked_in_callback_ = true;
  // While the store hangs, nothing else ends waits whose time is up. Checking only when the number
  // has doubled keeps the cost of a call constant.
  if (!in_callback && waiting_.size() >= sweep_at_) *own = end_waits(now);
}

template <typename AnyCallback>
void TagState::refuse(const AnyCallback& callback, const Status& why) const {
  if (Inside::of(&stopped_)) return;
  const Inside inside(&stopped_);
  call_foreign(callback, why);
}
template void TagState::refuse(const Callback&, const Status&) const;
template void TagState::refuse(const PeriodCallback&, const Status&) const;

void TagState::refuse(const Waiter& waiter, const Status& why) const {
  waiter.in_period ? refuse(waiter.period_callback, why) : refuse(waiter.callback, why);
}

void TagState::call(Waiter& waiter) const {
  if (!waiter.in_period) return call_foreign(waiter.callback, result_of(waiter));
  if (waiter.verdict.ok()) waiter.verdict = lateness(waiter);
  if (!waiter.verdict.ok()) return call_foreign(waiter.period_callback, waiter.verdict);
  call_foreign(waiter.period_callback, PeriodRanges{std::move(waiter.ranges), waiter.taken.period});
}

void TagState::run(Waiters ended) {
  if (ended.empty()) return;
  const std::shared_ptr<TagState> self = shared_from_this();  // callbacks may drop every handle
  const Inside inside(this);
  while (!ended.empty()) {
    for (const std::shared_ptr<Waiter>& each : ended) {
      if (each->is_thread) wake(*each);
    }
    for (const std::shared_ptr<Waiter>& each : ended) {
      if (!each->is_thread) call(*each);
    }
    ended.clear();
    if (!parked_in_callback_.exchange(false)) return;
    const MutexLock lock(mutex_);
    ended = end_waits(clock_->now(), /*only_served=*/true);
  }
}

bool TagState::answer(Waiter& waiter, TimePoint now) {
  if (serve(waiter)) return true;
  waiter.verdict = misfit(waiter);
  if (!waiter.verdict.ok()) return true;
  if (!stopped_.ok()) {
    waiter.verdict = stopped_;
  } else if (order_ == TagOrder::kStrict && waiter.most_ids > waiter.least_ids) {
    waiter.verdict = status_in_words(StatusCode::kFailedPrecondition, [&] {
      return "tag '" + tag_ +
             "' has strict order, and a LocalBlock would hold its ids in memory; "
             "use Sequence::next()";
    });
  } else {
    waiter.verdict = refusal(now);
  }
  return !waiter.verdict.ok();
}

bool TagState::answer_in_time(Waiter& waiter, TimePoint now) {
  const bool gone = waiter.deadline < now && waiter.ranges.empty();  // nobody would take the ids
  if (!gone && answer(waiter, now)) return true;
  if (waiter.deadline > now) return false;
  waiter.verdict = stopped_.ok() ? deadline_status() : stopped_;
  return true;
}

void TagState::note_call(const Waiter& waiter, bool answered, TimePoint now) {
  if (!stopped_.ok() || !misfit(waiter).ok()) return;
  const bool served = answered && waiter.verdict.ok();
  const bool strict = order_ == TagOrder::kStrict;
  if (!served && !strict) ++waits_;
  // Under strict order, a caller that has left gets nothing from the next lease.
  if (!served && !(answered && strict)) {
    missed_ids_ = std::max(missed_ids_, waiter.least_ids);
    missed_range_ = missed_range_ || waiter.shape == Shape::kOneRange;
  }
  if (!answered || served || is_transient(waiter.verdict)) request_refill(now);
}

// Takes the callers out of the line that have an answer, or only those whose ids are there.
TagState::Waiters TagState::end_waits(TimePoint now, bool only_served) {
  Waiters ended;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    Waiter& each = **next++;
    bool answered = true;
    try {
      answered = only_served ? serve(each) : answer_in_time(each, now);
    } catch (const std::bad_alloc&) {
      each.verdict = internal::out_of_memory(StatusCode::kUnavailable);
    }
    if (answered) leave_line(each, &ended);
  }
  sweep_at_ = std::max<std::size_t>(64, 2 * waiting_.size());
  return ended;
}

Status TagState::refusal(TimePoint now) const {
  if (!error_.ok()) {
    if (!is_transient(error_)) return now < retry_at_ ? error_ : Status();
    // An old error: nobody wanted ids, so the store was not asked again. Ask it for this caller.
    if (flight_ == Flight::kNone && now >= retry_at_) return {};
    // A caller waits for a store that has just failed. Once nobody has been served for a whole
    // wait_timeout, errors come at once.
    if (now - failing_since_ >= options_.wait_timeout) return error_;
  }
  // Likewise for a tag that has been queued as long, behind others for which the store fails.
  const bool in_line = flight_ == Flight::kQueued && now - due_at_ >= options_.wait_timeout;
  return in_line ? queue_->trouble() : Status();
}

Status TagState::deadline_status() const {
  const Status error = error_;
  return status_in_words(StatusCode::kDeadlineExceeded, [&] {
    return "no ids of tag '" + tag_ + "' arrived in time; " +
           (error.ok() ? "the store has not answered yet"
                       : "the store's last error: " + error.message());
  });
}

}  // namespace featherid
