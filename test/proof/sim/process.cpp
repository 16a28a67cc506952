// SPDX-License-Identifier: MIT
#include "test/proof/sim/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace featherid::sim {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

Result<std::vector<IdRange>> as_ranges(const Result<std::int64_t>& id) {
  if (!id.ok()) return id.status();
  return std::vector<IdRange>{{*id, *id + 1}};
}

constexpr std::int64_t kCallMax = 300;  // ids in one call
constexpr Span kInstant{1};             // long enough for all work that is due now

}  // namespace

// A call that waits for ids of a tag.
struct Process::Wait {
  std::string tag;
  std::int64_t count_ids;
  Instant deadline;  // kNever: parked
  Instant began;
  bool consecutive = false;
};

class Process::CallUnderWay {
 public:
  CallUnderWay(Process& process, Wait wait) : process_(process) {
    place_ = process_.waits_.insert(process_.waits_.end(), std::move(wait));
  }
  ~CallUnderWay() { process_.waits_.erase(place_); }
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;

 private:
  Process& process_;
  std::list<Wait>::iterator place_;
};

Process::Process(Scheduler& scheduler, Random& random, ModelDatabase& database, Ledger& ledger,
                 const Workload& workload, Random& of_periods, int group)
    : scheduler_(scheduler),
      random_(random),
      period_random_(of_periods),
      database_(database),
      ledger_(ledger),
      workload_(workload),
      group_(group),
      name_("process " + std::to_string(group)),
      born_(database.version),
      books_(ledger, name_),
      period_book_(ledger),
      store_(std::make_shared<ModelStore>(database, books_, period_book_)) {}

Process::~Process() {
  dead_ = true;
  store_->sever();
  // Callbacks parked in the allocator use the other members.
  ids_.reset();
  sequences_.clear();
  blocks_.clear();
}

void Process::violation(const std::string& what) { ledger_.violation(what + ": " + name_); }

void Process::trace(const std::string& what) {
  if (ledger_.trace) ledger_.trace(name_ + " " + what);
}

// --- its life ---

bool Process::run_inside(std::function<void()> body, Instant deadline) {
  auto ended = std::make_shared<bool>(false);
  scheduler_.spawn(group_, [this, ended, body = std::move(body)] {
    body();
    *ended = true;
    scheduler_.wake_all(ended.get());
  });
  while (!*ended && scheduler_.wait(ended.get(), deadline)) continue;
  return *ended;
}

void Process::start() {
  trace("starts");
  run_inside(
      [this] {
        ids_ = std::make_unique<SegmentAllocator>(store_, workload_.options);
        for (const std::string& tag : workload_.tags) sequences_.push_back(*ids_->sequence(tag));
        for (int caller = 0; caller < workload_.callers; ++caller) {
          blocks_.emplace_back();
          for (const Sequence& sequence : sequences_) {
            blocks_.back().push_back(sequence.local(random_.pick(1, 100)));
          }
        }
        for (int caller = 0; caller < workload_.callers; ++caller) {
          scheduler_.spawn(group_, [this, caller] { use(static_cast<std::size_t>(caller)); });
        }
        if (database_.periods.is_on()) scheduler_.spawn(group_, [this] { use_periods(); });
      },
      kNever);
}

void Process::crash() {
  trace("crashes");
  end();
}

void Process::end() {
  closing_ = leaving_ = dead_ = true;
  store_->sever();
  scheduler_.kill(group_);
}

void Process::shut_down() {
  trace("shuts down");
  closing_ = true;
  const bool ended = run_inside(
      [this] {
        const Instant began = scheduler_.now();
        const std::int64_t troubles_before = books_.troubles_ended();
        ids_->shutdown();
        scheduler_.throw_if_killed();
        down_ = true;
        trace("is shut down");
        check_tails_went_back(troubles_before, scheduler_.now() - began);
      },
      scheduler_.now() + seconds(random_.pick(1, 60)));
  if (!ended) return crash();
  check_nobody_waits();
  scheduler_.sleep(milliseconds(random_.pick(0, 1000)));  // callers learn that it is over
  leaving_ = true;
  scheduler_.sleep(kInstant);  // now no call is under way
  run_inside([this] { ids_.reset(); }, kNever);
  // Otherwise a refill thread whose store call hangs is left behind in a process that continues.
  if (random_.percent(50)) end();
}

