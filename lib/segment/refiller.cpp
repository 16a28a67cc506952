// SPDX-License-Identifier: MIT
#include "lib/segment/refiller.h"

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

#include "lib/base/call_store.h"
#include "lib/base/exception_text.h"
#include "lib/base/inside.h"
#include "lib/base/stay_loaded.h"

namespace featherid {

namespace {

[[gnu::constructor]] void at_load() { stay_loaded(); }

// "it ends on 2031-05-02", by the system's clock, in UTC.
std::string end_date(double seconds_left) {
  constexpr double kYear = 365.25 * 24 * 3600;
  if (seconds_left > 100 * kYear) return "it lasts for more than 100 years";
  const std::time_t end = std::time(nullptr) + static_cast<std::time_t>(seconds_left);
  std::tm date{};
  char text[32];
  if (::gmtime_r(&end, &date) == nullptr) return "it ends soon";
  const std::size_t length = std::strftime(text, sizeof text, "it ends on %Y-%m-%d", &date);
  return {text, length};
}

}  // namespace

Refiller::Refiller(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Clock> clock,
                   LogCallback log)
    : store_(std::move(store)), clock_(std::move(clock)), log_(std::move(log)) {}

Refiller::~Refiller() = default;

void Refiller::request(std::shared_ptr<TagState> tag, TimePoint due) {
  const MutexLock lock(mutex_);
  if (stopping_) return;
  if (on_changes_ && !std::exchange(requested_, true)) {
    changes_due_ = clock_->now();
    changed_.notify_one();  // for one thread; the tag is for another
  }
  (tag->known() ? jobs_ : lookups_).push({due, next_number_++, std::move(tag)});
  changed_.notify_one();
}

void Refiller::sweep(std::shared_ptr<TagState> tag, TimePoint due) {
  const MutexLock lock(mutex_);
  if (stopping_) return;
  sweeps_.push({due, next_number_++, std::move(tag)});
  changed_.notify_one();
}

Status Refiller::trouble() const {
  const MutexLock lock(mutex_);
  return failed_others_ ? failure_ : Status();
}

void Refiller::pause_together(Duration min, Duration max, std::uint32_t seed) {
  pause_min_ = min;
  pause_max_ = max;
  const MutexLock lock(mutex_);
  random_.seed(seed);
}

std::shared_ptr<TagState> Refiller::pop_due() {
  const TimePoint now = clock_->now();
  if (now < paused_until_) return nullptr;
  const auto is_due = [&](const std::priority_queue<Job>& jobs) {
    return !jobs.empty() && jobs.top().due <= now;
  };
  const bool lookup = is_due(lookups_) && (lookups_turn_ || !is_due(jobs_));
  std::priority_queue<Job>& jobs = lookup ? lookups_ : jobs_;
  if (!is_due(jobs)) return nullptr;
  lookups_turn_ = !lookup;
  std::shared_ptr<TagState> tag = jobs.top().tag;
  jobs.pop();
  return tag;
}

std::optional<TimePoint> Refiller::next_due_locked() const {
  std::optional<TimePoint> due;
  for (const std::priority_queue<Job>* const jobs : {&jobs_, &lookups_, &sweeps_}) {
    if (jobs->empty()) continue;
    const TimePoint at =
        jobs == &sweeps_ ? jobs->top().due : std::max(jobs->top().due, paused_until_);
    if (!due || at < *due) due = at;
  }
  if (changes_due_ < due.value_or(TimePoint::max())) due = changes_due_;
  return due;
}

std::optional<Refiller::Work> Refiller::pop_work() {
  const TimePoint now = clock_->now();
  if (changes_due_ <= now) {
    changes_due_ = TimePoint::max();
    return Work{Work::kAskForChanges, nullptr};
  }
  if (!sweeps_.empty() && sweeps_.top().due <= now) {  // first: it calls no store
    Work work{Work::kSweep, sweeps_.top().tag};
    sweeps_.pop();
    return work;
  }
  std::shared_ptr<TagState> tag = pop_due();
  if (tag == nullptr) return std::nullopt;
  return Work{Work::kRefill, std::move(tag)};
}

void Refiller::run(const Work& work) {
  switch (work.kind) {
    case Work::kAskForChanges:
      return ask_for_changes();
    case Work::kSweep:
      return work.tag->sweep();
    case Work::kRefill:
      return refill(*work.tag);
  }
}

bool Refiller::run_once() {
  std::optional<Work> work;
  {
    const MutexLock lock(mutex_);
    work = pop_work();
  }
  if (work) run(*work);
  return work.has_value();
}

std::optional<TimePoint> Refiller::next_due() const {
  const MutexLock lock(mutex_);
  return next_due_locked();
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

// One tag may fail alone, if its row is locked. That says nothing about the others.
void Refiller::note_answer(const TagState& tag, const Status& status) {
  const MutexLock lock(mutex_);
  if (!is_transient(status)) {
    failed_first_ = nullptr;
    failed_others_ = false;
    failure_ = {};
    return end_pause();
  }
  failure_ = status;
  failed_others_ = failed_others_ || (failed_first_ != nullptr && failed_first_ != &tag);
  if (failed_first_ == nullptr) failed_first_ = &tag;
  if (failed_others_ && pause_max_ > Duration(0)) {
    paused_until_ = clock_->now() + backoff(pause_min_, pause_max_, ++pauses_, random_);
  }
}

void Refiller::end_pause() {
  if (std::exchange(pauses_, 0) == 0) return;
  paused_until_ = {};
  changed_.notify_all();
}

Status Refiller::start(int threads) {
  const MutexLock lock(mutex_);
  threads_.reserve(static_cast<std::size_t>(threads));
  try {
    while (threads_.size() < static_cast<std::size_t>(threads)) {
      // The thread owns a share, so everything still exists for a thread that stop() left behind.
      threads_.emplace_back([self = shared_from_this()] { self->run(); });
    }
  } catch (const std::exception& e) {  // the machine allows no more threads, or has no memory
    if (threads_.empty()) {
      return {StatusCode::kUnavailable,
              std::string("cannot start a refill thread (") + text_of(e) +
                  "); raise the process's limits on threads and memory, or free some"};
    }
    log_.write(LogLevel::kWarn, [&, started = threads_.size()] {
      return "only " + std::to_string(started) + " of " + std::to_string(threads) +
             " refill threads could be started: " + text_of(e);
    });
  }
  return {};
}

void Refiller::run() {
  for (;;) {
    std::optional<Work> work;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && !(work = pop_work())) {
        if (const std::optional<TimePoint> due = next_due_locked()) {
          changed_.wait_until(mutex_, *due);
        } else {
          changed_.wait(mutex_);
        }
      }
      if (stopping_) return;
      ++calling_;
    }
    run(*work);
    const MutexLock lock(mutex_);
    --calling_;
    if (stopping_) changed_.notify_all();
  }
}

