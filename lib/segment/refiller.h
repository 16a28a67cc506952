// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_REFILLER_H_
#define FEATHERID_LIB_SEGMENT_REFILLER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "featherid/log.h"
#include "featherid/segment_store.h"
#include "featherid/stats.h"
#include "lib/base/clock.h"
#include "lib/base/log_sink.h"
#include "lib/base/mutex.h"
#include "lib/base/platform.h"
#include "lib/segment/tag_state.h"

namespace featherid {

// Calls the store for the tags, on its own threads: takes the tag whose refill is due first, asks
// the store, and tells the tag. A tag is in the queue at most once, and never while it is in
// flight. Known tags, whose row has been seen, take turns with unknown ones. So a flood of tags
// that do not exist costs the others at most every second call, and tags that never have enough do
// not keep a new one from its first lease.
//
// It is shared: stop() leaves a thread behind whose store call does not return, and that thread
// keeps the refiller and the store alive.
class Refiller final : public RefillQueue, public std::enable_shared_from_this<Refiller> {
 public:
  Refiller(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Clock> clock,
           LogCallback log);
  ~Refiller() override;

  // What to do with the changes of tags, or with kDataLoss: called on a thread of the refiller, and
  // must not throw. Call it before start(). From the first request on the store is asked for them
  // every kAskForChangesEvery. (Without it, never.)
  using OnChanges = std::function<void(const Result<TagChanges>&)>;
  void on_changes(OnChanges callback) { on_changes_ = std::move(callback); }
  static constexpr std::chrono::seconds kAskForChangesEvery{20};

  // While the store fails several tags, one call after another, all tags pause together: like one
  // tag, for `min` at first and for `max` at most. Otherwise each of a thousand tags would try
  // again on its own, and each of ten thousand processes would call an overloaded store a thousand
  // times a second. `seed` differs between processes. Call it before start(). (Without it, never.)
  void pause_together(Duration min, Duration max, std::uint32_t seed);

  void request(std::shared_ptr<TagState> tag, TimePoint due) override EXCLUDES(mutex_);
  void sweep(std::shared_ptr<TagState> tag, TimePoint due) override EXCLUDES(mutex_);
  Status trouble() const override EXCLUDES(mutex_);

  // Asks for changes if that is due, sweeps a tag, or serves the first tag in the queue that is
  // due. False if nothing is.
  bool run_once() EXCLUDES(mutex_);

  // When the next tag in the queue is due.
  std::optional<TimePoint> next_due() const EXCLUDES(mutex_);

  LeaseLatency lease_latency() const EXCLUDES(mutex_);

  // Starts fewer threads than asked for if the machine allows no more. kUnavailable: it allows
  // none.
  Status start(int threads) EXCLUDES(mutex_);

  // Accepts no more work, and waits until no thread is in a store call. True: the threads have
  // ended. False: `timeout` passed first, and the threads end when their calls do. In both cases
  // the log callback is not called any more.
  //
  // If called in a callback on one of its threads, it waits only for the others. If called in a
  // store call on one of them, it returns false at once.
  bool stop(Duration timeout) EXCLUDES(mutex_);

 private:
  struct Job {
    TimePoint due;
    std::uint64_t number;  // among equally due jobs, first come, first served
    std::shared_ptr<TagState> tag;
    bool operator<(const Job& other) const {  // std::priority_queue serves the largest
      return due != other.due ? due > other.due : number > other.number;
    }
  };

  void run() EXCLUDES(mutex_);
  std::shared_ptr<TagState> pop_due() REQUIRES(mutex_);
  std::optional<TimePoint> next_due_locked() const REQUIRES(mutex_);
  // What a thread does next.
  struct Work {
    enum { kAskForChanges, kSweep, kRefill } kind;
    std::shared_ptr<TagState> tag;
  };
  std::optional<Work> pop_work() REQUIRES(mutex_);
  void run(const Work& work) EXCLUDES(mutex_);
  void ask_for_changes() noexcept EXCLUDES(mutex_);
  void refill(TagState& tag) noexcept EXCLUDES(mutex_);
  template <typename T, typename Call>
  Result<T> ask_store(Call call) noexcept;
  void note_look() EXCLUDES(mutex_);
  void note_lease_latency(Duration latency) EXCLUDES(mutex_);
  void note_answer(const TagState& tag, const Status& status) EXCLUDES(mutex_);
  void end_pause() REQUIRES(mutex_);
  void log_outcome(const TagState& tag, const TagState::RefillOutcome& outcome);
  void log_lead(const TagState& tag, double lead_seconds);
  void log_near_end(const TagState& tag, const SeriesWatch::Warning& warning);

  // Constant after start().
  const std::shared_ptr<SegmentStore> store_;
  const std::shared_ptr<const Clock> clock_;
  OnChanges on_changes_;
  Duration pause_min_{0};
  Duration pause_max_{0};

  LogSink log_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::priority_queue<Job> jobs_ GUARDED_BY(mutex_);     // of known tags
  std::priority_queue<Job> lookups_ GUARDED_BY(mutex_);  // of unknown tags
  std::priority_queue<Job> sweeps_ GUARDED_BY(mutex_);
  bool lookups_turn_ GUARDED_BY(mutex_) = false;
  std::uint64_t next_number_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  LeaseLatency lease_latency_ GUARDED_BY(mutex_);
  // Since the last successful call. The tag is only compared, never read.
  Status failure_ GUARDED_BY(mutex_);
  const TagState* failed_first_ GUARDED_BY(mutex_) = nullptr;
  bool failed_others_ GUARDED_BY(mutex_) = false;
  int pauses_ GUARDED_BY(mutex_) = 0;            // in a row
  TimePoint paused_until_ GUARDED_BY(mutex_){};  // no tag has its turn before
  std::minstd_rand random_ GUARDED_BY(mutex_);
  bool requested_ GUARDED_BY(mutex_) = false;                    // anything yet
  TimePoint changes_due_ GUARDED_BY(mutex_) = TimePoint::max();  // max: also while asking
  // Up to which change this process knows. -1: it has no answer yet.
  std::int64_t changes_known_ GUARDED_BY(mutex_) = -1;
  bool looked_unasked_ GUARDED_BY(mutex_) = false;  // at a tag, before the first answer
  int calling_ GUARDED_BY(mutex_) = 0;              // threads that are serving a tag
  std::vector<platform::Thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_REFILLER_H_
