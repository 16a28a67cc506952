// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_TAG_STATE_H_
#define FEATHERID_LIB_SEGMENT_TAG_STATE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/internal/fork_guard.h"
#include "featherid/internal/id_cursor.h"
#include "featherid/period.h"
#include "featherid/segment_store.h"
#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/segment/period_stock.h"
#include "lib/segment/refill_policy.h"
#include "lib/segment/series_watch.h"

namespace featherid {

class TagState;

// How the ids of one call may lie.
enum class Shape {
  kAny,       // in a few ranges
  kOneRange,  // consecutive
};

// Where a tag requests a refill. It is called with the tag's mutex held, so it must not call the
// tag.
class RefillQueue {
 public:
  virtual ~RefillQueue() = default;
  // May throw std::bad_alloc; then nothing was queued.
  virtual void request(std::shared_ptr<TagState> tag, TimePoint due) = 0;
  // Calls the tag's sweep() then. Likewise.
  virtual void sweep(std::shared_ptr<TagState> tag, TimePoint due) = 0;
  // The error that the store now returns for every tag; OK if some tags are served.
  virtual Status trouble() const = 0;
};

struct TagStateOptions {
  Duration wait_timeout;
  RefillLimits limits;
  Duration backoff_min;
  Duration backoff_max;
  Duration unknown_tag_ttl;
  std::uint32_t seed = 0;  // for the back-off's jitter; differs between processes
};

// The state of a tag at one moment, for stats.
struct TagSnapshot {
  std::int64_t issued_ids = 0;
  std::int64_t held_ids = 0;
  std::int64_t returned_ids = 0;
  double burn_ids_per_second = 0;
  std::int64_t leases = 0;
  std::int64_t lease_failures = 0;
  std::int64_t waits = 0;
  Duration lease_latency{0};
  std::int64_t cap = kIdMax;
  bool strict = false;
  std::int64_t max_id = 0;
  double series_ids_per_second = 0;
  TimeFloor floor;
  double lead_seconds = 0;
  Period period;  // the present one, of a tag that has periods
  Status error;
};

// One tag: the cursor that issues, the stock of leased ids behind it, and the waiting callers. It
// does no I/O. Callers take ids; a refiller calls begin_refill … end_refill, one flight at a time.
//
// A tag with periods has one of these for all its periods. Its ids come from `periods_`, under the
// mutex, and never through the cursor.
//
// Threads: all methods from any thread. After close(), and in a child after fork(), it only returns
// kFailedPrecondition.
//
// Memory: the callers' methods may throw std::bad_alloc, which costs at most the ids of that call.
// The refiller's methods and close() never throw; without memory they do less.
class alignas(64) TagState : public std::enable_shared_from_this<TagState> {
 public:
  // `queue` must exist until close().
  TagState(std::string tag, const TagStateOptions& options, std::shared_ptr<const Clock> clock,
           RefillQueue* queue);

  const std::string& tag() const { return tag_; }
  internal::IdCursor& cursor() { return cursor_; }

  // Whether the tag's row has been seen.
  bool known() const { return known_.load(std::memory_order_relaxed); }  // a hint: no partner

  // --- callers ---

  // Whether the tag has periods, as far as this process knows.
  bool has_period() const { return has_period_.load(std::memory_order_relaxed); }  // likewise

  // Between `least` and `most` ids, in increasing order. take waits up to `timeout` (absent: the
  // option wait_timeout), try_take never does. Errors as in sequence.h.
  // kOneRange requires least == most.
  Result<std::vector<IdRange>> take(std::int64_t least, std::int64_t most,
                                    std::optional<Duration> timeout, Shape shape = Shape::kAny);
  Result<std::vector<IdRange>> try_take(std::int64_t least, std::int64_t most,
                                        Shape shape = Shape::kAny);

  using Callback = std::function<void(Result<std::vector<IdRange>>)>;
  void take_async(std::int64_t count_ids, Duration timeout, Callback callback,
                  Shape shape = Shape::kAny);

  // The same for a tag with periods, of which the others are refused: `count_ids` ids of the
  // present period.
  Result<PeriodRanges> take_in_period(std::int64_t count_ids, std::optional<Duration> timeout);
  Result<PeriodRanges> try_take_in_period(std::int64_t count_ids);
  using PeriodCallback = std::function<void(Result<PeriodRanges>)>;
  void take_in_period_async(std::int64_t count_ids, Duration timeout, PeriodCallback callback);

  // Calls back with a final error. Inside a callback that was itself refused it does nothing: a
  // callback that asks again each time would never end.
  template <typename AnyCallback>
  void refuse(const AnyCallback& callback, const Status& why) const;

  TagSnapshot snapshot() const;
  bool holds_ids() const;

