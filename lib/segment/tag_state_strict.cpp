// SPDX-License-Identifier: MIT
// A tag of strict order. It holds no ids. A caller gets an id only from a lease that was asked for
// while the caller waited. So if one call starts after another has ended, its lease was made later,
// and its id is larger.
#include <algorithm>

#include "lib/segment/tag_state.h"

namespace featherid {

// Chooses the callers that the next lease is for: those that wait now, as many as one lease may
// serve.
LeaseSize TagState::board() {
  const std::int64_t most_ids = std::max(options_.limits.lease_max_ids, kRangeIdsMax);
  const TimePoint now = clock_->now();
  LeaseSize size(kRangeIdsMax, 0);
  bool room = true;
  for (const std::shared_ptr<Waiter>& each : waiting_) {
    const bool in_vain = each->deadline < now || each->most_ids > each->least_ids;
    if (!in_vain) room = room && size.most_ids + each->least_ids <= most_ids;
    each->on_board = room && !in_vain;
    if (!each->on_board) continue;
    size.least_ids = std::min(size.least_ids, each->least_ids);
    size.most_ids += each->least_ids;
  }
  return size;
}

// Gives a lease to the callers that it was asked for. The rest of it is dropped.
void TagState::hand_out(IdRange lease, TimePoint now) {
  if (flight_period_) {
    if (flight_period_ != periods_.present(clock_->boot_now())) return;  // it is over
    take_in_period_lease(lease);
    periods_.clear();
  } else {
    highest_end_ = lease.end;
  }
  std::int64_t issued_ids = 0;
  for (const std::shared_ptr<Waiter>& each : waiting_) {
    if (!each->on_board || each->least_ids > lease.size()) continue;
    each->ranges.push_back({lease.first, lease.first + each->least_ids});
    if (flight_period_) each->taken = periods_.hand_out(each->least_ids);
    lease.first += each->least_ids;
    issued_ids += each->least_ids;
  }
  issued_ids_ += issued_ids;
  burn_.add(issued_ids, now - burn_at_);
  burn_at_ = now;
}

}  // namespace featherid
