// SPDX-License-Identifier: MIT
#include "test/sim/simulation.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace featherid::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Tally::add(const Tally& other) {
  ids += other.ids;
  steps += other.steps;
  leases += other.leases;
  crashes += other.crashes;
  shutdowns += other.shutdowns;
  forks += other.forks;
  rewinds += other.rewinds;
}

// --- IdSet ---

bool IdSet::add(IdRange range) {
  auto next = ranges_.lower_bound(range.first);
  if (next != ranges_.end() && next->first < range.end) return false;
  if (next != ranges_.begin()) {
    const auto previous = std::prev(next);
    if (previous->second > range.first) return false;
    if (previous->second == range.first) {
      previous->second = range.end;
      return true;
    }
  }
  ranges_.emplace(range.first, range.end);
  return true;
}

bool IdSet::contains(IdRange range) const {
  auto next = ranges_.upper_bound(range.first);
  while (next != ranges_.begin() && range.first < range.end) {
    const auto holder = std::prev(next);
    if (holder->second <= range.first) return false;
    range.first = holder->second;  // leases that touch are held as neighbours
    next = ranges_.upper_bound(range.first);
  }
  return range.first >= range.end;
}

void IdSet::remove_from(std::int64_t first) {
  ranges_.erase(ranges_.lower_bound(first), ranges_.end());
  if (!ranges_.empty() && ranges_.rbegin()->second > first) ranges_.rbegin()->second = first;
}

// --- the run ---

Simulation::Simulation(std::uint64_t seed)
    : random_(seed), database_(random_), clock_(std::make_shared<test::ManualClock>()) {
  const auto coin = [&] { return database_.roll(50); };
  database_.faults = {coin(), coin(), coin(), coin(), database_.roll(20), coin()};
  tags_ = static_cast<int>(database_.pick(1, 4));
  steps_ = static_cast<int>(database_.pick(100, 1500));
  const std::int64_t lease_max_ids = database_.pick(1, 5000);
  options_ = {milliseconds(database_.pick(1, 3000)),
              {seconds(database_.pick(1, 60)), lease_max_ids},
              milliseconds(database_.pick(1, 50)),
              milliseconds(database_.pick(50, 2000)),
              milliseconds(database_.pick(1, 3000))};
  for (int tag = 0; tag < tags_; ++tag) {
    // Some series are about to end.
    const std::int64_t max_id = database_.roll(5) ? kIdMax - database_.pick(0, 5000) : 0;
    database_.rows["tag" + std::to_string(tag)] = {max_id, database_.pick(1, 200)};
  }
  database_.remember();
  processes_.resize(static_cast<std::size_t>(database_.pick(1, 4)));
  for (auto& process : processes_) {
    process = std::make_unique<Process>();
    start(*process);
  }
}

Simulation::~Simulation() {
  for (auto& process : processes_) crash(*process);
}

std::string Simulation::options() const {
  const Faults& f = database_.faults;
  std::ostringstream text;
  text << "processes=" << processes_.size() << " tags=" << tags_ << " steps=" << steps_
       << " hold=" << options_.limits.hold.count()
       << "s lease_max_ids=" << options_.limits.lease_max_ids
       << " before_commit=" << f.before_commit << " after_commit=" << f.after_commit
       << " late=" << f.late << " outage=" << f.outage << " backwards=" << f.backwards
       << " operators=" << f.operators;
  return text.str();
}

std::string Simulation::run() {
  for (int i = 0; i < steps_ && violation_.empty(); ++i) {
    step(0);
    ++tally_.steps;
  }
  if (violation_.empty()) check_liveness();
  return violation_;
}

void Simulation::violation(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

std::string Simulation::any_tag() { return "tag" + std::to_string(database_.pick(0, tags_ - 1)); }

Simulation::Process& Simulation::any_process() {
  return *processes_[static_cast<std::size_t>(
      database_.pick(0, static_cast<std::int64_t>(processes_.size()) - 1))];
}

void Simulation::start(Process& process) {
  process.store = std::make_unique<ModelStore>(
      database_, [this, &process](std::string_view tag, IdRange range) {
        ++tally_.leases;
        // After a rewind a range may come again; the tag must then refuse it.
        static_cast<void>(process.tags.at(std::string(tag)).leased.add(range));
      });
  // The store belongs to the process, the refiller only uses it.
  process.refiller = std::make_shared<Refiller>(
      std::shared_ptr<SegmentStore>(process.store.get(), [](SegmentStore*) {}), clock_,
      LogCallback());
  for (int tag = 0; tag < tags_; ++tag) {
    const std::string name = "tag" + std::to_string(tag);
    process.tags[name].state =
        std::make_shared<TagState>(name, options_, clock_, process.refiller.get());
  }
}

void Simulation::crash(Process& process) {
  static_cast<void>(process.refiller->stop(Duration(0)));
  process.tags.clear();
  process.refiller.reset();
}

void Simulation::shut_down(Process& process) {
  ++tally_.shutdowns;
  ++process.calls;
  for (auto& [name, tag] : process.tags) tag.state->close();
  static_cast<void>(process.refiller->stop(Duration(0)));
  for (auto& [name, tag] : process.tags) {
    const IdRange tail = tag.state->take_tail();
    if (tail.empty()) continue;
    if (!tag.leased.contains(tail))
      violation("a tail that was never leased is given back: " + name);
    static_cast<void>(process.store->give_back(name, tail));
    if (tag.last_id >= tail.first) violation("a tail with issued ids is given back: " + name);
  }
  --process.calls;
  crash(process);
}

// In a real child of this process every tag must refuse.
void Simulation::fork_child(Process& process) {
  ++tally_.forks;
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool issued = false;
    for (auto& [name, tag] : process.tags) {
      issued = issued || tag.state->cursor().claim_one() != 0 || tag.state->try_take(1, 1).ok();
    }
    ::_exit(issued ? 1 : 0);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0) violation("a forked child issued an id");
}