bool Refiller::stop(Duration timeout) {
  std::vector<platform::Thread> threads;
  const int own = Inside::of(this) ? 1 : 0;  // this thread, which cannot wait for itself
  bool idle = !Inside::of(store_.get());     // in a store call others may wait for this one
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    jobs_ = lookups_ = sweeps_ = {};
    changed_.notify_all();
    const TimePoint deadline = clock_->now() + timeout;
    while (calling_ > own && idle) idle = changed_.wait_until(mutex_, deadline);
    idle = idle && calling_ <= own;
    threads.swap(threads_);
  }
  const bool may_join = idle && own == 0;
  for (platform::Thread& thread : threads) may_join ? thread.join() : thread.detach();
  log_.close();
  return idle;
}

template <typename T, typename Call>
Result<T> Refiller::ask_store(Call call) noexcept {
  const Inside inside(store_.get());
  return call_store<T>(call);
}

void Refiller::ask_for_changes() noexcept {
  const Inside inside(this);
  std::int64_t known = 0;
  {
    const MutexLock lock(mutex_);
    known = changes_known_;
  }
  const Result<TagChanges> changes = ask_store<TagChanges>([&] { return store_->changes(known); });
  bool stopping = false;
  {
    const MutexLock lock(mutex_);
    // What this process read or leased before the first answer may have been changed before it,
    // too. Then it asks again at once, for every change so far.
    const bool blind = known < 0 && (!changes.ok() || looked_unasked_);
    changes_known_ = blind ? 0 : changes.ok() ? changes->version : known;
    changes_due_ = clock_->now() + (blind && changes.ok() ? Duration(0) : kAskForChangesEvery);
    changed_.notify_one();
    stopping = stopping_;
  }
  const bool lost = changes.status().code() == StatusCode::kDataLoss;
  if (lost) log_.write(LogLevel::kError, [&] { return changes.status().message(); });
  if (!stopping && (changes.ok() || lost)) on_changes_(changes);
}

