// SPDX-License-Identifier: MIT
#include "server/api/receipts.h"

#include <utility>

#include "lib/base/random_text.h"

namespace featherid {

std::string Receipts::issue(LeaseReceipt receipt) {
  std::string text = random_text();
  const MutexLock lock(mutex_);
  const TimePoint now = clock_->now();
  while (!entries_.empty() &&
         (entries_.size() >= kReceiptsMax || entries_.front().expires_at <= now)) {
    drop_oldest();
  }
  entries_.push_back({text, std::move(receipt), now + kValidFor});
  by_text_.emplace(text, std::prev(entries_.end()));
  return text;
}

std::optional<LeaseReceipt> Receipts::take(const std::string& text) {
  const MutexLock lock(mutex_);
  const auto found = by_text_.find(text);
  if (found == by_text_.end()) return std::nullopt;
  const auto entry = found->second;
  std::optional<LeaseReceipt> receipt;
  if (entry->expires_at > clock_->now()) receipt = std::move(entry->receipt);
  by_text_.erase(found);
  entries_.erase(entry);
  return receipt;
}

void Receipts::drop_oldest() {
  by_text_.erase(entries_.front().text);
  entries_.pop_front();
}

}  // namespace featherid
