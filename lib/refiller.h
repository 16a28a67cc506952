// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_REFILLER_H_
#define FEATHERID_LIB_REFILLER_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/segment_store.h"
#include "lib/clock.h"
#include "lib/exception_text.h"
#include "lib/log_sink.h"
#include "lib/mutex.h"
#include "lib/platform.h"
#include "lib/tag_state.h"

namespace featherid {

// A store is somebody else's code: what it throws becomes the error of that one call.
template <typename T, typename Call>
Result<T> call_store(Call call) noexcept {
  try {
    try {
      return call();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      return Status(StatusCode::kUnavailable, std::string("the store threw: ") + text_of(e));
    } catch (...) {
      return Status(StatusCode::kUnavailable,
                    "the store threw something that is no std::exception");
    }
  } catch (const std::bad_alloc&) {  // in the store, or while its error was put into words
    return internal::out_of_memory(StatusCode::kUnavailable);
  }
}

// Does the store's I/O for the tags, on threads of its own: takes the tag whose refill is due
// first, asks the store, tells the tag. A tag is in the queue at most once and never while it is in
// flight. Tags whose row has been seen and the other names take turns: a flood of names that are no
// tags costs the tags every second call at most, and tags that never have enough do not keep a new
// one from its first lease.
//
// It is shared: a thread whose store call never returns is left behind by stop() and keeps the
// refiller and the store alive until it does.
class Refiller final : public RefillQueue, public std::enable_shared_from_this<Refiller> {
 public:
  Refiller(std::shared_ptr<SegmentStore> store, std::shared_ptr<const Clock> clock,
           LogCallback log);
  ~Refiller() override;

  void request(std::shared_ptr<TagState> tag, TimePoint due) override EXCLUDES(mutex_);
  Status trouble() const override EXCLUDES(mutex_);

  // Serves the first tag in the queue that is due. False when none is.
  bool run_once() EXCLUDES(mutex_);

  // When the next tag in the queue is due.
  std::optional<TimePoint> next_due() const EXCLUDES(mutex_);

  LeaseLatency lease_latency() const EXCLUDES(mutex_);

  // With fewer threads than asked for where the machine gives no more; kUnavailable when it gives
  // none.
  Status start(int threads) EXCLUDES(mutex_);

  // Takes no more work, and waits until no thread is in a store call: true, and the threads have
  // ended. False when `timeout` passed first; the threads then end when their calls do. Either way
  // the log callback is not called any more.
  //
  // In a callback on one of its threads it waits for the others only. In a store call on one of
  // them it answers false at once.
  bool stop(Duration timeout) EXCLUDES(mutex_);

 private:
  struct Job {
    TimePoint due;
    std::uint64_t number;  // of equally due jobs the first come is first served
    std::shared_ptr<TagState> tag;
    bool operator<(const Job& other) const {  // std::priority_queue serves the largest
      return due != other.due ? due > other.due : number > other.number;
    }
  };

  void run() EXCLUDES(mutex_);
  std::shared_ptr<TagState> pop_due() REQUIRES(mutex_);
  std::optional<TimePoint> next_due_locked() const REQUIRES(mutex_);
  void refill(TagState& tag) noexcept EXCLUDES(mutex_);
  template <typename T, typename Call>
  Result<T> ask_store(Call call) noexcept;
  void note_lease_latency(Duration latency) EXCLUDES(mutex_);
  void note_answer(const TagState& tag, const Status& status) EXCLUDES(mutex_);
  void log_outcome(const TagState& tag, const TagState::RefillOutcome& outcome);

  // Constant after construction.
  const std::shared_ptr<SegmentStore> store_;
  const std::shared_ptr<const Clock> clock_;

  LogSink log_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::priority_queue<Job> jobs_ GUARDED_BY(mutex_);     // of tags whose row has been seen
  std::priority_queue<Job> lookups_ GUARDED_BY(mutex_);  // of the other names
  bool lookups_turn_ GUARDED_BY(mutex_) = false;
  std::uint64_t next_number_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  LeaseLatency lease_latency_ GUARDED_BY(mutex_);
  // Since a call last succeeded; the tag is never looked into.
  Status failure_ GUARDED_BY(mutex_);
  const TagState* failed_first_ GUARDED_BY(mutex_) = nullptr;
  bool failed_others_ GUARDED_BY(mutex_) = false;
  int calling_ GUARDED_BY(mutex_) = 0;  // threads that serve a tag just now
  std::vector<platform::Thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_REFILLER_H_
