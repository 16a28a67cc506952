// SPDX-License-Identifier: MIT
// A tag with a time floor: its ids are used soon, so that they sort by time.
#include <algorithm>
#include <new>
#include <utility>

#include "lib/segment/tag_state.h"

namespace featherid {

bool TagState::is_old(const Held& held, TimePoint now) const {
  return now - held.leased_at >= kHoldsMax * options_.limits.hold;
}

std::int64_t TagState::old_ids() const {
  if (!floor_.is_set() || stock_.empty()) return 0;
  const TimePoint now = clock_->now();
  std::int64_t count_ids = is_old(stock_.front(), now) ? cursor_.remaining() : 0;
  for (const Held& held : stock_) {
    if (is_old(held, now)) count_ids += held.size();
  }
  return count_ids;
}

void TagState::drop_old(TimePoint now) {
  if (stock_.empty() || !is_old(stock_.front(), now)) return;
  reclaim_chunk();
  const auto fresh = std::find_if(stock_.begin(), stock_.end(),
                                  [&](const Held& held) { return !is_old(held, now); });
  for (auto old = stock_.begin(); old != fresh; ++old) stock_ids_ -= old->size();
  stock_.erase(stock_.begin(), fresh);
  publish_chunk();
}

bool TagState::request_sweep(TimePoint due) {
  if (sweep_requested_ || queue_ == nullptr) return true;
  try {
    queue_->sweep(shared_from_this(), due);
  } catch (const std::bad_alloc&) {
    return false;
  }
  sweep_requested_ = true;
  return true;
}

void TagState::sweep() {
  const MutexLock lock(mutex_);
  sweep_requested_ = false;
  if (!stopped_.ok()) return;
  const TimePoint now = clock_->now();
  if (periods_.is_set()) return sweep_periods(now);
  const Duration keep = kHoldsMax * options_.limits.hold;
  const bool in_use = issued_ids() != issued_at_lease_;
  bool dropped = true;
  if (in_use && old_ids() > 0) {
    try {
      request_refill(now);
      dropped = flight_ == Flight::kNone;  // there are enough others
    } catch (const std::bad_alloc&) {
      // Without a refill, the next caller waits for one.
    }
  }
  if (dropped) drop_old(now);
  if (stock_.empty()) return;
  const auto next = std::find_if(stock_.begin(), stock_.end(),
                                 [&](const Held& held) { return !is_old(held, now); });
  // If there are only old ones, a lease is due. If none comes, look again.
  const TimePoint due = next != stock_.end() ? next->leased_at + keep : now + options_.limits.hold;
  if (!request_sweep(due)) drop_stock();
}

bool TagState::follows_clock() const {
  const MutexLock lock(mutex_);
  return floor_.is_set() || periods_.is_set();
}

void TagState::note_row(const SegmentRow& row) {
  floor_ = row.floor;
  if (row.read_at == WallTime()) return;
  lead_seconds_ = lead_seconds(row.floor, row.max_id, row.read_at);
}

// The store refuses leases past the lead, unless it only warns.
std::optional<double> TagState::next_lead_warning() {
  const bool too_long = floor_.is_set() && floor_.lead_only_warns &&
                        lead_seconds_ > static_cast<double>(floor_.lead_max_s);
  const bool warned = std::exchange(lead_warned_, too_long);
  return too_long && !warned ? std::optional<double>(lead_seconds_) : std::nullopt;
}

}  // namespace featherid
