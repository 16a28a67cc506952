// SPDX-License-Identifier: MIT
#include "test/proof/sim/simulation.h"

#include <algorithm>
#include <sstream>

namespace featherid::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr int kFate = 0;  // the group of the fibers that belong to no process

int preempt_percent(Random& random) {
  return static_cast<int>(random.pick(0, 3) * random.pick(0, 10));
}

}  // namespace

void Tally::add(const Tally& other) {
  ids += other.ids;
  strict_calls += other.strict_calls;
  leases += other.leases;
  steps += other.steps;
  crashes += other.crashes;
  shutdowns += other.shutdowns;
  forks += other.forks;
  rewinds += other.rewinds;
  losses += other.losses;
  days += other.days;
  hours += other.hours;
}

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      period_random_(seed),
      scheduler_(random_, preempt_percent(random_)),
      database_(random_, period_random_, scheduler_, ledger_) {
  draw_options();
  if (seed % 4 == 0) database_.periods.turn_on();
}

Simulation::~Simulation() {
  scheduler_.kill_all();
  processes_.clear();
}

void Simulation::draw_options() {
  Random& r = random_;
  const auto coin = [&] { return r.percent(50); };
  database_.faults = {coin(),        coin(), coin(), r.percent(30), coin(),
                      r.percent(20), coin(), coin(), r.percent(30)};
  if (r.percent(20)) database_.faults = {};

  AllocatorOptions& options = workload_.options;
  options.wait_timeout = milliseconds(r.pick(1, 3000));
  options.hold = seconds(r.pick(1, 60));
  // Often too few for the callers, so that the tags compete for the refill threads.
  options.lease_max_ids = r.pick(1, coin() ? 200 : 5000);
  options.refill_threads = coin() ? 1 : static_cast<int>(r.pick(2, 4));
  options.backoff_min = milliseconds(r.pick(1, 50));
  options.backoff_max = milliseconds(r.pick(50, 2000));
  options.unknown_tag_ttl = milliseconds(r.pick(1, 3000));
  options.shutdown_timeout = milliseconds(r.percent(20) ? r.pick(0, 200) : r.pick(1000, 5000));

  const bool floors = coin();
  for (auto n = r.pick(1, 4); n > 0; --n) {
    workload_.tags.push_back("tag" + std::to_string(n));
    // Some series are near their end.
    const std::int64_t max_id = r.percent(5) ? kIdMax - r.pick(0, 5000) : 0;
    const std::int64_t cap =
        r.percent(10) ? max_id + std::min(kIdMax - max_id, r.pick(1, 5000)) : kIdMax;
    ModelDatabase::Row& row = database_.rows[workload_.tags.back()];
    row.max_id = max_id;
    row.step = r.pick(1, ModelDatabase::kStepMax);
    row.cap = cap;
    row.order = r.percent(25) ? TagOrder::kStrict : TagOrder::kPlain;
    if (row.order == TagOrder::kStrict) ledger_.becomes_strict(workload_.tags.back(), 0);
    if (floors && max_id == 0 && cap == kIdMax) {
      row.floor = {r.pick(1, 20) * r.pick(1, 200), 0, r.pick(1, 60), r.percent(10)};
    }
  }
  workload_.callers = static_cast<int>(r.pick(1, 4));
  const std::int64_t pauses_ms[] = {1, 20, 500, 5000};
  workload_.pause_max_ms = pauses_ms[r.pick(0, 3)];
  workload_.blocks = r.percent(20);
  workload_.ghosts = r.percent(20) ? 50 : 0;

  places_.resize(static_cast<std::size_t>(r.pick(1, 4)));
  steps_max_ = r.pick(500, 3500);
  life_max_ms_ = workload_.pause_max_ms * r.pick(10, 300);
  peace_max_ms_ = workload_.pause_max_ms * r.pick(1, 60);
}

std::string Simulation::options() const {
  const Faults& f = database_.faults;
  const AllocatorOptions& o = workload_.options;
  std::ostringstream text;
  text << "processes=" << places_.size() << " tags=" << workload_.tags.size()
       << " callers=" << workload_.callers << " refill_threads=" << o.refill_threads
       << " steps=" << steps_max_ << " pause_max_ms=" << workload_.pause_max_ms
       << " life_max_ms=" << life_max_ms_ << " peace_max_ms=" << peace_max_ms_
       << " blocks=" << workload_.blocks << " ghosts=" << workload_.ghosts
       << " wait_timeout_ms=" << o.wait_timeout.count() << " hold_s=" << o.hold.count()
       << " lease_max_ids=" << o.lease_max_ids << " backoff_ms=" << o.backoff_min.count() << ".."
       << o.backoff_max.count() << " unknown_tag_ttl_ms=" << o.unknown_tag_ttl.count()
       << " shutdown_timeout_ms=" << o.shutdown_timeout.count()
       << " before_commit=" << f.before_commit << " after_commit=" << f.after_commit
       << " late=" << f.late << " never=" << f.never << " outage=" << f.outage
       << " backwards=" << f.backwards << " small_leases=" << f.small_leases
       << " operators=" << f.operators << " clocks=" << f.clocks
       << " periods=" << database_.periods.is_on();
  return text.str();
}

