// SPDX-License-Identifier: MIT
#include "lib/base/address_choice.h"

#include <algorithm>
#include <numeric>

namespace featherid {

std::vector<std::size_t> AddressChoice::order(TimePoint now) {
  const MutexLock lock(mutex_);
  std::vector<std::size_t> order(shunned_until_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<TimePoint> shunned = shunned_until_;
  for (TimePoint& until : shunned) {
    if (until <= now) until = TimePoint();
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return shunned[a] < shunned[b]; });
  // This caller tries the first. Meanwhile nobody else needs to wait for it.
  TimePoint& first = shunned_until_[order.front()];
  if (first != TimePoint()) first = now + kShunned;
  return order;
}

void AddressChoice::failed(std::size_t address, TimePoint now) {
  const MutexLock lock(mutex_);
  shunned_until_[address] = now + kShunned;
}

void AddressChoice::worked(std::size_t address) {
  const MutexLock lock(mutex_);
  shunned_until_[address] = TimePoint();
}

}  // namespace featherid