void Process::destroy() {
  trace("is destroyed");
  closing_ = leaving_ = true;
  scheduler_.sleep(kInstant);  // now every call under way waits
  run_inside([this] { ids_.reset(); }, kNever);
  check_nobody_waits();
  if (random_.percent(50)) end();
}

void Process::fork_child() {
  if (ids_ == nullptr) return;
  const pid_t pid = ::fork();
  if (pid == 0) be_child();
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) return violation("the child is gone");
  if (status == 0) return;
  if (!WIFEXITED(status)) return violation("a child of a fork died");
  violation(WEXITSTATUS(status) == Scheduler::kTouchedALock ? "a child of a fork takes a lock"
                                                            : "a child of a fork goes on");
}

void Process::be_child() {
  scheduler_.become_child();
  bool refuses = true;
  const auto expect_refusal = [&](const Status& status) {
    refuses = refuses && status.code() == StatusCode::kFailedPrecondition;
  };
  for (Sequence& sequence : sequences_) {
    expect_refusal(sequence.try_next().status());
    expect_refusal(sequence.next().status());
    expect_refusal(sequence.try_next_range(5).status());
    expect_refusal(sequence.next_consecutive(5).status());
    sequence.next_range_async(1, milliseconds(1),
                              [&](const auto& ids) { expect_refusal(ids.status()); });
    expect_refusal(ids_->try_next_id(sequence.tag()).status());
    expect_refusal(ids_->next_range(sequence.tag(), 5).status());
  }
  for (auto& blocks : blocks_) {
    for (LocalBlock& block : blocks) expect_refusal(block.next().status());
  }
  ::_exit(refuses && ids_->stats().empty() && ids_->shutdown() == 0 ? 0 : 1);
}

// --- what its threads do ---

void Process::use(std::size_t caller) {
  while (!leaving_) {
    const bool pauses = random_.percent(50);
    if (pauses) scheduler_.sleep(milliseconds(random_.pick(0, workload_.pause_max_ms)));
    if (!leaving_) use_once(caller);
  }
}

void Process::use_once(std::size_t caller) {
  const std::size_t tag = random_.index(workload_.tags.size());
  Sequence& sequence = sequences_[tag];
  const std::string& name = sequence.tag();
  const Span wait_timeout = workload_.options.wait_timeout;
  const std::int64_t chance = random_.pick(0, 99);
  if (chance < 25) {
    call(name, 1, wait_timeout, [&] { return as_ranges(sequence.next()); });
  } else if (chance < 35) {
    const milliseconds timeout(random_.pick(0, 3000));
    call(name, 1, timeout, [&] { return as_ranges(sequence.next(timeout)); });
  } else if (chance < 60) {
    for (auto n = random_.pick(1, 40); n > 0; --n) {
      call(name, 1, Span(0), [&] { return as_ranges(sequence.try_next()); });
    }
  } else if (chance < 65) {
    ask_for_consecutive(tag);
  } else if (chance < 70) {
    const std::int64_t count = random_.pick(1, kCallMax);
    call(name, count, wait_timeout, [&] { return sequence.next_range(count); });
  } else if (chance < 80) {
    const std::int64_t count = random_.pick(1, kCallMax);
    call(name, count, Span(0), [&] { return sequence.try_next_range(count); });
  } else if (chance < 88) {
    ask_by_name(name);
  } else if (chance < 94) {
    park(tag);
  } else if (workload_.blocks) {
    take_from_block(caller, tag);
  } else if (workload_.ghosts > 0) {
    ask_for_ghost();
  }
}