  // --- the refiller ---

  // False if there is nothing (left) to do.
  bool begin_refill();
  // The row is unknown, or was read so long ago that its step may have changed. Or the last flight
  // failed, and this one asks for no ids but must still see the store answer.
  bool needs_row(std::int64_t asked_ids) const;
  // Takes in the row that was found. Pass an error (a row that cannot be served) to end_refill.
  Status accept_row(const SegmentRow& row);
  // How much to lease now. most_ids 0: nothing, or nothing yet. If the tag has strict order, the
  // lease is for the callers that wait at this moment.
  LeaseSize lease_size();
  // Of which period; nothing: the tag has none.
  std::optional<Period> lease_period() const;
  // A tag whose leases the store may refuse while it serves others.
  bool follows_clock() const;

  struct RefillOutcome {
    Status status;            // of this refill; kDataLoss if the range was refused
    int failures_before = 0;  // in a row, before this one, without "no such tag"
    std::optional<SeriesWatch::Warning> near_end;
    std::optional<double> lead_seconds;  // the lead has become longer than lead_max
  };
  // Takes in the store's answer to a lease of `asked_ids`. 0: none was tried, and `leased` is empty
  // or holds the error of another call.
  RefillOutcome end_refill(std::int64_t asked_ids, Result<IdRange> leased, Duration latency);

  // Drops ids of a tag with a time floor that were leased two holds ago, so that ids sort by time.
  // If the tag is in use, a new lease replaces them: they can still be used until it comes. For a
  // tag with periods in use: leases the first ids of the next one.
  void sweep();

  // Drops all held ids if one of them, or of the lease under way, is above `max_id`, and asks for
  // others. So a tag that was removed is known to be gone before anybody wants its ids. The row has
  // changed, too.
  void limit(std::int64_t max_id);
  // Drops all held ids, also of the lease under way, and asks for none until a caller comes.
  void drop();
  // Drops all held ids, and answers every call with `reason` from now on.
  void stop_for(const Status& reason);

  // --- shutdown ---

  // Stops issuing and ends every wait. Idempotent.
  void close();
  // After close(): unused ids at the end of the newest lease of a series, which may be given back.
  // Empty: there are none (left).
  using Tail = PeriodStock::Tail;
  Tail take_tail();
  void note_returned(std::int64_t count_ids);

 private:
  enum class Flight { kNone, kQueued, kFlying };

  // A caller that waits for ids: a thread in take(), or a callback. Members are the tag's mutex's,
  // except where they say otherwise.
  struct Waiter;
  // Lists, so that ending a wait needs no memory. Shared: a thread may see the end of its wait, and
  // leave, while it is still being woken.
  using Waiters = std::list<std::shared_ptr<Waiter>>;
  struct Waiter {
    Waiter(std::int64_t least, std::int64_t most, Shape shape_in);
    Waiter(std::int64_t count, Shape shape_in, Callback callback_in);
    Waiter(std::int64_t count, PeriodCallback callback_in);

    const std::int64_t least_ids;
    const std::int64_t most_ids;
    const Shape shape;
    const bool is_thread;
    Callback callback;
    PeriodCallback period_callback;  // instead of it
    bool in_period = false;          // it wants ids of the present period
    PeriodStock::Taken taken;        // which one, if it does
    TimePoint deadline{};
    std::vector<IdRange>
        ranges;             // what it gets. It has room for one, so that giving it never fails
    Status verdict;         // why it gets none; OK if it does
    bool on_board = false;  // the lease under way was asked for it: strict order
    bool in_line = false;   // it is in waiting_, at `place`
    Waiters::iterator place{};

    Mutex mutex;  // a mutex of its own, so that a thread that is woken does not wait for the others
    CondVar changed;
    bool ended GUARDED_BY(mutex) = false;  // a thread's wait is over, and its answer is there
  };
  // Leased ids and, for a tag with a time floor, when.
  struct Held : IdRange {
    TimePoint leased_at;
  };

  static Result<std::vector<IdRange>> result_of(Waiter& waiter);
  Status try_take(Waiter& self) EXCLUDES(mutex_);
  // Waits until the caller has an answer.
  void await(const std::shared_ptr<Waiter>& self, std::optional<Duration> timeout) EXCLUDES(mutex_);
  void await_async(const std::shared_ptr<Waiter>& self, Duration timeout) EXCLUDES(mutex_);
  void call(Waiter& waiter) const;
  void refuse(const Waiter& waiter, const Status& why) const;
  // Why ids of a period that the caller has taken may no longer be given to it; OK if they may.
  Status lateness(const Waiter& waiter) const;
  // Wakes the threads and calls back, once the mutex is free.
  void run(Waiters ended) EXCLUDES(mutex_);
  static void wake(Waiter& waiter);

