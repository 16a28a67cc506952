// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_PROCESS_H_
#define FEATHERID_TEST_PROOF_SIM_PROCESS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/proof/sim/books.h"
#include "test/proof/sim/model_store.h"
#include "test/proof/sim/random.h"
#include "test/proof/sim/scheduler.h"

namespace featherid::sim {

// What the processes of a run do.
struct Workload {
  AllocatorOptions options;
  std::vector<std::string> tags;
  int callers = 1;                // threads that use the allocator, in each process
  std::int64_t pause_max_ms = 0;  // between two calls of one of them
  bool blocks = false;            // they use LocalBlocks as well
  int ghosts = 0;                 // names they ask for that do not exist
};

// One life of one simulated process: a real SegmentAllocator with its refill threads, and the
// threads that call it, all fibers of one group. It checks what each call returns, and when.
//
// It must outlive all fibers. Methods are for fibers of other groups.
class Process {
 public:
  Process(Scheduler& scheduler, Random& random, ModelDatabase& database, Ledger& ledger,
          const Workload& workload, Random& of_periods, int group);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // Returns when the allocator exists and its callers run.
  void start();

  // Ends it as kill -9 does.
  void crash();
  // Ends it by shutdown(), or by a crash during a shutdown that takes very long.
  void shut_down();
  // Ends it by destroying the allocator while calls wait.
  void destroy();
  // Lets a real child of this program use the allocator, which must refuse.
  void fork_child();

  // Called when time is about to pass. Every call that waits now must have a reason.
  void check_waits();
  // Likewise for the tag with periods.
  void check_periods_serve(Instant deadline);
  // The tag must hand out an id by `deadline` or have a valid reason not to. Returns then.
  void check_serves(const std::string& tag, Instant deadline);

  const Books& books() const { return books_; }
  // Whether it obeys the change: it was told of it, or has started since.
  bool knows(std::int64_t version) const { return std::max(books_.told(), born_) >= version; }

 private:
  using Ids = Result<std::vector<IdRange>>;
  struct Wait;
  class CallUnderWay;

  // Ends everything that still runs in it.
  void end();
  void use(std::size_t caller);
  void use_once(std::size_t caller);
  // Calls for the tag with periods.
  void use_periods();
  void use_period_once(Sequence& daily);
  void check_period_ids(std::int64_t count_ids, const Result<PeriodRanges>& ids);
  void ask_by_name(const std::string& tag);
  void ask_for_ghost();
  void ask_for_consecutive(std::size_t tag);
  void park(std::size_t tag, bool consecutive = false);
  void take_from_block(std::size_t caller, std::size_t tag);
  void call(const std::string& tag, std::int64_t count_ids, Span timeout,
            const std::function<Ids()>& ask, bool consecutive = false);
  void check_ids(const std::string& tag, std::int64_t count_ids, const std::vector<IdRange>& ids,
                 const Books::Call& call, bool consecutive);
  void check_rides_out(const TagStats& stats);
  void check_error(const std::string& tag, const Status& status, bool in_time);
  // Runs `body` on a fiber of the process. False if it has not ended by then.
  bool run_inside(std::function<void()> body, Instant deadline);
  void check_tails_went_back(std::int64_t troubles_before, Span took);
  void check_nobody_waits();
  [[noreturn]] void be_child();
  void violation(const std::string& what);
  void trace(const std::string& what);

  Scheduler& scheduler_;
  Random& random_;
  Random& period_random_;
  ModelDatabase& database_;
  Ledger& ledger_;
  const Workload& workload_;
  const int group_;
  const std::string name_;

  const std::int64_t born_;  // the number of the last change before it started
  Books books_;
  PeriodBook period_book_;
  const std::shared_ptr<ModelStore> store_;
  std::unique_ptr<SegmentAllocator> ids_;
  std::vector<Sequence> sequences_;              // by tag
  std::vector<std::vector<LocalBlock>> blocks_;  // by caller, by tag
  std::list<Wait> waits_;                        // calls and callbacks under way
  bool closing_ = false;                         // its end has begun
  bool down_ = false;                            // shutdown() has returned
  bool leaving_ = false;                         // callers make no more calls
  bool dead_ = false;
  std::int64_t checks_ = 0;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_PROCESS_H_