void Process::use_periods() {
  Result<Sequence> daily = ids_->sequence(PeriodModel::kTag);
  while (!leaving_ && daily.ok()) {  // it may be shut down already
    const std::int64_t pause_max_ms = std::max<std::int64_t>(workload_.pause_max_ms, 1000);
    scheduler_.sleep(milliseconds(period_random_.pick(0, pause_max_ms)));
    for (auto n = period_random_.pick(1, 20); n > 0 && !leaving_; --n) use_period_once(*daily);
  }
}

void Process::use_period_once(Sequence& daily) {
  const std::int64_t chance = period_random_.pick(0, 99);
  const std::int64_t count = period_random_.pick(1, kCallMax);
  const milliseconds timeout(period_random_.pick(0, 3000));
  if (chance < 40) {
    const Result<PeriodId> id =
        chance < 20 ? daily.try_next_in_period() : daily.next_in_period(timeout);
    if (!id.ok()) return check_period_ids(1, id.status());
    return check_period_ids(1, PeriodRanges{{{id->id, id->id + 1}}, id->period});
  }
  if (chance < 60) return check_period_ids(count, daily.try_next_range_in_period(count));
  if (chance < 80) return check_period_ids(count, daily.next_range_in_period(count, timeout));
  daily.next_range_in_period_async(count, timeout, [this, count](const auto& ids) {
    if (!dead_) check_period_ids(count, ids);
  });
}

void Process::check_period_ids(std::int64_t count_ids, const Result<PeriodRanges>& ids) {
  scheduler_.throw_if_killed();
  if (!ids.ok()) {
    const StatusCode code = ids.status().code();
    const bool refused = code == StatusCode::kFailedPrecondition;
    if (code == StatusCode::kUnavailable || code == StatusCode::kDeadlineExceeded) return;
    if (refused && (closing_ || database_.periods.was_unservable())) return;
    return violation("an unexpected error of the tag with periods: " + ids.status().to_string());
  }
  std::int64_t count = 0;
  for (const IdRange range : ids->ranges) count += range.size();
  if (count != count_ids) violation("not as many ids of a period as were asked for");
  period_book_.handed_out(*ids, scheduler_.now(), database_.periods);
}

void Process::check_periods_serve(Instant deadline) {
  run_inside(
      [&] {
        Sequence daily = *ids_->sequence(PeriodModel::kTag);
        for (;;) {
          const Result<PeriodId> id = daily.next_in_period(milliseconds(100));
          scheduler_.throw_if_killed();
          if (id.ok()) return;
          if (scheduler_.now() >= deadline) {
            return violation("the tag with periods serves no more: " + id.status().to_string());
          }
          scheduler_.sleep(milliseconds(10));
        }
      },
      kNever);
}

void Process::ask_by_name(const std::string& tag) {
  if (random_.percent(50)) {
    call(tag, 1, Span(0), [&] { return as_ranges(ids_->try_next_id(tag)); });
  } else {
    const std::int64_t count = random_.pick(1, kCallMax);
    call(tag, count, workload_.options.wait_timeout, [&] { return ids_->next_range(tag, count); });
  }
}

void Process::ask_for_consecutive(std::size_t tag) {
  const std::int64_t count = random_.pick(1, kCallMax);
  Sequence& sequence = sequences_[tag];
  const std::string& name = workload_.tags[tag];
  const auto as_ranges = [](const Result<IdRange>& range) -> Ids {
    if (!range.ok()) return range.status();
    return std::vector<IdRange>{*range};
  };
  switch (random_.pick(0, 2)) {
    case 0:
      return call(
          name, count, workload_.options.wait_timeout,
          [&] { return as_ranges(sequence.next_consecutive(count)); }, true);
    case 1:
      return call(
          name, count, Span(0), [&] { return as_ranges(sequence.try_next_consecutive(count)); },
          true);
    default:
      return park(tag, /*consecutive=*/true);
  }
}