Tally Simulation::tally() const {
  Tally tally = tally_;
  tally.ids = ledger_.ids();
  tally.strict_calls = ledger_.strict_calls();
  tally.rewinds = database_.rewinds();
  tally.losses = database_.losses();
  tally.days = database_.periods.days();
  for (const auto& process : processes_) tally.leases += process->books().leases();
  tally.hours =
      std::chrono::duration<double, std::ratio<3600>>(scheduler_.now().time_since_epoch()).count() -
      1;
  return tally;
}

void Simulation::trace_to(std::ostream& out) {
  ledger_.trace = [this, &out](const std::string& what) {
    const std::chrono::duration<double> time = scheduler_.now().time_since_epoch();
    out << std::fixed << time.count() << " " << what << "\n";
  };
}

std::string Simulation::run() {
  scheduler_.before_time_passes = [this] {
    for (Process* process : places_) {
      if (process != nullptr) process->check_waits();
    }
    const auto all_know = [this](std::int64_t version) {
      return std::all_of(places_.begin(), places_.end(), [version](const Process* process) {
        return process == nullptr || process->knows(version);
      });
    };
    ledger_.note_strict(all_know, scheduler_.now());
  };
  supervisors_ = static_cast<int>(places_.size());
  for (std::size_t place = 0; place < places_.size(); ++place) {
    scheduler_.spawn(kFate, [this, place] { supervise(place); });
  }
  scheduler_.spawn(kFate, [this] { operate(); });
  run_until(calm_, steps_max_);

  calm_ = true;
  database_.heal(workload_.tags);
  scheduler_.wake_all(&calm_);
  bool done = false;
  scheduler_.spawn(kFate, [this, &done] {
    check_liveness();
    done = true;
  });
  if (!run_until(done, 1000000)) ledger_.violation("the run does not end");
  return ledger_.violation();
}

bool Simulation::run_until(const bool& done, std::int64_t steps_max) {
  for (std::int64_t steps = 0; !done && ledger_.violation().empty(); ++steps) {
    if (steps == steps_max) return false;
    if (!scheduler_.step()) ledger_.violation("every thread waits for another");
    ++tally_.steps;
  }
  return true;
}

void Simulation::supervise(std::size_t place) {
  for (;;) {
    const int group = static_cast<int>(processes_.size()) + 1;
    processes_.push_back(std::make_unique<Process>(scheduler_, random_, database_, ledger_,
                                                   workload_, period_random_, group));
    Process& process = *processes_.back();
    process.start();
    places_[place] = &process;
    if (!calm_) {
      scheduler_.wait(&calm_, scheduler_.now() + milliseconds(random_.pick(0, life_max_ms_)));
    }
    if (calm_) break;
    if (random_.percent(20)) {
      ++tally_.forks;
      process.fork_child();
    }
    end_life(process);
    places_[place] = nullptr;
  }
  --supervisors_;
  scheduler_.wake_all(&supervisors_);
}

void Simulation::end_life(Process& process) {
  const std::int64_t chance = random_.pick(0, 99);
  if (chance < 40) {
    ++tally_.crashes;
    return process.crash();
  }
  ++tally_.shutdowns;
  chance < 80 ? process.shut_down() : process.destroy();
}

void Simulation::operate() {
  while (!calm_) {
    scheduler_.wait(&calm_, scheduler_.now() + milliseconds(random_.pick(0, peace_max_ms_)));
    if (!calm_) database_.disturb();
  }
}

void Simulation::check_liveness() {
  while (supervisors_ > 0) scheduler_.wait(&supervisors_);
  // The longest pauses, and the time of the calls under way and in the queue.
  const AllocatorOptions& options = workload_.options;
  const Instant deadline =
      scheduler_.now() + std::max(options.backoff_max, options.unknown_tag_ttl) + seconds(2);
  std::size_t left = 0;
  for (Process* process : places_) {
    if (database_.periods.is_on()) {
      ++left;
      scheduler_.spawn(kFate, [this, process, deadline, &left] {
        process->check_periods_serve(deadline);
        if (--left == 0) scheduler_.wake_all(&left);
      });
    }
    for (const std::string& tag : workload_.tags) {
      ++left;
      scheduler_.spawn(kFate, [this, process, &tag, deadline, &left] {
        process->check_serves(tag, deadline);
        if (--left == 0) scheduler_.wake_all(&left);
      });
    }
  }
  while (left > 0) scheduler_.wait(&left);
}

}  // namespace featherid::sim
