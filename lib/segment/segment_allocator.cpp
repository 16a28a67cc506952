// SPDX-License-Identifier: MIT
#include "featherid/segment_allocator.h"

#include <algorithm>
#include <map>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/segment/refiller.h"
#include "lib/segment/tag_state.h"
#include "lib/segment/tag_table.h"

namespace featherid {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

template <typename T>
Status check_bounds(const char* option, T value, T min, T max, const char* unit) {
  if (min <= value && value <= max) return {};
  return {StatusCode::kInvalidArgument,
          std::string("AllocatorOptions.") + option + " is " + std::to_string(value) + unit +
              "; it must be between " + std::to_string(min) + " and " + std::to_string(max) + unit};
}

constexpr milliseconds kTenMinutes = std::chrono::minutes(10);
constexpr std::int64_t kTenMinutesMs = kTenMinutes.count();

TagOptions tag_options(const AllocatorOptions& options, std::uint32_t seed) {
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
  stats.last_error = std::move(snapshot.error);
  return stats;
}

}  // namespace

Status validate(const AllocatorOptions& options) {
  const auto ms = [](const char* name, milliseconds value, std::int64_t min, std::int64_t max) {
    return check_bounds<std::int64_t>(name, value.count(), min, max, " ms");
  };
  const Status checks[] = {
      ms("wait_timeout", options.wait_timeout, 1, kTenMinutesMs),
      check_bounds<std::int64_t>("hold", options.hold.count(), 1, 3600, " s"),
      check_bounds<std::int64_t>("lease_max_ids", options.lease_max_ids, 1, kLeaseIdsMax, " ids"),
      check_bounds("refill_threads", options.refill_threads, 1, 64, ""),
      ms("backoff_max", options.backoff_max, 1, 60000),
      ms("backoff_min", options.backoff_min, 1,
         std::max<std::int64_t>(1, options.backoff_max.count())),
      ms("unknown_tag_ttl", options.unknown_tag_ttl, 1, kTenMinutesMs),
      check_bounds("unknown_tags_max", options.unknown_tags_max, 16, 1000000, ""),
      check_bounds("unknown_lookups_per_second_max", options.unknown_lookups_per_second_max, 1,
                   1000000, ""),
      ms("shutdown_timeout", options.shutdown_timeout, 0, kTenMinutesMs),
  };
  for (const Status& check : checks) {
    if (!check.ok()) return check;
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
    if (refusal.ok()) refusal = refiller->start(options.refill_threads);
  }

  // The tag's state, made if the name is new; or why it cannot be served.
  Result<std::shared_ptr<TagState>> state_of(std::string_view name) EXCLUDES(mutex);
  Status make_room(std::string_view name, TimePoint now) REQUIRES(mutex);
  void look_through_unresolved() REQUIRES(mutex);
  bool refused_before(std::string_view name) REQUIRES(mutex);
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
  // Names whose row has not been seen: being looked up, or unknown. Bounded by unknown_tags_max.
  std::map<std::string, std::shared_ptr<TagState>, std::less<>> unresolved GUARDED_BY(mutex);
  std::string look_from GUARDED_BY(mutex);  // where the next look-through begins
  // How many unknown names may still be forgotten for new ones. It refills over time, and limits
  // how fast a flood of bad names reaches the store.
  double forget_budget GUARDED_BY(mutex) = 0;
  TimePoint forget_budget_at GUARDED_BY(mutex){};
  // The names refused last: part of a name's hash, at the index that another part gives.
  std::vector<std::uint32_t> refused_names GUARDED_BY(mutex);
};

Result<std::shared_ptr<TagState>> SegmentAllocator::Impl::state_of(std::string_view name) {
  if (!refusal.ok()) return refusal;
  if (fork_guard.forked()) {
    return Status(StatusCode::kFailedPrecondition,
                  "this process is a fork of the one that made the allocator; make a new one here");
  }
  if (TagState* tag = tags.find(name)) return tag->shared_from_this();
  if (Status bad = validate_tag(name); !bad.ok()) return bad;

  const MutexLock lock(mutex);
  if (closed) return Status(StatusCode::kFailedPrecondition, "the allocator was shut down");
  if (TagState* tag = tags.find(name)) return tag->shared_from_this();
  if (const auto found = unresolved.find(name); found != unresolved.end()) {
    std::shared_ptr<TagState> tag = found->second;
    if (tag->resolved()) {
      tags.insert(tag);
      unresolved.erase(found);
    }
    return tag;
  }
  if (Status full = make_room(name, clock->now()); !full.ok()) return full;
  tags.reserve(tags.size() + unresolved.size() + 1);  // so that moving a name over needs no memory
  auto tag = std::make_shared<TagState>(std::string(name), tag_options(options, seed), clock,
                                        refiller.get());
  unresolved.emplace(name, tag);
  return tag;
}

