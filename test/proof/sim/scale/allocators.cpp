// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/proof/sim/random.h"
#include "test/proof/sim/scale/fleet.h"
#include "test/proof/sim/scheduler.h"

namespace featherid::sim {

namespace {

Span span(Seconds seconds) {
  return std::chrono::duration_cast<Span>(std::chrono::duration<double>(seconds));
}

std::string tag_name(int tag) { return "tag" + std::to_string(tag); }

// What all processes of a run share.
struct Run {
  Run(const FleetOptions& options_in, Scheduler& scheduler_in)
      : options(options_in), scheduler(scheduler_in), backend(options_in.backend) {}

  Seconds now() const { return std::chrono::duration<double>(scheduler.now() - began).count(); }
  void sleep_until(Seconds at) const { scheduler.sleep(span(std::max(0.0, at - now()))); }

  const FleetOptions& options;
  Scheduler& scheduler;
  const Instant began = scheduler.now();
  Backend backend;
  std::map<std::string, std::int64_t, std::less<>> max_ids;  // by tag
  FleetFigures figures;
};

// The store of one process.
class FleetStore final : public SegmentStore {
 public:
  explicit FleetStore(Run& run) : run_(run) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override {
    const Answer answer = run_.backend.lease(run_.now());
    run_.sleep_until(answer.at);
    if (!answer.ok) {
      ++run_.figures.failures;
      return Status(StatusCode::kUnavailable, "the database is busy");
    }
    std::int64_t& max_id = run_.max_ids[std::string(tag)];
    max_id += size.most_ids;
    run_.figures.note_lease(run_.now(), leased_.emplace(tag, true).second);
    return IdRange{max_id - size.most_ids + 1, max_id + 1};
  }

  Result<SegmentRow> find(std::string_view tag) override {
    ++run_.figures.reads;
    run_.scheduler.sleep(span(run_.options.backend.round_trip));
    return SegmentRow{std::string(tag), 0, run_.options.step};
  }

  Result<bool> give_back(std::string_view, IdRange) override { return false; }

 private:
  Run& run_;
  std::map<std::string, bool, std::less<>> leased_;
};

// One process: an allocator, and a thread that asks for one id after another, of each tag at its
// pace. If there is none it goes on.
void live(Run& run, int process) {
  SegmentAllocator ids(std::make_shared<FleetStore>(run), run.options.allocator);
  std::vector<std::pair<Seconds, int>> first_asked;
  for (int tag = 0; tag < run.options.tags; ++tag) {
    first_asked.emplace_back(run.options.first_asked(process, tag), tag);
  }
  std::sort(first_asked.begin(), first_asked.end());
  std::vector<Sequence> sequences;
  for (double turn = 0;; ++turn) {
    for (std::size_t i = 0; i < first_asked.size(); ++i) {
      const Seconds at = first_asked[i].first + turn / run.options.burn;
      if (at >= run.options.seconds) return;
      run.sleep_until(at);
      if (turn == 0) sequences.push_back(*ids.sequence(tag_name(first_asked[i].second)));
      static_cast<void>(sequences[i].try_next());
    }
  }
}

}  // namespace

FleetFigures run_allocators(const FleetOptions& options) {
  Random random(1);
  Scheduler scheduler(random, 0);
  Run run(options, scheduler);
  int living = options.processes;
  for (int process = 0; process < options.processes; ++process) {
    scheduler.spawn(process + 1, [&run, &living, process] {
      live(run, process);
      --living;
    });
  }
  while (living > 0 && scheduler.step()) continue;
  run.figures.refused = run.backend.refused();
  run.figures.timed_out = run.backend.timed_out();
  run.figures.under_way_most = run.backend.under_way_most();
  return std::move(run.figures);
}

}  // namespace featherid::sim
