// SPDX-License-Identifier: MIT
#include "featherid/segment_allocator.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/bounds.h"
#include "lib/base/call_store.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/stay_loaded.h"
#include "lib/segment/refiller.h"
#include "lib/segment/tag_state.h"
#include "lib/segment/tag_table.h"
#include "lib/segment/unknown_tags.h"

namespace featherid {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kTenMinutes = std::chrono::minutes(10);
constexpr std::int64_t kTenMinutesMs = kTenMinutes.count();

TagStateOptions tag_options(const AllocatorOptions& options, std::uint32_t seed) {
  return {options.wait_timeout,    {options.hold, options.lease_max_ids},
          options.backoff_min,     options.backoff_max,
          options.unknown_tag_ttl, seed};
}

// Whether a child would refuse inherited ids. The epoch that the application sees decides that.
Status check_fork_protection(const internal::ForkEpoch& seen) {
  if (&seen != &internal::fork_epoch) {
    return {StatusCode::kFailedPrecondition,
            "fork protection is off: the application and the FeatherID library use two copies of "
            "it; link the library without -Wl,-Bsymbolic, and load it without RTLD_DEEPBIND"};
  }
  if (internal::own_fork_epoch() != 0) return {};
  return {StatusCode::kFailedPrecondition,
          "fork protection is off: madvise(MADV_WIPEONFORK) and pthread_atfork() are both refused "
          "here; allow one of them"};
}

TagStats stats_of(const TagState& tag) {
  TagSnapshot snapshot = tag.snapshot();
  TagStats stats;
  stats.tag = tag.tag();
  stats.issued_ids = snapshot.issued_ids;
  stats.held_ids = snapshot.held_ids;
  stats.returned_ids = snapshot.returned_ids;
  stats.burn_ids_per_second = snapshot.burn_ids_per_second;
  stats.leases = snapshot.leases;
  stats.lease_failures = snapshot.lease_failures;
  stats.waits = snapshot.waits;
  stats.last_lease_latency = duration_cast<microseconds>(snapshot.lease_latency);
  stats.cap = snapshot.cap;
  stats.strict = snapshot.strict;
  stats.max_id = snapshot.max_id;
  stats.series_ids_per_second = snapshot.series_ids_per_second;
  stats.floor_rate = snapshot.floor.rate;
  stats.floor_lead_max =
      std::chrono::seconds(snapshot.floor.is_set() ? snapshot.floor.lead_max_s : 0);
  stats.floor_lead_seconds = snapshot.lead_seconds;
  stats.period = to_string(snapshot.period);
  stats.last_error = std::move(snapshot.error);
  return stats;
}

}  // namespace

Status validate(const AllocatorOptions& options) {
  const auto check = [](const std::string& option, std::int64_t value, std::int64_t min,
                        std::int64_t max, std::string_view unit) {
    return check_bounds("AllocatorOptions." + option, value, min, max, unit);
  };
  const std::int64_t backoff_max_ms = options.backoff_max.count();
  const Status checks[] = {
      check("wait_timeout", options.wait_timeout.count(), 1, kTenMinutesMs, "ms"),
      check("hold", options.hold.count(), 1, 3600, "s"),
      check("lease_max_ids", options.lease_max_ids, 1, kLeaseIdsMax, "ids"),
      check("refill_threads", options.refill_threads, 1, 64, ""),
      check("backoff_max", backoff_max_ms, 1, 60000, "ms"),
      check("backoff_min", options.backoff_min.count(), 1,
            std::max<std::int64_t>(1, backoff_max_ms), "ms"),
      check("unknown_tag_ttl", options.unknown_tag_ttl.count(), 1, kTenMinutesMs, "ms"),
      check("shutdown_timeout", options.shutdown_timeout.count(), 0, kTenMinutesMs, "ms"),
  };
  for (const Status& status : checks) {
    if (!status.ok()) return status;
  }
  return {};
}

struct SegmentAllocator::Impl {
  Impl(std::shared_ptr<SegmentStore> store_in, AllocatorOptions options_in,
       const internal::ForkEpoch& seen)
      : options(std::move(options_in)),
        refusal(store_in ? validate(options)
                         : Status(StatusCode::kInvalidArgument, "the allocator's store is null")),
        store(std::move(store_in)),
        refiller(std::make_shared<Refiller>(store, clock, options.log)) {
    if (refusal.ok()) refusal = check_fork_protection(seen);
    refiller->pause_together(options.backoff_min, options.backoff_max, seed);
  }

