// SPDX-License-Identifier: MIT
#include "server/api/take_ids.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/store/period_rules.h"

namespace featherid {

namespace {

using Ranges = std::vector<IdRange>;

constexpr std::chrono::milliseconds kNow{0};

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
  return wanted.consecutive ? as_ranges(sequence.next_consecutive(wanted.count_ids, kNow))
                            : sequence.next_range(wanted.count_ids, kNow);
}

bool is_in_period(const Sequence& sequence, const WantedIds& wanted) {
  return wanted.in_period && sequence.has_period();
}

Status no_place_for_period(std::string_view tag) {
  return {StatusCode::kInvalidArgument,
          "tag '" + std::string(tag) +
              "' has periods, and an answer of this protocol cannot name one; ask over HTTP"};
}

Result<PeriodRanges> take_now(Sequence& sequence, const WantedIds& wanted, bool expired,
                              const Status& missed) {
  if (is_in_period(sequence, wanted)) {
    return expired ? sequence.next_range_in_period(wanted.count_ids, kNow)
                   : sequence.try_next_range_in_period(wanted.count_ids);
  }
  Result<Ranges> ranges = expired       ? take_at_last(sequence, wanted)
                          : missed.ok() ? try_take(sequence, wanted)
                                        : Result<Ranges>(missed);
  if (!ranges.ok()) return ranges.status();
  return PeriodRanges{*std::move(ranges), {}};
}

StartWait wait_for(const Sequence& sequence, const WantedIds& wanted,
                   std::chrono::milliseconds time) {
  return [sequence = sequence, count_ids = wanted.count_ids, consecutive = wanted.consecutive,
          in_period = is_in_period(sequence, wanted), time](Resume resume) mutable {
    const auto done = [resume = std::move(resume)](auto ids) {
      resume(WaitOutcome(std::move(ids)));
    };
    if (in_period) return sequence.next_range_in_period_async(count_ids, time, done);
    consecutive ? sequence.next_consecutive_async(count_ids, time, done)
                : sequence.next_range_async(count_ids, time, done);
  };
}

// Why there are none. To a store, the name of a period's row is something that must be fixed first.
// Here it is a mistake in the request, and no later try succeeds.
TakenIds refused(const WantedIds& wanted, const Status& status) {
  const std::optional<PeriodRow> row = parse_period_row(wanted.tag);
  if (!row || status.message() != only_in_period(wanted.tag, row->tag).message()) {
    return {{}, status, {}};
  }
  return {{}, {StatusCode::kInvalidArgument, status.message()}, {}};
}

}  // namespace

TakenIds take_ids(SegmentAllocator& allocator, const WantedIds& wanted, const Wait& wait,
                  const Status& missed) {
  const WaitOutcome& outcome = wait.outcome;
  if (!outcome.ids.empty()) return {{outcome.ids, outcome.period}, {}, {}};
  // A request for a tag that nobody had asked for before learns during its wait that it has
  // periods.
  const Status& ended = outcome.status;
  const bool may_differ = ended.ok() || ended.code() == StatusCode::kFailedPrecondition;
  if (!may_differ) return refused(wanted, ended);
  Result<Sequence> sequence = allocator.sequence(wanted.tag);
  if (!sequence.ok()) return refused(wanted, sequence.status());
  if (sequence->has_period() && !wanted.in_period) {
    return refused(wanted, no_place_for_period(wanted.tag));
  }
  if (!ended.ok() && !sequence->has_period()) return refused(wanted, ended);

  Result<PeriodRanges> ranges = take_now(*sequence, wanted, wait.expired, missed);
  if (ranges.ok()) return {*std::move(ranges), {}, {}};
  if (wait.expired || ranges.status().code() != StatusCode::kUnavailable) {
    return refused(wanted, ranges.status());
  }
  return {{}, {}, wait_for(*sequence, wanted, wait.time_left())};
}

}  // namespace featherid