void Process::ask_for_ghost() {
  const std::string ghost = "ghost" + std::to_string(random_.pick(1, workload_.ghosts));
  if (ids_->next_id(ghost).ok()) violation("an id of a tag that does not exist");
}

void Process::take_from_block(std::size_t caller, std::size_t tag) {
  for (auto n = random_.pick(1, 50); n > 0 && !leaving_; --n) {
    const Books::Call call = books_.call_begins(workload_.tags[tag], scheduler_.now());
    const Result<std::int64_t> id = blocks_[caller][tag].next();
    scheduler_.throw_if_killed();
    if (!id.ok()) return;
    books_.handed_out_by_block(workload_.tags[tag], *id, call);
  }
}

void Process::park(std::size_t tag, bool consecutive) {
  const std::int64_t count = random_.pick(1, kCallMax);
  const std::string& name = workload_.tags[tag];
  const milliseconds timeout(random_.pick(0, 5000));
  const Instant deadline = scheduler_.now() + timeout;
  const Books::Call call = books_.call_begins(name, scheduler_.now());
  auto under_way = std::make_shared<std::unique_ptr<CallUnderWay>>(std::make_unique<CallUnderWay>(
      *this, Wait{name, count, kNever, scheduler_.now(), consecutive}));
  const IdsCallback done = [=](const Ids& ids) {
    if (dead_) return;
    if (*under_way == nullptr) return violation("called back twice");
    under_way->reset();
    const bool in_time = scheduler_.now() < deadline;
    if (!ids.ok()) return check_error(workload_.tags[tag], ids.status(), in_time);
    check_ids(workload_.tags[tag], count, *ids, call, consecutive);
  };
  Sequence& sequence = sequences_[tag];
  consecutive ? sequence.next_consecutive_async(count, timeout, done)
              : sequence.next_range_async(count, timeout, done);
}

// --- what is checked ---

void Process::call(const std::string& tag, std::int64_t count_ids, Span timeout,
                   const std::function<Ids()>& ask, bool consecutive) {
  const Instant began = scheduler_.now();
  const Books::Call call = books_.call_begins(tag, began);
  const bool was_down = down_;
  const Ids ids = [&] {
    const CallUnderWay under_way(*this, {tag, count_ids, began + timeout, began, consecutive});
    return ask();
  }();
  scheduler_.throw_if_killed();
  if (scheduler_.now() > began + timeout) violation("a call passed its deadline");
  if (!ids.ok()) return check_error(tag, ids.status(), scheduler_.now() < began + timeout);
  if (was_down) violation("an id after the shutdown");
  check_ids(tag, count_ids, *ids, call, consecutive);
}

void Process::check_ids(const std::string& tag, std::int64_t count_ids,
                        const std::vector<IdRange>& ids, const Books::Call& call,
                        bool consecutive) {
  std::int64_t count = 0;
  for (const IdRange range : ids) count += range.size();
  if (count != count_ids) violation("not as many ids as were asked for");
  consecutive ? books_.handed_out_consecutive(tag, ids, call) : books_.handed_out(tag, ids, call);
  // A sweep and a lease come some time after they are due. Nobody leases from a row that cannot be
  // served, so the old ids stay.
  if (database_.was_unservable(tag)) return;
  books_.check_age(tag, ids, scheduler_.now(), 2 * workload_.options.hold + seconds(5));
}

void Process::check_error(const std::string& tag, const Status& status, bool in_time) {
  switch (status.code()) {
    case StatusCode::kDataLoss:
      return books_.refused(tag);
    case StatusCode::kFailedPrecondition:
      // Or a row that an operator must fix. It may have been fixed since it was read.
      if (!closing_ && !database_.was_unservable(tag)) {
        violation("refused before its end: " + status.to_string());
      }
      return;
    case StatusCode::kDeadlineExceeded:
      if (in_time) violation("gave up before its deadline: " + status.to_string());
      return;
    case StatusCode::kNotFound:
    case StatusCode::kUnavailable:
    case StatusCode::kExhausted:
      return;
    default:
      violation("an unexpected error: " + status.to_string());
  }
}

