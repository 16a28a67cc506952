// SPDX-License-Identifier: MIT
#include "lib/store/http/lease_receipts.h"

#include <algorithm>
#include <utility>

namespace featherid {

void LeaseReceipts::keep(std::string_view tag, Receipt receipt) {
  const MutexLock lock(mutex_);
  std::deque<Receipt>& own = by_tag_[std::string(tag)];
  if (own.size() >= kPerTagMax) own.pop_front();
  own.push_back(std::move(receipt));
}

std::optional<LeaseReceipts::Receipt> LeaseReceipts::take(std::string_view tag, IdRange tail) {
  const MutexLock lock(mutex_);
  const auto found = by_tag_.find(tag);
  if (found == by_tag_.end()) return std::nullopt;
  std::deque<Receipt>& own = found->second;
  const auto match = std::find_if(own.rbegin(), own.rend(), [tail](const Receipt& each) {
    return each.range.end == tail.end && each.range.first <= tail.first;
  });
  if (match == own.rend()) return std::nullopt;
  std::optional<Receipt> receipt = std::move(*match);
  own.erase(std::next(match).base());
  return receipt;
}

}  // namespace featherid
