// SPDX-License-Identifier: MIT
#include "lib/segment/tag_state.h"

#include <algorithm>
#include <new>
#include <utility>

#include "lib/base/inside.h"
#include "lib/base/invariant.h"

namespace featherid {

namespace {

// How long a row's step is used before it is read again.
constexpr Duration kRowTtl = std::chrono::seconds(60);

// How many holds ids of a tag with a time floor are kept. A steady burn uses them up in that time.
constexpr int kHoldsMax = 2;

// An error with the text of `message`, or with "out of memory" if there is none for the text.
template <typename Message>
Status make_status(StatusCode code, Message message) noexcept {
  try {
    return {code, message()};
  } catch (const std::bad_alloc&) {
    return internal::out_of_memory(code);
  }
}

// Runs a callback. It is foreign code: what it throws is dropped.
void call(const std::function<void(const Status&)>& callback, const Status& verdict) {
  try {
    callback(verdict);
  } catch (...) {
    // It must stop neither the other callbacks nor the refill thread.
  }
}

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

// --- callers ---

Result<std::vector<IdRange>> TagState::take(std::int64_t least, std::int64_t most,
                                            std::optional<Duration> timeout) {
  if (fork_guard_.forked()) return forked_status();
  std::vector<IdRange> ranges;
  const MutexLock lock(mutex_);
  TimePoint deadline{};
  for (bool first = true;; first = false) {
    if (!stopped_.ok()) return stopped_;
    const bool taken = take_locked(least, most, &ranges);
    const TimePoint now = clock_->now();
    if (taken) {
      request_refill(now);
      return ranges;
    }
    if (first) {
      ++waits_;
      deadline = now + timeout.value_or(options_.wait_timeout);
    }
    missed_ids_ = std::max(missed_ids_, least);
    const Status refused = refusal(now);
    if (refused.ok() || is_transient(refused)) request_refill(now);
    if (!refused.ok()) return refused;
    if (now >= deadline) return deadline_status();
    blocked_ids_ += least;
    changed_.wait_until(mutex_, deadline);
    blocked_ids_ -= least;
  }
}

Result<std::vector<IdRange>> TagState::try_take(std::int64_t least, std::int64_t most) {
  if (fork_guard_.forked()) return forked_status();
  std::vector<IdRange> ranges;
  const MutexLock lock(mutex_);
  if (!stopped_.ok()) return stopped_;
  const bool taken = take_locked(least, most, &ranges);
  const TimePoint now = clock_->now();
  Status refused;
  if (!taken) {
    ++waits_;
    missed_ids_ = std::max(missed_ids_, least);
    refused = refusal(now);
  }
  if (refused.ok() || is_transient(refused)) request_refill(now);
  if (taken) return ranges;
  if (!refused.ok()) return refused;
  return Status(StatusCode::kUnavailable,
                "no ids of tag '" + tag_ + "' are in memory now; try again");
}

void TagState::on_ready(std::int64_t count_ids, Duration timeout, ReadyCallback callback) {
  if (fork_guard_.forked()) return refuse(callback, forked_status());
  Wakeups wakeups;
  Status stopped;
  {
    const MutexLock lock(mutex_);
    stopped = stopped_;
    if (stopped.ok()) {
      wakeups = park({count_ids, clock_->now() + timeout, std::move(callback), {}});
    }
  }
  // Moved from only if it was not stopped.
  if (!stopped.ok()) return refuse(callback, stopped);  // NOLINT(bugprone-use-after-move)
  run(std::move(wakeups));
}

// Parks one more caller, or returns it at once. In a callback of this tag, it is always parked, for
// run(), which called it, or for the next flight: callbacks that register again would never return.
TagState::Wakeups TagState::park(Parked caller) {
  const bool in_callback = Inside::of(this);
  const TimePoint now = clock_->now();
  const std::int64_t count_ids = caller.count_ids;
  Wakeups waiting;
  waiting.push_back(std::move(caller));
  std::optional<Status> verdict = verdict_on(waiting.front(), now);
  if (!verdict || is_transient(*verdict) || (in_callback && !verdict->ok())) {
    missed_ids_ = std::max(missed_ids_, count_ids);  // too late for this caller, not for the next
    request_refill(now);  // before anything is parked: if it throws, nobody is called back
  }
  if (verdict && !in_callback) {
    waiting.front().verdict = *std::move(verdict);
    return waiting;
  }
  parked_ids_ += count_ids;
  parked_.splice(parked_.end(), waiting);
  if (in_callback) parked_in_callback_ = true;
  // While the store hangs, nothing else ends waits whose time is up. Checking only when the number
  // has doubled keeps the cost of a call constant.
  const bool sweep = !in_callback && parked_.size() >= parked_sweep_at_;
  return sweep ? collect_wakeups(now) : Wakeups();
}

void TagState::refuse(const ReadyCallback& callback, const Status& why) const {
  if (Inside::of(&stopped_)) return;
  const Inside inside(&stopped_);
  call(callback, why);
}

void TagState::run(Wakeups wakeups) {
  if (wakeups.empty()) return;
  const std::shared_ptr<TagState> self = shared_from_this();  // callbacks may drop every handle
  const Inside inside(this);
  while (!wakeups.empty()) {
    for (const Parked& each : wakeups) call(each.callback, each.verdict);
    wakeups.clear();
    if (!parked_in_callback_.exchange(false)) return;
    const MutexLock lock(mutex_);
    wakeups = collect_wakeups(clock_->now(), /*only_ready=*/true);
  }
}

// What to tell a parked caller; nothing if it should keep waiting.
std::optional<Status> TagState::verdict_on(const Parked& parked, TimePoint now) const {
  if (!stopped_.ok()) return stopped_;
  if (parked.count_ids <= available_ids()) return Status();
  if (Status refused = refusal(now); !refused.ok()) return refused;
  if (parked.deadline <= now) return deadline_status();
  return std::nullopt;
}

// Removes the parked callers that have a verdict, or only those whose ids are there.
TagState::Wakeups TagState::collect_wakeups(TimePoint now, bool only_ready) {
  Wakeups wakeups;
  for (auto next = parked_.begin(); next != parked_.end();) {
    const auto each = next++;
    std::optional<Status> verdict = verdict_on(*each, now);
    if (!verdict || (only_ready && !verdict->ok())) continue;
    each->verdict = *std::move(verdict);
    parked_ids_ -= each->count_ids;
    wakeups.splice(wakeups.end(), parked_, each);
  }
  parked_sweep_at_ = std::max<std::size_t>(64, 2 * parked_.size());
  return wakeups;
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
  return make_status(StatusCode::kDeadlineExceeded, [&] {
    return "no ids of tag '" + tag_ + "' arrived in time; " +
           (error.ok() ? "the store has not answered yet"
                       : "the store's last error: " + error.message());
  });
}

// --- stock ---

bool TagState::take_locked(std::int64_t least, std::int64_t most, std::vector<IdRange>* ranges) {
  ranges->reserve(1);  // room first, so that nothing is taken that cannot be noted
  if (const IdRange range = cursor_.claim(least, most); !range.empty()) {
    ranges->push_back(range);
    return true;
  }
  reclaim_chunk();
  const bool enough = stock_ids_ >= least;
  dry_ = dry_ || !enough;
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
  if (stock_.empty() || chunk_size_ != 0) return;
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
  if (lease.last() > flight_limit_) {
    drop_stock();  // as if it had been held when the change came
    return make_status(StatusCode::kUnavailable, [&] {
      return "tag '" + tag_ + "' was changed during a lease, whose ids are lost; try again";
    });
  }
  if (floor_.is_set() && stopped_.ok()) {  // else it is only given back
    drop_old(now);
    if (!request_sweep(now + kHoldsMax * options_.limits.hold)) {
      return internal::out_of_memory(StatusCode::kUnavailable);
    }
    issued_at_lease_ = issued_ids();
  }
  return add_to_stock(lease, now) ? Status() : internal::out_of_memory(StatusCode::kUnavailable);
}

std::int64_t TagState::available_ids() const { return stock_ids_ + cursor_.remaining(); }

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

bool TagState::has_floor() const {
  const MutexLock lock(mutex_);
  return floor_.is_set();
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

std::int64_t TagState::refill_due_ids() const {
  RefillState state;
  state.step = step_;
  state.stock_ids = available_ids() - old_ids();
  state.wanted_ids = std::max(blocked_ids_ + parked_ids_, missed_ids_);
  state.last_lease_ids = last_lease_ids_;
  state.burn_ids_per_second = burn_.ids_per_second();
  state.lease_latency = lease_latency_;
  return featherid::ids_to_lease(options_.limits, state);
}

void TagState::request_refill(TimePoint now) {
  if (flight_ != Flight::kNone || queue_ == nullptr || !stopped_.ok()) return;
  // After an error the next flight is due whatever the stock is, because it clears the error.
  if (step_ > 0 && error_.ok() && refill_due_ids() == 0) return;
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
  return flight_ == Flight::kFlying;
}

bool TagState::needs_row(std::int64_t asked_ids) const {
  const MutexLock lock(mutex_);
  if (step_ <= 0 || row_changed_ || clock_->now() - row_read_at_ >= kRowTtl) return true;
  return !error_.ok() && (asked_ids == 0 || floor_.is_set());
}

Status TagState::accept_row(const SegmentRow& row) {
  if (row.step <= 0) {
    return make_status(StatusCode::kFailedPrecondition, [&] {
      return "the row of tag '" + tag_ + "' has step " + std::to_string(row.step) +
             "; set it to 1 or more";
    });
  }
  const MutexLock lock(mutex_);
  step_ = std::min(row.step, kLeaseIdsMax);
  row_read_at_ = clock_->now();
  row_changed_ = false;
  cap_ = row.cap;
  note_row(row);
  series_.see(row.max_id, row_read_at_);
  // relaxed: a hint, which publishes nothing.
  known_.store(true, std::memory_order_relaxed);
  return {};
}

std::int64_t TagState::ids_to_lease() const {
  const MutexLock lock(mutex_);
  return stopped_.ok() && step_ > 0 ? refill_due_ids() : 0;
}

Status TagState::check_lease(std::int64_t asked_ids, IdRange range) const {
  const std::int64_t highest_end = highest_end_;
  const bool outside = range.first < 1 || range.empty() || range.last() > kIdMax;
  if (!outside && range.size() <= asked_ids && range.first >= highest_end) return {};
  return make_status(StatusCode::kDataLoss, [&] {
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
  Wakeups wakeups;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = clock_->now();
    flight_ = Flight::kNone;
    const bool wanted = blocked_ids_ + parked_ids_ + missed_ids_ > 0;
    missed_ids_ = 0;
    outcome.failures_before = error_.code() == StatusCode::kNotFound ? 0 : failures_;
    outcome.status = leased.status();
    if (leased.ok() && asked_ids > 0) {
      outcome.status = check_lease(asked_ids, *leased);
      ++leases_;
      if (dry_) burn_at_ = now;
      dry_ = false;
      if (outcome.status.ok()) {
        series_.see(leased->last(), now);
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
    changed_.notify_all();
    wakeups = collect_wakeups(now);
    // Whether a tag exists is asked again only when a caller comes.
    if (outcome.status.ok() || (is_transient(outcome.status) && (step_ > 0 || wanted))) {
      try {
        request_refill(now);
      } catch (const std::bad_alloc&) {
        // No flight will come for waiting callers. Blocked callers ask for one when they wake up.
        // Parked ones are sent away, and must come again.
        for (Parked& each : parked_) {
          each.verdict = internal::out_of_memory(StatusCode::kUnavailable);
        }
        wakeups.splice(wakeups.end(), parked_);
        parked_ids_ = 0;
      }
    }
  }
  run(std::move(wakeups));
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

void TagState::drop_stock() {
  reclaim_chunk();
  stock_.clear();
  stock_ids_ = 0;
}

void TagState::limit(std::int64_t max_id) {
  const MutexLock lock(mutex_);
  // The store may have changed the tag after the lease under way.
  flight_limit_ = std::min(flight_limit_, max_id);
  row_changed_ = true;
  if (stopped_.ok() && highest_end_ > max_id + 1) drop_stock();
}

void TagState::stop_for(const Status& reason) {
  Wakeups wakeups;
  {
    const MutexLock lock(mutex_);
    if (!stopped_.ok()) return;
    stop(reason);
    changed_.notify_all();
    wakeups = collect_wakeups(clock_->now());
  }
  run(std::move(wakeups));
}

void TagState::stop(Status reason) {
  drop_stock();  // others may have leased the held ids again by now
  cursor_.stop();
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
  snapshot.held_ids = stock_ids_ + in_cursor;
  snapshot.returned_ids = returned_ids_;
  BurnMeter burn_until_now = burn_;  // an unused tag does not measure by itself
  burn_until_now.add(used_ids_ + used_of_chunk, clock_->now() - burn_at_);
  snapshot.burn_ids_per_second = burn_until_now.ids_per_second();
  snapshot.leases = leases_;
  snapshot.lease_failures = lease_failures_;
  snapshot.waits = waits_;
  snapshot.lease_latency = lease_latency_;
  snapshot.cap = cap_;
  snapshot.max_id = series_.max_id();
  snapshot.series_ids_per_second = series_.ids_per_second();
  snapshot.floor = floor_;
  snapshot.lead_seconds = lead_seconds_;
  snapshot.error = error_;
  return snapshot;
}

// --- shutdown ---

void TagState::close() {
  Wakeups wakeups;
  {
    const MutexLock lock(mutex_);
    queue_ = nullptr;
    if (stopped_.ok()) {
      reclaim_chunk();
      cursor_.stop();
      stopped_ = make_status(StatusCode::kFailedPrecondition,
                             [] { return "the allocator was shut down"; });
    }
    changed_.notify_all();
    wakeups = collect_wakeups(clock_->now());
  }
  run(std::move(wakeups));
}

IdRange TagState::take_tail() {
  const MutexLock lock(mutex_);
  FEATHERID_INVARIANT(queue_ == nullptr, 0, 0);
  // A flight that is still in progress may have moved max_id; the store's compare-and-set decides.
  if (stock_.empty() || stock_.back().end != highest_end_) return {};
  const IdRange tail = stock_.back();
  stock_.clear();
  stock_ids_ = 0;
  return tail;
}

void TagState::note_returned(std::int64_t count_ids) {
  const MutexLock lock(mutex_);
  returned_ids_ += count_ids;
}

}  // namespace featherid
