// SPDX-License-Identifier: MIT
#include "lib/store/http/lease_receipts.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace featherid {

void LeaseReceipts::keep(std::string_view tag, Receipt receipt) {
  const MutexLock lock(mutex_);
  if (by_tag_.size() >= sweep_at_) drop_old(receipt.got_at);
  std::deque<Receipt>& own = by_tag_[std::string(tag)];
  if (own.size() >= kPerTagMax) own.pop_front();
  own.push_back(std::move(receipt));
}

void LeaseReceipts::drop_old(TimePoint now) {
  for (auto row = by_tag_.begin(); row != by_tag_.end();) {
    const std::deque<Receipt>& own = row->second;
    const bool old = own.empty() || own.back().got_at + kValidFor <= now;
    row = old ? by_tag_.erase(row) : std::next(row);
  }
  sweep_at_ = std::max(kSweepRows, 2 * by_tag_.size());
}

std::optional<LeaseReceipts::Taken> LeaseReceipts::take(std::string_view tag, IdRange tail) {
  const MutexLock lock(mutex_);
  const auto found = by_tag_.find(tag);
  if (found == by_tag_.end()) return std::nullopt;
  std::deque<Receipt> rest = found->second;
  Taken taken;
  for (std::int64_t end = tail.end; end > tail.first;) {
    const auto match = std::find_if(rest.rbegin(), rest.rend(),
                                    [end](const Receipt& each) { return each.range.end == end; });
    const bool first = taken.texts.empty();
    if (match == rest.rend() || (!first && match->server != taken.server)) return std::nullopt;
    taken.server = match->server;
    taken.texts += (first ? "" : ",") + match->text;
    end = match->range.first;
    rest.erase(std::next(match).base());
  }
  found->second = std::move(rest);
  return taken;
}

}  // namespace featherid