// Also notes the name for the next time. A flood of different names overwrites the note after some
// seconds. Uses 256 KB, once more names than unknown_tags_max have been asked for.
bool SegmentAllocator::Impl::refused_before(std::string_view name) {
  if (refused_names.empty()) refused_names.resize(std::size_t{1} << 16);
  const std::uint64_t hash = std::hash<std::string_view>()(name);
  const auto mark = static_cast<std::uint32_t>(hash >> 32) | 1;
  return std::exchange(refused_names[hash % refused_names.size()], mark) == mark;
}

Status SegmentAllocator::Impl::make_room(std::string_view name, TimePoint now) {
  const auto max = static_cast<std::size_t>(options.unknown_tags_max);
  if (unresolved.size() < max) return {};

  const double rate = options.unknown_lookups_per_second_max;
  const double elapsed = std::chrono::duration<double>(now - forget_budget_at).count();
  forget_budget = std::min(rate, forget_budget + rate * elapsed);
  forget_budget_at = now;
  // Looking through the names costs something too, so a flood gets past here only at the same rate.
  // A flood of different names leaves half of the budget to repeated names.
  if (forget_budget >= (refused_before(name) ? 1 : std::max(1.0, rate / 2))) {
    forget_budget -= 1;
    look_through_unresolved();
    if (unresolved.size() < max) return {};
  }
  return {StatusCode::kUnavailable,
          "too many unknown tag names were requested recently; try again in a second"};
}

// Moves names over that are now known, and forgets one that is not. Checks some names at a time,
// because callers with new names wait meanwhile.
void SegmentAllocator::Impl::look_through_unresolved() {
  constexpr int kNamesAtOnce = 1024;
  bool forgot = false;
  auto each = unresolved.lower_bound(look_from);
  for (int i = 0; i < kNamesAtOnce && !unresolved.empty(); ++i) {
    if (each == unresolved.end()) each = unresolved.begin();
    // Nobody holds it, not even the refiller. An existing handle would continue with a state of its
    // own, out of step with a new one.
    const bool idle = each->second.use_count() == 1;
    if (each->second->resolved()) {
      tags.insert(each->second);
    } else if (idle && !forgot) {
      each->second->close();
      forgot = true;
    } else {
      ++each;
      continue;
    }
    each = unresolved.erase(each);
  }
  look_from = each == unresolved.end() ? std::string() : each->first;
}

SegmentAllocator::SegmentAllocator(std::shared_ptr<SegmentStore> store, AllocatorOptions options,
                                   const internal::ForkEpoch& seen)
    : impl_(std::make_shared<Impl>(std::move(store), std::move(options), seen)) {}

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

std::vector<TagStats> SegmentAllocator::stats() const {
  std::vector<TagStats> stats;
  if (impl_->fork_guard.forked()) return stats;
  const MutexLock lock(impl_->mutex);  // or a tag could be missed while it moves over
  impl_->tags.for_each([&](const TagState& tag) {
    if (tag.resolved()) stats.push_back(stats_of(tag));
  });
  for (const auto& [name, tag] : impl_->unresolved) {
    if (tag->resolved()) stats.push_back(stats_of(*tag));
  }
  return stats;
}

bool SegmentAllocator::holds_ids() const {
  if (impl_->fork_guard.forked()) return false;
  const MutexLock lock(impl_->mutex);
  bool holds = false;
  impl_->tags.for_each([&](const TagState& tag) { holds = holds || tag.holds_ids(); });
  for (const auto& [name, tag] : impl_->unresolved) holds = holds || tag->holds_ids();
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
    // From here on no name is added, so the tags can be walked without the mutex.
    for (const auto& [name, tag] : unresolved) tags.insert(tag);
    unresolved.clear();
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
    const IdRange tail = tag.take_tail();
    if (tail.empty() || !in_time) return;
    const Result<bool> returned =
        call_store<bool>([&] { return store->give_back(tag.tag(), tail); });
    if (returned.ok() && *returned) {
      returned_ids += tail.size();
      tag.note_returned(tail.size());
    }
    in_time = clock->now() < deadline;
  });
  return returned_ids;
}

}  // namespace featherid
