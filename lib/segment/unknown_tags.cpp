// SPDX-License-Identifier: MIT
#include "lib/segment/unknown_tags.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace featherid {

UnknownTags::UnknownTags(TagTable* known, UnknownTagLimits limits)
    : known_(known), limits_(limits) {}

Result<std::shared_ptr<TagState>> UnknownTags::find_or_make(std::string_view tag, TimePoint now,
                                                            const MakeState& make) {
  if (const auto found = states_.find(tag); found != states_.end()) {
    std::shared_ptr<TagState> state = found->second;
    if (state->known()) {
      known_->insert(state);
      states_.erase(found);
    }
    return state;
  }
  if (Status full = make_room(tag, now); !full.ok()) return full;
  known_->reserve(known_->size() + states_.size() + 1);  // so that moving a tag needs no memory
  return states_.emplace(tag, make()).first->second;
}

Status UnknownTags::make_room(std::string_view tag, TimePoint now) {
  const auto max = static_cast<std::size_t>(limits_.tags_max);
  if (states_.size() < max) return {};

  const double rate = limits_.forgotten_per_second_max;
  const double elapsed = std::chrono::duration<double>(now - forget_budget_at_).count();
  forget_budget_ = std::min(rate, forget_budget_ + rate * elapsed);
  forget_budget_at_ = now;
  // Looking through the tags costs something too, so a flood gets past here only at the same rate.
  // A flood of different tags leaves half of the budget to repeated tags.
  if (forget_budget_ >= (refused_before(tag) ? 1 : std::max(1.0, rate / 2))) {
    forget_budget_ -= 1;
    look_through();
    if (states_.size() < max) return {};
  }
  return {StatusCode::kUnavailable,
          "too many unknown tags were requested recently; try again in a second"};
}

// Also notes the tag for the next time. A flood of different tags overwrites the note after some
// seconds. Uses 256 KB, once a tag has found no room.
bool UnknownTags::refused_before(std::string_view tag) {
  if (refused_.empty()) refused_.resize(std::size_t{1} << 16);
  const std::uint64_t hash = std::hash<std::string_view>()(tag);
  const auto mark = static_cast<std::uint32_t>(hash >> 32) | 1;
  return std::exchange(refused_[hash % refused_.size()], mark) == mark;
}

// Makes room: moves the tags that are now known to the table, and forgets one that is not.
void UnknownTags::look_through() {
  move_known_to_table();
  for (auto each = states_.begin(); each != states_.end(); ++each) {
    // Nobody holds it, not even the refiller. An existing handle would continue with a state of its
    // own, out of step with a new one. (It may have become known just now.)
    if (each->second.use_count() != 1 || each->second->known()) continue;
    each->second->close();
    states_.erase(each);
    return;
  }
}

void UnknownTags::move_known_to_table() {
  for (auto each = states_.begin(); each != states_.end();) {
    if (!each->second->known()) {
      ++each;
      continue;
    }
    known_->insert(each->second);
    each = states_.erase(each);
  }
}

void UnknownTags::move_to_table() {
  for (const auto& [tag, state] : states_) known_->insert(state);
  states_.clear();
}

}  // namespace featherid