  // The tag's state, made if the tag is new; or why it cannot be served.
  Result<std::shared_ptr<TagState>> state_of(std::string_view tag) EXCLUDES(mutex);
  // Takes in changes of tags, or kDataLoss.
  void apply(const Result<TagChanges>& changes) noexcept EXCLUDES(mutex);
  std::shared_ptr<TagState> find_unknown(std::string_view tag) EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    return unknown_tags.find(tag);
  }
  std::int64_t shutdown() EXCLUDES(mutex);
  std::int64_t give_tails_back(TimePoint deadline);

  // Constant after construction.
  const AllocatorOptions options;
  Status refusal;  // of every call, if options, store or threads are not usable
  const std::shared_ptr<SegmentStore> store;
  const std::shared_ptr<const Clock> clock = std::make_shared<SteadyClock>();
  const std::shared_ptr<Refiller> refiller;
  // Only for jitter: two processes hardly ever start in the same nanosecond.
  const std::uint32_t seed = static_cast<std::uint32_t>(clock->now().time_since_epoch().count());
  const internal::ForkGuard fork_guard;

  std::shared_ptr<Impl> kept_in_child;  // itself

  TagTable tags;  // find: any thread; insert: under mutex

  Mutex mutex;
  bool closed GUARDED_BY(mutex) = false;
  UnknownTags unknown_tags GUARDED_BY(mutex){&tags};
};

Result<std::shared_ptr<TagState>> SegmentAllocator::Impl::state_of(std::string_view tag) {
  if (!refusal.ok()) return refusal;
  if (fork_guard.forked()) {
    return Status(StatusCode::kFailedPrecondition,
                  "this process is a fork of the one that made the allocator; make a new one here");
  }
  if (TagState* state = tags.find(tag)) return state->shared_from_this();
  if (Status bad = validate_tag(tag); !bad.ok()) return bad;

  const MutexLock lock(mutex);
  if (closed) return Status(StatusCode::kFailedPrecondition, "the allocator was shut down");
  if (TagState* state = tags.find(tag)) return state->shared_from_this();
  return unknown_tags.find_or_make(tag, clock->now(), [&] {
    return std::make_shared<TagState>(std::string(tag), tag_options(options, seed), clock,
                                      refiller.get());
  });
}

void SegmentAllocator::Impl::apply(const Result<TagChanges>& changes) noexcept {
  {
    const MutexLock lock(mutex);
    unknown_tags.move_known_to_table();
  }
  if (!changes.ok()) {
    return tags.for_each([&](TagState& tag) { tag.stop_for(changes.status()); });
  }
  for (const TagChanges::Limit& limit : changes->limits) {
    // One that is not known yet holds nothing, but the answer on its way to it may be older than
    // the change.
    const std::shared_ptr<TagState> unknown = find_unknown(limit.tag);
    TagState* const tag = unknown ? unknown.get() : tags.find(limit.tag);
    if (tag != nullptr) tag->limit(limit.max_id);
  }
}

SegmentAllocator::SegmentAllocator(std::shared_ptr<SegmentStore> store, AllocatorOptions options,
                                   const internal::ForkEpoch& seen)
    : impl_(std::make_shared<Impl>(std::move(store), std::move(options), seen)) {
  // A refill thread that is left behind may outlive the allocator. It returns to the store, and at
  // its end releases what the caller has passed: their modules must still be there.
  if (const SegmentStore* const its = impl_->store.get()) keep_loaded(&typeid(*its));
  keep_loaded(__builtin_return_address(0));
  impl_->refiller->on_changes([impl = std::weak_ptr<Impl>(impl_)](const auto& changes) {
    if (const std::shared_ptr<Impl> alive = impl.lock()) alive->apply(changes);
  });
  if (impl_->refusal.ok()) impl_->refusal = impl_->refiller->start(impl_->options.refill_threads);
}

SegmentAllocator::~SegmentAllocator() {
  if (impl_->fork_guard.forked()) {
    // This copy may hold locks of the parent's threads, which do not exist here. It cannot be
    // destroyed safely, so it keeps itself.
    impl_->kept_in_child = impl_;
    return;
  }
  shutdown();
}

Result<Sequence> SegmentAllocator::sequence(std::string_view tag) {
  Result<std::shared_ptr<TagState>> state = impl_->state_of(tag);
  if (!state.ok()) return state.status();
  return Sequence(*std::move(state));
}