  Status forked_status() const;
  bool take_locked(Waiter& waiter) REQUIRES(mutex_);
  // Gives up what is held below the first range of this size. False if there is none.
  bool skip_to_range(std::int64_t count_ids) REQUIRES(mutex_);
  // Moves what is left in the cursor back into the stock, and measures what was used.
  void reclaim_chunk() REQUIRES(mutex_);
  void publish_chunk() REQUIRES(mutex_);
  // False if there is no memory to note the range, which is then lost.
  bool add_to_stock(IdRange range, TimePoint now) REQUIRES(mutex_);
  // Takes in a lease; or why it is lost.
  Status take_in(IdRange lease, TimePoint now) REQUIRES(mutex_);
  void hand_out(IdRange lease, TimePoint now) REQUIRES(mutex_);
  LeaseSize board() REQUIRES(mutex_);
  void note_coming_period(TimePoint now) REQUIRES(mutex_);
  void sweep_periods(TimePoint now) REQUIRES(mutex_);
  void note_period_use(std::int64_t count_ids) REQUIRES(mutex_);
  void take_in_period_lease(IdRange lease) REQUIRES(mutex_);
  // Why a call of the other kind is refused; OK if it is not.
  Status misfit(const Waiter& waiter) const REQUIRES(mutex_);
  std::int64_t available_ids() const REQUIRES(mutex_);
  std::int64_t largest_range_ids() const REQUIRES(mutex_);
  std::int64_t issued_ids() const REQUIRES(mutex_);
  // How many holds ids of a tag with a time floor are kept. A steady burn uses them up in that
  // time.
  static constexpr int kHoldsMax = 2;
  bool is_old(const Held& held, TimePoint now) const;
  std::int64_t old_ids() const REQUIRES(mutex_);
  void drop_old(TimePoint now) REQUIRES(mutex_);
  // Asks for a sweep when the oldest ids get old. False if there is no memory for that.
  bool request_sweep(TimePoint due) REQUIRES(mutex_);
  void note_row(const SegmentRow& row) REQUIRES(mutex_);
  std::optional<double> next_lead_warning() REQUIRES(mutex_);
  std::int64_t ids_to_lease(std::int64_t stock_ids, std::int64_t wanted_ids) const REQUIRES(mutex_);
  std::int64_t refill_due_ids() const REQUIRES(mutex_);
  // What to lease of which period.
  struct PeriodNeed {
    std::optional<Period> period;
    std::int64_t ids = 0;
  };
  PeriodNeed period_need() const REQUIRES(mutex_);
  bool needs_clock() const REQUIRES(mutex_) { return periods_.needs_clock(clock_->boot_now()); }
  void request_refill(TimePoint now) REQUIRES(mutex_);
  // Why a call that found no ids should not wait; OK if it should.
  Status refusal(TimePoint now) const REQUIRES(mutex_);
  Status deadline_status() const REQUIRES(mutex_);
  Status check_lease(std::int64_t asked_ids, IdRange range) const REQUIRES(mutex_);
  void note_failure(const Status& status, TimePoint now) REQUIRES(mutex_);
  void drop_chunks() REQUIRES(mutex_);
  void drop_stock() REQUIRES(mutex_);
  void stop(Status reason) REQUIRES(mutex_);
  // Gives the caller its ids if they are there.
  bool serve(Waiter& waiter) REQUIRES(mutex_);
  // The same, or says why the call should not wait.
  bool answer(Waiter& waiter, TimePoint now) REQUIRES(mutex_);
  // The same, or says that its time is up.
  bool answer_in_time(Waiter& waiter, TimePoint now) REQUIRES(mutex_);
  // After the first look at a call: counts it, and requests the lease that it makes due.
  void note_call(const Waiter& waiter, bool answered, TimePoint now) REQUIRES(mutex_);
  void line_up(Waiters* own) REQUIRES(mutex_);
  void leave_line(Waiter& waiter, Waiters* to) REQUIRES(mutex_);
  void wait(Waiter& self) EXCLUDES(mutex_);
  void park(Waiters* own, TimePoint now) REQUIRES(mutex_);
  Waiters end_waits(TimePoint now, bool only_served = false) REQUIRES(mutex_);

  // Constant after construction.
  const std::string tag_;

  // Claims: any thread; replace(): under mutex_. It stands here so that its limit shares the first
  // cache line with the tag: next_id() reads nothing else of a tag. Its word begins the second
  // line, of which nothing else is read until ids run out.
  internal::IdCursor cursor_;

  const TagStateOptions options_;
  const std::shared_ptr<const Clock> clock_;

  const internal::ForkGuard fork_guard_;