void Refiller::note_look() {
  const MutexLock lock(mutex_);
  if (changes_known_ < 0) looked_unasked_ = true;
}

void Refiller::refill(TagState& tag) noexcept {
  const Inside inside(this);
  if (!tag.begin_refill()) return;
  Duration latency{0};
  LeaseSize size = tag.lease_size();
  Status accepted;
  const bool needs_row = tag.needs_row(size.most_ids);
  if (needs_row) {
    note_look();
    const Result<SegmentRow> row = ask_store<SegmentRow>([&] { return store_->find(tag.tag()); });
    accepted = row.ok() ? tag.accept_row(*row) : row.status();
    size = accepted.ok() ? tag.lease_size() : LeaseSize(1, 0);
  }
  Result<IdRange> leased = accepted.ok() ? Result<IdRange>(IdRange{}) : Result<IdRange>(accepted);
  if (size.most_ids > 0) {
    note_look();
    const TimePoint start = clock_->now();
    const std::optional<Period> period = tag.has_period() ? tag.lease_period() : std::nullopt;
    leased = ask_store<IdRange>([&] {
      return period ? store_->lease_in_period(tag.tag(), *period, size)
                    : store_->lease(tag.tag(), size);
    });
    latency = clock_->now() - start;
    note_lease_latency(latency);
  }
  // A tag that is too far ahead of its time floor, or asks for a period that is not on, says
  // nothing about the others. After such an error, the row is read first, which does.
  const bool of_clock = size.most_ids > 0 && tag.follows_clock() && is_transient(leased.status());
  if ((needs_row || size.most_ids > 0) && !of_clock) note_answer(tag, leased.status());
  log_outcome(tag, tag.end_refill(size.most_ids, std::move(leased), latency));
}

void Refiller::log_near_end(const TagState& tag, const SeriesWatch::Warning& warning) {
  log_.write(LogLevel::kWarn, [&] {
    const char* const what = warning.is_cap               ? "its cap "
                             : warning.end < (1LL << 32)  ? "what a 32-bit integer holds, "
                             : warning.end <= (1LL << 53) ? "what a double holds, "
                                                          : "all ids, ";
    std::string text = "tag '" + tag.tag() + "' has used " + std::to_string(warning.percent) +
                       " % of " + what + std::to_string(warning.end);
    if (warning.seconds_left) text += "; at the present rate " + end_date(*warning.seconds_left);
    return text;
  });
}

void Refiller::log_lead(const TagState& tag, double lead_seconds) {
  log_.write(LogLevel::kWarn, [&] {
    return "tag '" + tag.tag() + "' is " + std::to_string(static_cast<std::int64_t>(lead_seconds)) +
           " s ahead of its time floor, more than its lead_max: a failover or a restore that loses "
           "leases may now repeat ids; raise the rate of the floor";
  });
}

void Refiller::log_outcome(const TagState& tag, const TagState::RefillOutcome& outcome) {
  if (outcome.near_end) log_near_end(tag, *outcome.near_end);
  if (outcome.lead_seconds) log_lead(tag, *outcome.lead_seconds);
  const auto about_tag = [&](const char* what) {
    return "tag '" + tag.tag() + "': " + what + outcome.status.message();
  };
  if (outcome.status.ok()) {
    if (outcome.failures_before == 0) return;
    log_.write(LogLevel::kInfo, [&] { return about_tag("the store answers again"); });
  } else if (outcome.status.code() == StatusCode::kDataLoss) {
    log_.write(LogLevel::kError, [&] { return outcome.status.message(); });
  } else if (outcome.status.code() == StatusCode::kNotFound) {
    log_.write(LogLevel::kDebug, [&] { return about_tag(""); });
  } else if (outcome.failures_before == 0) {
    log_.write(LogLevel::kWarn, [&] { return about_tag("cannot lease: "); });
  } else {
    log_.write(LogLevel::kDebug, [&] { return about_tag("still cannot lease: "); });
  }
}

}  // namespace featherid
