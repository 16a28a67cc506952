// SPDX-License-Identifier: MIT
#include "featherid/sequence.h"

#include <algorithm>
#include <string>

#include "lib/segment/tag_state.h"

namespace featherid {

namespace {

// Longer waits are cut to this, so that no deadline overflows.
constexpr std::chrono::milliseconds kTimeoutMax = std::chrono::hours(24);

Duration bounded(std::chrono::milliseconds timeout) {
  return std::clamp(timeout, std::chrono::milliseconds(0), kTimeoutMax);
}

Status check_count(std::int64_t count_ids) {
  if (count_ids >= 1 && count_ids <= kRangeIdsMax) return {};
  return {StatusCode::kInvalidArgument, "count " + std::to_string(count_ids) +
                                            " is not between 1 and " +
                                            std::to_string(kRangeIdsMax)};
}

// Takes ids from the cursor, without the tag's mutex. Calls `slow` only if they do not suffice.
template <typename Slow>
Result<std::vector<IdRange>> take_range(internal::IdCursor& cursor, std::int64_t count_ids,
                                        Slow slow) {
  if (Status bad = check_count(count_ids); !bad.ok()) return bad;
  std::vector<IdRange> ranges(1);  // room first: what is taken must be noted
  ranges.front() = cursor.claim(count_ids, count_ids);
  if (!ranges.front().empty()) return ranges;
  return slow();
}

Result<IdRange> only_range(const Result<std::vector<IdRange>>& taken) {
  if (!taken.ok()) return taken.status();
  return taken->front();
}

Result<std::int64_t> only_id(const Result<std::vector<IdRange>>& taken) {
  if (!taken.ok()) return taken.status();
  return taken->front().first;
}

Result<PeriodId> only_id(const Result<PeriodRanges>& taken) {
  if (!taken.ok()) return taken.status();
  return PeriodId{taken->ranges.front().first, taken->period};
}

}  // namespace

Sequence::Sequence(std::shared_ptr<TagState> state)
    : cursor_(&state->cursor()), state_(std::move(state)) {}

Result<std::int64_t> Sequence::next_slow(TagState& state) {
  return only_id(state.take(1, 1, std::nullopt));
}

Result<std::int64_t> Sequence::try_next_slow(TagState& state) {
  return only_id(state.try_take(1, 1));
}

Result<std::int64_t> Sequence::next(std::chrono::milliseconds timeout) {
  if (const std::int64_t id = cursor_->claim_one(); id != 0) return id;
  return only_id(state_->take(1, 1, bounded(timeout)));
}

Result<std::vector<IdRange>> Sequence::next_range(std::int64_t count_ids) {
  return take_range(*cursor_, count_ids,
                    [&] { return state_->take(count_ids, count_ids, std::nullopt); });
}

Result<std::vector<IdRange>> Sequence::next_range(std::int64_t count_ids,
                                                  std::chrono::milliseconds timeout) {
  return take_range(*cursor_, count_ids,
                    [&] { return state_->take(count_ids, count_ids, bounded(timeout)); });
}

Result<std::vector<IdRange>> Sequence::try_next_range(std::int64_t count_ids) {
  return take_range(*cursor_, count_ids, [&] { return state_->try_take(count_ids, count_ids); });
}

Result<IdRange> Sequence::next_consecutive(std::int64_t count_ids) {
  return only_range(take_range(*cursor_, count_ids, [&] {
    return state_->take(count_ids, count_ids, std::nullopt, Shape::kOneRange);
  }));
}

Result<IdRange> Sequence::next_consecutive(std::int64_t count_ids,
                                           std::chrono::milliseconds timeout) {
  return only_range(take_range(*cursor_, count_ids, [&] {
    return state_->take(count_ids, count_ids, bounded(timeout), Shape::kOneRange);
  }));
}

Result<IdRange> Sequence::try_next_consecutive(std::int64_t count_ids) {
  return only_range(take_range(*cursor_, count_ids, [&] {
    return state_->try_take(count_ids, count_ids, Shape::kOneRange);
  }));
}

void Sequence::next_range_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                                IdsCallback callback) {
  if (Status bad = check_count(count_ids); !bad.ok()) return state_->refuse(callback, bad);
  state_->take_async(count_ids, bounded(timeout), std::move(callback));
}

void Sequence::next_consecutive_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                                      IdsCallback callback) {
  if (Status bad = check_count(count_ids); !bad.ok()) return state_->refuse(callback, bad);
  state_->take_async(count_ids, bounded(timeout), std::move(callback), Shape::kOneRange);
}

Result<PeriodId> Sequence::next_in_period() {
  return only_id(state_->take_in_period(1, std::nullopt));
}

Result<PeriodId> Sequence::next_in_period(std::chrono::milliseconds timeout) {
  return only_id(state_->take_in_period(1, bounded(timeout)));
}

Result<PeriodId> Sequence::try_next_in_period() { return only_id(state_->try_take_in_period(1)); }

Result<PeriodRanges> Sequence::next_range_in_period(std::int64_t count_ids) {
  if (Status bad = check_count(count_ids); !bad.ok()) return bad;
  return state_->take_in_period(count_ids, std::nullopt);
}

Result<PeriodRanges> Sequence::next_range_in_period(std::int64_t count_ids,
                                                    std::chrono::milliseconds timeout) {
  if (Status bad = check_count(count_ids); !bad.ok()) return bad;
  return state_->take_in_period(count_ids, bounded(timeout));
}

Result<PeriodRanges> Sequence::try_next_range_in_period(std::int64_t count_ids) {
  if (Status bad = check_count(count_ids); !bad.ok()) return bad;
  return state_->try_take_in_period(count_ids);
}

void Sequence::next_range_in_period_async(std::int64_t count_ids, std::chrono::milliseconds timeout,
                                          PeriodIdsCallback callback) {
  if (Status bad = check_count(count_ids); !bad.ok()) return state_->refuse(callback, bad);
  state_->take_in_period_async(count_ids, bounded(timeout), std::move(callback));
}

bool Sequence::has_period() const { return state_->has_period(); }

LocalBlock Sequence::local(std::int64_t block_ids) const {
  return {*this, std::clamp<std::int64_t>(block_ids, 1, kRangeIdsMax)};
}

std::string Sequence::tag() const { return state_->tag(); }

LocalBlock::LocalBlock(const Sequence& sequence, std::int64_t block_ids)
    : sequence_(sequence), block_ids_(block_ids) {}

Result<std::int64_t> LocalBlock::next_slow(TagState& state, std::int64_t block_ids, IdRange* rest) {
  IdRange block = state.cursor().claim(1, block_ids);
  if (block.empty()) {
    const Result<std::vector<IdRange>> taken = state.take(1, block_ids, std::nullopt);
    if (!taken.ok()) return taken.status();
    block = taken->front();
  }
  *rest = {block.first + 1, block.end};
  return block.first;
}

}  // namespace featherid