  std::atomic<bool> known_{false};
  std::atomic<bool> has_period_{false};
  std::atomic<bool> parked_in_callback_{false};  // since run() last looked

  mutable Mutex mutex_;
  RefillQueue* queue_ GUARDED_BY(mutex_);  // null after close()
  Status stopped_ GUARDED_BY(mutex_);      // why the tag issues no more; OK while it does

  // Leased ids behind the cursor, in increasing order. While the cursor holds a chunk, the front is
  // the rest (perhaps empty) of the range that the chunk was cut from. The chunk's tail returns
  // there.
  std::vector<Held> stock_ GUARDED_BY(mutex_);
  std::int64_t stock_ids_ GUARDED_BY(mutex_) = 0;
  std::int64_t chunk_size_ GUARDED_BY(mutex_) = 0;   // of the chunk in the cursor
  std::int64_t highest_end_ GUARDED_BY(mutex_) = 1;  // of all ranges ever leased here

  // Waiting callers, in the order in which they came.
  Waiters waiting_ GUARDED_BY(mutex_);
  std::int64_t waiting_ids_ GUARDED_BY(mutex_) = 0;  // the sum of what they want at least
  std::int64_t missed_ids_ GUARDED_BY(mutex_) = 0;   // the largest miss since the last flight
  int waiting_for_range_ GUARDED_BY(mutex_) = 0;     // how many of them want one range
  bool missed_range_ GUARDED_BY(mutex_) = false;     // likewise, of the misses
  std::size_t sweep_at_ GUARDED_BY(mutex_) = 64;     // callers

  // Refill.
  Flight flight_ GUARDED_BY(mutex_) = Flight::kNone;
  TimePoint due_at_ GUARDED_BY(mutex_){};                  // of the queued flight
  std::int64_t flight_limit_ GUARDED_BY(mutex_) = kIdMax;  // its lease is dropped if it passes this
  std::int64_t step_ GUARDED_BY(mutex_) = 0;
  TimePoint row_due_at_ GUARDED_BY(mutex_){};             // when it must be read again
  TagOrder order_ GUARDED_BY(mutex_) = TagOrder::kPlain;  // as it was read last
  std::int64_t last_lease_ids_ GUARDED_BY(mutex_) = 0;
  Duration lease_latency_ GUARDED_BY(mutex_){0};
  BurnMeter burn_ GUARDED_BY(mutex_);
  TimePoint burn_at_ GUARDED_BY(mutex_);          // up to when burn_ has counted
  std::int64_t used_ids_ GUARDED_BY(mutex_) = 0;  // since then, not counting the chunk
  bool dry_ GUARDED_BY(mutex_) = false;           // a caller found no ids since the last lease
  Status error_ GUARDED_BY(mutex_);               // of the last refill
  int failures_ GUARDED_BY(mutex_) = 0;           // in a row
  TimePoint failing_since_ GUARDED_BY(mutex_){};
  TimePoint retry_at_ GUARDED_BY(mutex_){};
  std::minstd_rand random_ GUARDED_BY(mutex_);

  SeriesWatch series_ GUARDED_BY(mutex_);
  std::int64_t cap_ GUARDED_BY(mutex_) = kIdMax;  // as it was read last; the store enforces it

  // The time floor, as it was read last; the store follows it.
  TimeFloor floor_ GUARDED_BY(mutex_);
  double lead_seconds_ GUARDED_BY(mutex_) = 0;
  bool lead_warned_ GUARDED_BY(mutex_) = false;
  bool sweep_requested_ GUARDED_BY(mutex_) = false;
  std::int64_t issued_at_lease_ GUARDED_BY(mutex_) = 0;  // issued_ids() when the newest came

  // Of a tag with periods. Its ids are here instead of in stock_ and in the cursor.
  PeriodStock periods_ GUARDED_BY(mutex_);
  std::optional<Period> flight_period_ GUARDED_BY(mutex_);  // of the lease under way
  TimePoint flight_began_at_ GUARDED_BY(mutex_){};          // by boot_now()
  std::int64_t until_measured_ids_ GUARDED_BY(mutex_) = 0;  // to use before burn_ is measured
  Period watched_ GUARDED_BY(mutex_);                       // the period that series_ is of

  // Counts for stats.
  std::int64_t issued_ids_ GUARDED_BY(mutex_) = 0;  // not counting the chunk in the cursor
  std::int64_t returned_ids_ GUARDED_BY(mutex_) = 0;
  std::int64_t leases_ GUARDED_BY(mutex_) = 0;
  std::int64_t lease_failures_ GUARDED_BY(mutex_) = 0;
  std::int64_t waits_ GUARDED_BY(mutex_) = 0;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_TAG_STATE_H_