Result<std::int64_t> SegmentAllocator::next_id(std::string_view tag) {
  if (TagState* state = impl_->tags.find(tag)) {
    if (const std::int64_t id = state->cursor().claim_one(); id != 0) return id;
  }
  Result<Sequence> sequence = this->sequence(tag);
  if (!sequence.ok()) return sequence.status();
  return sequence->next();
}

Result<std::int64_t> SegmentAllocator::try_next_id(std::string_view tag) {
  if (TagState* state = impl_->tags.find(tag)) {
    if (const std::int64_t id = state->cursor().claim_one(); id != 0) return id;
  }
  Result<Sequence> sequence = this->sequence(tag);
  if (!sequence.ok()) return sequence.status();
  return sequence->try_next();
}

Result<std::vector<IdRange>> SegmentAllocator::next_range(std::string_view tag,
                                                          std::int64_t count_ids) {
  Result<Sequence> sequence = this->sequence(tag);
  if (!sequence.ok()) return sequence.status();
  return sequence->next_range(count_ids);
}

Result<std::vector<IdRange>> SegmentAllocator::try_next_range(std::string_view tag,
                                                              std::int64_t count_ids) {
  Result<Sequence> sequence = this->sequence(tag);
  if (!sequence.ok()) return sequence.status();
  return sequence->try_next_range(count_ids);
}

void SegmentAllocator::drop(std::string_view tag) {
  if (impl_->fork_guard.forked()) return;
  const MutexLock lock(impl_->mutex);
  impl_->unknown_tags.move_known_to_table();  // the others hold nothing
  if (TagState* const held = impl_->tags.find(tag)) held->drop();
}

std::vector<TagStats> SegmentAllocator::stats() const {
  std::vector<TagStats> stats;
  if (impl_->fork_guard.forked()) return stats;
  const MutexLock lock(impl_->mutex);  // or a tag could be missed while it moves over
  const auto add = [&](const TagState& tag) {
    if (tag.known()) stats.push_back(stats_of(tag));
  };
  impl_->tags.for_each(add);
  impl_->unknown_tags.for_each(add);
  return stats;
}

bool SegmentAllocator::holds_ids() const {
  if (impl_->fork_guard.forked()) return false;
  const MutexLock lock(impl_->mutex);
  bool holds = false;
  const auto look = [&](const TagState& tag) { holds = holds || tag.holds_ids(); };
  impl_->tags.for_each(look);
  impl_->unknown_tags.for_each(look);
  return holds;
}

LeaseLatency SegmentAllocator::lease_latency() const {
  return impl_->fork_guard.forked() ? LeaseLatency() : impl_->refiller->lease_latency();
}

std::int64_t SegmentAllocator::shutdown() {
  const std::shared_ptr<Impl> impl = impl_;  // a callback may destroy the allocator meanwhile
  return impl->fork_guard.forked() ? 0 : impl->shutdown();
}

std::int64_t SegmentAllocator::Impl::shutdown() {
  // Clamped: options that validate() refuses also get here.
  const TimePoint deadline =
      clock->now() + std::clamp(options.shutdown_timeout, milliseconds(0), kTenMinutes);
  {
    const MutexLock lock(mutex);
    if (std::exchange(closed, true)) return 0;
    // From here on no tag is added, so the tags can be walked without the mutex.
    unknown_tags.move_to_table();
  }
  tags.for_each([](TagState& tag) { tag.close(); });
  // This waits for leases in progress, so that their ranges go back too. If one hangs, the store
  // would only hang again.
  if (!refiller->stop(deadline - clock->now())) return 0;
  return give_tails_back(deadline);
}

std::int64_t SegmentAllocator::Impl::give_tails_back(TimePoint deadline) {
  std::int64_t returned_ids = 0;
  bool in_time = true;
  tags.for_each([&](TagState& tag) {
    for (TagState::Tail tail = tag.take_tail(); !tail.empty() && in_time; tail = tag.take_tail()) {
      const Result<bool> returned = call_store<bool>([&] {
        const bool in_period = tail.period != Period();
        return store->give_back(in_period ? period_row(tag.tag(), tail.period) : tag.tag(), tail);
      });
      if (returned.ok() && *returned) {
        returned_ids += tail.size();
        tag.note_returned(tail.size());
      }
      in_time = clock->now() < deadline;
    }
  });
  return returned_ids;
}

}  // namespace featherid
