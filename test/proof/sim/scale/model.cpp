// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <queue>
#include <random>

#include "lib/segment/refill_policy.h"
#include "test/proof/sim/scale/fleet.h"

namespace featherid::sim {

namespace {

constexpr Seconds kRowTtl = 60;  // as in lib/segment/tag_state.cpp

Duration duration(Seconds seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// One tag of one process. The names are those of TagState.
struct Tag {
  explicit Tag(Duration hold) : burn(hold) {}

  BurnMeter burn;
  Seconds burn_at = 0;
  Seconds chunk_at = 0;  // when its first id was, or will be, used
  Seconds retry_at = 0;
  Seconds flight_at = 0;  // when the lease under way was sent
  Seconds row_due_at = -1;
  std::int32_t chunk_size = 0;
  // The ranges behind the cursor. Others lease in between, so they do not adjoin. More than so many
  // are rare; then the last ones count as one.
  std::array<std::int32_t, 3> ranges{};
  std::int32_t used_ids = 0;  // of the stock, past the cursor
  std::int32_t last_lease_ids = 0;
  std::int32_t asked_ids = 0;
  float lease_seconds = 0;  // how long the last one took
  std::int16_t failures = 0;
  bool flight = false;    // queued, or under way
  bool lease_ok = false;  // how the lease under way ends
  bool known = false;     // the row has been read
  bool dry = false;
  bool missed = false;  // somebody found no ids, since the last flight
  bool asking = false;  // somebody finds no ids whenever he asks
};

std::int32_t stock_ids(const Tag& tag) { return tag.ranges[0] + tag.ranges[1] + tag.ranges[2]; }

void add_range(Tag& tag, std::int32_t count_ids) {
  const auto free = std::find(tag.ranges.begin(), tag.ranges.end() - 1, 0);
  *free += count_ids;
}

void take_from_front(Tag& tag, std::int32_t count_ids) {
  tag.ranges[0] -= count_ids;
  if (tag.ranges[0] == 0) tag.ranges = {tag.ranges[1], tag.ranges[2], 0};
}

struct Process {
  std::deque<std::uint32_t> jobs;     // due tags whose rows are known
  std::deque<std::uint32_t> lookups;  // and unknown ones
  bool lookups_turn = false;
  bool failed_others = false;
  int idle = 0;  // refill threads
  int pauses = 0;
  std::int64_t failed_first = -1;  // a tag
  Seconds paused_until = 0;
};

class Model {
 public:
  explicit Model(const FleetOptions& options)
      : options_(options),
        limits_{options.allocator.hold, options.allocator.lease_max_ids},
        period_(1 / options.burn),
        backend_(options.backend),
        tags_(static_cast<std::size_t>(options.processes) * static_cast<std::size_t>(options.tags),
              Tag(options.allocator.hold)),
        processes_(static_cast<std::size_t>(options.processes)) {
    for (Process& process : processes_) process.idle = options.allocator.refill_threads;
    std::vector<Event> events;
    events.reserve(tags_.size() + tags_.size() / 4);
    for (std::size_t i = 0; i < tags_.size(); ++i) {
      const int process = static_cast<int>(i) / options.tags;
      const int tag = static_cast<int>(i) % options.tags;
      tags_[i].chunk_at = options.first_asked(process, tag);
      events.push_back({tags_[i].chunk_at, static_cast<std::uint32_t>(i), Event::kAsked});
    }
    events_ = Events(std::greater<>(), std::move(events));
  }

  FleetFigures run() {
    while (!events_.empty() && events_.top().at < options_.seconds) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      Tag& tag = tags_[event.tag];
      switch (event.kind) {
        case Event::kAsked:
          ask(tag, event.tag);
          break;
        case Event::kDue:
          queue(tag, event.tag);
          break;
        case Event::kRowRead:
          accept_row(tag, event.tag);
          break;
        case Event::kLeased:
          end_refill(tag, event.tag);
          break;
        case Event::kPauseOver:
          work(process_of(event.tag));
          break;
      }
    }
    figures_.refused = backend_.refused();
    figures_.timed_out = backend_.timed_out();
    figures_.under_way_most = backend_.under_way_most();
    return figures_;
  }

 private:
  struct Event {
    // kAsked: a caller finds the cursor empty. kDue: the tag comes into the refiller's queue.
    // kPauseOver: of the tag's process.
    enum Kind : std::uint8_t { kAsked, kDue, kRowRead, kLeased, kPauseOver };
    Seconds at;
    std::uint32_t tag;
    Kind kind;
    bool operator>(const Event& other) const { return at > other.at; }
  };
  using Events = std::priority_queue<Event, std::vector<Event>, std::greater<>>;

  // --- as a caller of TagState ---

  void ask(Tag& tag, std::uint32_t number) {
    reclaim_chunk(tag);
    if (stock_ids(tag) == 0) {
      tag.dry = tag.missed = tag.asking = true;
      tag.chunk_at = now_;
      return request_refill(tag, number, now_);
    }
    take_from_front(tag, 1);
    ++tag.used_ids;
    tag.asking = false;
    publish_chunk(tag, number, now_ + period_);
    request_refill(tag, number, now_);
  }

  // The chunk has been used up.
  void reclaim_chunk(Tag& tag) {
    if (tag.chunk_size == 0) return;
    const std::int64_t used = tag.chunk_size + tag.used_ids;
    if (!tag.dry || used > 0) tag.burn.add(used, duration(now_ - tag.burn_at));
    tag.burn_at = now_;
    tag.chunk_size = tag.used_ids = 0;
  }

  // The next caller comes at `next`.
  void publish_chunk(Tag& tag, std::uint32_t number, Seconds next) {
    tag.chunk_size = static_cast<std::int32_t>(std::min<std::int64_t>(
        chunk_ids(limits_, options_.step, tag.burn.ids_per_second()), tag.ranges[0]));
    take_from_front(tag, tag.chunk_size);
    tag.chunk_at = next;
    events_.push({next + tag.chunk_size * period_, number, Event::kAsked});
  }

  std::int32_t left_in_chunk(const Tag& tag) const {
    if (now_ < tag.chunk_at) return tag.chunk_size;
    const double used = std::floor((now_ - tag.chunk_at) / period_ + 1e-6) + 1;
    return static_cast<std::int32_t>(std::max(0.0, tag.chunk_size - used));
  }

  std::int64_t refill_due_ids(const Tag& tag) const {
    RefillState state;
    state.step = options_.step;
    state.stock_ids = stock_ids(tag) + left_in_chunk(tag);
    state.wanted_ids = tag.missed ? 1 : 0;
    state.last_lease_ids = tag.last_lease_ids;
    state.burn_ids_per_second = tag.burn.ids_per_second();
    state.lease_latency = duration(tag.lease_seconds);
    return ids_to_lease(limits_, state);
  }

  void request_refill(Tag& tag, std::uint32_t number, Seconds due) {
    if (tag.flight) return;
    if (tag.known && tag.failures == 0 && refill_due_ids(tag) == 0) return;
    tag.flight = true;
    if (tag.failures > 0) due = std::max(due, tag.retry_at);
    if (due > now_) return events_.push({due, number, Event::kDue});
    queue(tag, number);
  }

  // --- as a Refiller ---

  void queue(const Tag& tag, std::uint32_t number) {
    Process& process = process_of(number);
    (tag.known ? process.jobs : process.lookups).push_back(number);
    work(process);
  }

  // Gives the idle threads what is in the queue.
  void work(Process& process) {
    while (process.idle > 0 && now_ >= process.paused_until &&
           !(process.jobs.empty() && process.lookups.empty())) {
      const bool lookup =
          !process.lookups.empty() && (process.lookups_turn || process.jobs.empty());
      std::deque<std::uint32_t>& jobs = lookup ? process.lookups : process.jobs;
      process.lookups_turn = !lookup;
      --process.idle;
      const std::uint32_t number = jobs.front();
      jobs.pop_front();
      begin_refill(tags_[number], number);
    }
  }

  void begin_refill(Tag& tag, std::uint32_t number) {
    if (now_ < tag.row_due_at) return lease(tag, number);
    ++figures_.reads;
    events_.push({now_ + options_.backend.round_trip, number, Event::kRowRead});
  }

  void note_answer(Process& process, std::uint32_t number, bool ok) {
    if (ok) {
      process.failed_first = -1;
      process.failed_others = false;
      process.pauses = 0;
      process.paused_until = 0;
      return;
    }
    process.failed_others =
        process.failed_others || (process.failed_first >= 0 && process.failed_first != number);
    if (process.failed_first < 0) process.failed_first = number;
    if (!process.failed_others) return;
    process.paused_until = now_ + pause(++process.pauses);
    events_.push({process.paused_until, number, Event::kPauseOver});
  }

  // The pause after so many failures.
  Seconds pause(int failures) {
    const AllocatorOptions& options = options_.allocator;
    return std::chrono::duration<double>(
               backoff(options.backoff_min, options.backoff_max, failures, random_))
        .count();
  }

  void accept_row(Tag& tag, std::uint32_t number) {
    tag.known = true;
    tag.row_due_at = now_ + kRowTtl;
    lease(tag, number);
  }

  void lease(Tag& tag, std::uint32_t number) {
    tag.asked_ids = static_cast<std::int32_t>(refill_due_ids(tag));
    tag.flight_at = now_;
    const Answer answer = tag.asked_ids > 0 ? backend_.lease(now_) : Answer{now_, true};
    tag.lease_ok = answer.ok;
    events_.push({answer.at, number, Event::kLeased});
  }

  void end_refill(Tag& tag, std::uint32_t number) {
    Process& process = process_of(number);
    note_answer(process, number, tag.lease_ok);
    tag.flight = tag.missed = false;
    if (tag.lease_ok) {
      take_in(tag, number);
      request_refill(tag, number, now_);
    } else {
      ++figures_.failures;
      ++tag.failures;
      tag.retry_at = now_ + pause(tag.failures);
      // Whoever asks meanwhile finds no ids again.
      tag.missed = tag.asking;
      request_refill(tag, number, now_);
    }
    ++process.idle;
    work(process);
  }

  void take_in(Tag& tag, std::uint32_t number) {
    tag.failures = 0;
    if (tag.asked_ids == 0) return;
    figures_.note_lease(now_, tag.last_lease_ids == 0);
    if (tag.dry) tag.burn_at = now_;
    tag.dry = false;
    add_range(tag, tag.asked_ids);
    tag.last_lease_ids = tag.asked_ids;
    tag.lease_seconds = static_cast<float>(now_ - tag.flight_at);
    if (!tag.asking) return;  // a caller finds the cursor empty later, and puts in a chunk
    tag.asking = false;
    reclaim_chunk(tag);
    publish_chunk(tag, number, next_asked(tag));
  }

  // When the next caller comes, of those who have found no ids since chunk_at.
  Seconds next_asked(const Tag& tag) const {
    return tag.chunk_at + std::max(0.0, std::ceil((now_ - tag.chunk_at) / period_)) * period_;
  }

  Process& process_of(std::uint32_t number) {
    return processes_[number / static_cast<std::uint32_t>(options_.tags)];
  }

  const FleetOptions options_;
  const RefillLimits limits_;
  const Seconds period_;  // between two ids
  Backend backend_;
  std::vector<Tag> tags_;
  std::vector<Process> processes_;
  Events events_;
  std::minstd_rand random_{1};
  FleetFigures figures_;
  Seconds now_ = 0;
};

}  // namespace

FleetFigures run_model(const FleetOptions& options) { return Model(options).run(); }

}  // namespace featherid::sim
