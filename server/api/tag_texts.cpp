// SPDX-License-Identifier: MIT
#include "server/api/tag_texts.h"

#include <utility>

#include "lib/base/call_store.h"

namespace featherid {

using std::chrono::steady_clock;

TagTexts::TagTexts(std::shared_ptr<Store> store, StoreCalls& calls,
                   std::optional<ScrambleKeys> keys)
    : store_(std::move(store)), calls_(calls), keys_(std::move(keys)) {}

std::shared_ptr<const TagText> TagTexts::find(const std::string& tag, bool any_age) {
  std::shared_ptr<const TagText> text;
  {
    const MutexLock lock(mutex_);
    const auto found = kept_.find(tag);
    if (found == kept_.end()) return nullptr;
    const auto age = steady_clock::now() - found->second.read_at;
    if (any_age || age < kFresh) return found->second.text;
    if (age >= 2 * kFresh) return nullptr;
    text = found->second.text;
  }
  ask(tag, nullptr);
  return text;
}

void TagTexts::ask(const std::string& tag, Done done) {
  {
    const MutexLock lock(mutex_);
    const auto [asking, first] = asking_.try_emplace(tag);
    if (done) asking->second.push_back(std::move(done));
    if (!first) return;
  }
  if (calls_.post(StoreCalls::Lane::kReads, [this, tag] { read(tag); })) return;
  std::vector<Done> waiting;
  {
    const MutexLock lock(mutex_);
    waiting = std::move(asking_[tag]);
    asking_.erase(tag);
  }
  const Status busy(StatusCode::kUnavailable, "too many calls are waiting; try again");
  for (const Done& each : waiting) each(busy);
}

void TagTexts::read(const std::string& tag) {
  const Result<TagInfo> info = call_store<TagInfo>([&] { return store_->info(tag); });
  const Result<TagText> text = info.ok() ? TagText::make(*info, keys_) : info.status();
  std::vector<Done> waiting;
  Status status;
  {
    const MutexLock lock(mutex_);
    status = keep(tag, text);
    waiting = std::move(asking_[tag]);
    asking_.erase(tag);
  }
  for (const Done& each : waiting) each(status);
}

Status TagTexts::keep(const std::string& tag, const Result<TagText>& text) {
  const auto found = kept_.find(tag);
  if (text.status().code() == StatusCode::kUnavailable && found != kept_.end()) {
    found->second.read_at = steady_clock::now();
    return {};
  }
  if (found != kept_.end()) kept_.erase(found);
  if (!text.ok()) return text.status();
  if (kept_.size() >= kTagsMax) kept_.clear();
  kept_[tag] = {std::make_shared<const TagText>(*text), steady_clock::now()};
  return {};
}

}  // namespace featherid