void Simulation::step(int depth) {
  const auto percent = database_.pick(0, 999);
  if (percent < 20) {
    clock_->advance(milliseconds(database_.pick(1, 5000)));
  } else if (percent < 300) {
    clock_->advance(milliseconds(database_.pick(0, 20)));
  } else if (percent < 330) {
    disturb();
  } else {
    act(any_process(), depth);
  }
}

void Simulation::disturb() {
  Faults& faults = database_.faults;
  if (calm_) return;
  if (faults.outage && database_.roll(30)) database_.out = !database_.out;
  if (database_.roll(10)) database_.remember();
  if (faults.backwards && database_.roll(10)) {
    ++tally_.rewinds;
    database_.go_backwards();
  }
  if (!faults.operators) return;
  const std::string tag = any_tag();
  ModelDatabase::Row& row = database_.rows[tag];
  switch (database_.pick(0, 3)) {
    case 0:
      row.step = database_.pick(1, 200);
      break;
    case 1:
      row.step = 0;
      break;
    case 2:
      row.max_id += std::min(kIdMax - row.max_id, database_.pick(0, 1000));
      break;
    default:
      break;
  }
}

void Simulation::act(Process& process, int depth) {
  const auto percent = database_.pick(0, 999);
  const std::string tag = any_tag();
  if (percent < 5 && process.calls == 0) {
    ++tally_.crashes;
    crash(process);
    return start(process);
  }
  if (percent < 10 && process.calls == 0) {
    shut_down(process);
    return start(process);
  }
  if (percent == 10) return fork_child(process);
  if (percent < 350) {
    // The store call that comes of it may let others act in its middle, this process included.
    database_.meanwhile = [this, depth] {
      for (auto n = database_.pick(1, 5); depth < 3 && n > 0; --n) step(depth + 1);
    };
    ++process.calls;
    process.refiller->run_once();
    --process.calls;
    return;
  }
  if (percent < 400) {
    const std::int64_t count = database_.pick(1, 300);
    process.tags.at(tag).state->on_ready(count, milliseconds(database_.pick(0, 5000)),
                                         [](const Status&) {});
    return;
  }
  if (percent < 480) {
    const std::int64_t count = database_.pick(1, 300);
    return take(process, tag, count, count);
  }
  if (percent < 520) return take(process, tag, 1, database_.pick(1, 64));
  for (auto n = database_.pick(1, 40); n > 0; --n) take(process, tag, 1, 1);
}

void Simulation::take(Process& process, const std::string& name, std::int64_t least,
                      std::int64_t most) {
  TagModel& tag = process.tags.at(name);
  std::vector<IdRange> ranges;
  // One id comes from the cursor alone, as in Sequence::next().
  const std::int64_t fast = least == 1 && most == 1 ? tag.state->cursor().claim_one() : 0;
  if (fast != 0) {
    ranges.push_back({fast, fast + 1});
  } else if (auto taken = tag.state->try_take(least, most)) {
    ranges = *std::move(taken);
  } else {
    return;
  }
  std::int64_t count = 0;
  for (const IdRange range : ranges) {
    std::ostringstream at;
    at << name << " [" << range.first << ", " << range.end << ")";
    count += range.size();
    if (range.empty() || range.first <= tag.last_id) violation("out of order: " + at.str());
    tag.last_id = range.last();
    if (!tag.leased.contains(range)) violation("outside every committed lease: " + at.str());
    if (!tag.issued.add(range)) violation("twice in one process: " + at.str());
    // A rewound store can lead two processes to the same ids; no process alone can prevent that.
    if (!issued_[name].add(range) && !database_.faults.backwards) {
      violation("handed out twice: " + at.str());
    }
  }
  if (count < least || count > most) violation("a count that was not asked for: " + name);
  tally_.ids += count;
}

void Simulation::check_liveness() {
  calm_ = true;
  const bool rewound = tally_.rewinds > 0;
  database_.faults.before_commit = database_.faults.after_commit = database_.faults.late = false;
  database_.out = false;
  for (auto& [name, row] : database_.rows) row.step = std::max<std::int64_t>(1, row.step);
  for (auto& process : processes_) {
    for (auto& [name, tag] : process->tags) {
      bool served = false;
      Status status;
      // 100 ticks of 100 ms: more than every pause there is.
      for (int tick = 0; tick < 100 && !served; ++tick) {
        const std::int64_t before = tally_.ids;
        take(*process, name, 1, 1);
        served = tally_.ids > before;
        if (!served) status = tag.state->snapshot().error;
        clock_->advance(milliseconds(100));
        while (process->refiller->run_once()) continue;
      }
      if (served || status.code() == StatusCode::kExhausted) continue;
      if (status.code() == StatusCode::kDataLoss && rewound) continue;
      violation(name + " serves no more: " + status.to_string());
    }
  }
}

}  // namespace featherid::sim
