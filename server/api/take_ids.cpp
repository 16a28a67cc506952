// SPDX-License-Identifier: MIT
#include "server/api/take_ids.h"

#include <chrono>
#include <utility>

namespace featherid {

namespace {

using Ranges = std::vector<IdRange>;

Result<Ranges> as_ranges(const Result<IdRange>& range) {
  if (!range.ok()) return range.status();
  return Ranges{*range};
}

Result<Ranges> try_take(Sequence& sequence, const WantedIds& wanted) {
  return wanted.consecutive ? as_ranges(sequence.try_next_consecutive(wanted.count_ids))
                            : sequence.try_next_range(wanted.count_ids);
}

// A wait of zero does not block, and its error contains the store's error.
Result<Ranges> take_at_last(Sequence& sequence, const WantedIds& wanted) {
  constexpr std::chrono::milliseconds kNow{0};
  return wanted.consecutive ? as_ranges(sequence.next_consecutive(wanted.count_ids, kNow))
                            : sequence.next_range(wanted.count_ids, kNow);
}

StartWait wait_for(const Sequence& sequence, const WantedIds& wanted, std::chrono::milliseconds time) {
  return [sequence = sequence, count_ids = wanted.count_ids,
          consecutive = wanted.consecutive, time](Resume resume) mutable {
    const IdsCallback done = [resume = std::move(resume)](Result<Ranges> ids) {
      resume(WaitOutcome(std::move(ids)));
    };
    consecutive ? sequence.next_consecutive_async(count_ids, time, done)
                : sequence.next_range_async(count_ids, time, done);
  };
}

}  // namespace

TakenIds take_ids(SegmentAllocator& allocator, const WantedIds& wanted, const Wait& wait,
                  const Status& missed) {
  if (!wait.outcome.status.ok()) return {{}, wait.outcome.status, {}};
  if (!wait.outcome.ids.empty()) return {wait.outcome.ids, {}, {}};
  Result<Sequence> sequence = allocator.sequence(wanted.tag);
  if (!sequence.ok()) return {{}, sequence.status(), {}};

  Result<Ranges> ranges = wait.expired  ? take_at_last(*sequence, wanted)
                          : missed.ok() ? try_take(*sequence, wanted)
                                        : Result<Ranges>(missed);
  if (ranges.ok()) return {*std::move(ranges), {}, {}};
  if (wait.expired || ranges.status().code() != StatusCode::kUnavailable) {
    return {{}, ranges.status(), {}};
  }
  return {{}, {}, wait_for(*sequence, wanted, wait.time_left())};
}

}  // namespace featherid