void Process::check_waits() {
  if (dead_ || closing_) return;
  for (const Wait& wait : waits_) {
    if (wait.deadline <= scheduler_.now()) violation("a call waits past its deadline");
    const std::optional<std::int64_t> held = books_.held_ids(wait.tag);
    if (!held || *held < wait.count_ids) continue;
    if (wait.consecutive && books_.largest_held_range(wait.tag) < wait.count_ids) continue;
    violation("waits for ids that memory holds: " + wait.tag);
  }
  if (ids_ == nullptr || ++checks_ % 16 != 0) return;
  for (const TagStats& stats : ids_->stats()) {
    if (stats.tag == PeriodModel::kTag) continue;
    const std::optional<std::int64_t> held = books_.held_ids(stats.tag);
    if (held && *held != stats.held_ids) {
      violation("holds " + std::to_string(stats.held_ids) + " ids of " + stats.tag +
                " where it leased " + std::to_string(*held) + " more than it handed out");
    }
    check_rides_out(stats);
  }
}

// If the store went away now, the held ids would last for `hold` at the current rate. This is not
// checked during a lease or after a failed one, of whatever tag.
void Process::check_rides_out(const TagStats& stats) {
  if (books_.in_flight() || !stats.last_error.ok() || books_.last_call_failed()) return;
  if (books_.limited(stats.tag) || books_.strict(stats.tag)) return;
  const double burn_of_hold =
      stats.burn_ids_per_second * static_cast<double>(workload_.options.hold.count());
  // A small series holds half a step. The last call's ids are no longer held, but their burn is not
  // yet known.
  const std::int64_t slack_ids = ModelDatabase::kStepMax + 2 * kCallMax;
  if (static_cast<double>(stats.held_ids + slack_ids) >= burn_of_hold) return;
  violation("holds less than is used in a hold: " + stats.tag + " " +
            std::to_string(stats.held_ids) + " of " + std::to_string(burn_of_hold));
}

void Process::check_nobody_waits() {
  scheduler_.sleep(kInstant);
  for (const Wait& wait : waits_) {
    if (wait.began < scheduler_.now()) violation("a wait goes on after the end: " + wait.tag);
  }
}

void Process::check_tails_went_back(std::int64_t troubles_before, Span took) {
  const bool healthy = books_.no_trouble_since(troubles_before);
  const Span timeout = workload_.options.shutdown_timeout;
  if (!healthy || timeout < seconds(1)) return;
  if (took >= timeout) return violation("a shutdown on a healthy store took its whole timeout");
  // Calls that have taken ids and are about to return end first. The rows are read now because they
  // must not change meanwhile.
  const auto rows = database_.rows;
  scheduler_.sleep(kInstant);
  for (const std::string& tag : workload_.tags) {
    const IdRange tail = books_.unused_tail(tag);
    const auto row = rows.find(tag);
    if (tail.empty() || !books_.held_ids(tag) || row == rows.end()) continue;
    if (row->second.max_id != tail.last() || ledger_.is_doubtful(tag, tail.last())) continue;
    violation("a tail was not given back: " + tag + " [" + std::to_string(tail.first) + ", " +
              std::to_string(tail.end) + ")");
  }
}

void Process::check_serves(const std::string& tag, Instant deadline) {
  run_inside(
      [&] {
        Status status;
        do {
          call(tag, 1, milliseconds(100), [&] {
            Ids ids = as_ranges(ids_->sequence(tag)->next(milliseconds(100)));
            status = ids.status();
            return ids;
          });
          if (status.ok() || status.code() == StatusCode::kExhausted || books_.stopped(tag)) return;
          scheduler_.sleep(milliseconds(10));
        } while (scheduler_.now() < deadline);
        violation(tag + " serves no more: " + status.to_string());
      },
      kNever);
}

}  // namespace featherid::sim
