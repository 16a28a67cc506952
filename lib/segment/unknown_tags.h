// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_UNKNOWN_TAGS_H_
#define FEATHERID_LIB_SEGMENT_UNKNOWN_TAGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/segment/tag_state.h"
#include "lib/segment/tag_table.h"
#include "lib/segment/unknown_tag_limits.h"

namespace featherid {

// The tags whose row had not been seen when they were last asked for: they were being looked up, or
// do not exist. A tag whose row has been seen since moves to the table of the known tags when it is
// asked for again, or when room is needed.
//
// A flood of tags that do not exist neither fills memory nor overloads the store. At most
// `tags_max` tags are remembered. Beyond that, a tag that nobody holds is forgotten for a new one,
// at a limited rate, and other new tags are refused.
//
// Threads: one at a time (the owner's mutex).
class UnknownTags {
 public:
  explicit UnknownTags(TagTable* known, UnknownTagLimits limits = {});

  using MakeState = std::function<std::shared_ptr<TagState>()>;

  // The state of a tag that is not in the table; a new one from make() if there is none yet.
  // kUnavailable: there is no room for a new tag. May throw std::bad_alloc; then nothing was added.
  Result<std::shared_ptr<TagState>> find_or_make(std::string_view tag, TimePoint now,
                                                 const MakeState& make);

  // Moves the tags that are now known to the table. Never throws.
  void move_known_to_table();

  // Moves all tags to the table, whether known or not. Never throws.
  void move_to_table();

  // Null: it is not among them.
  std::shared_ptr<TagState> find(std::string_view tag) const {
    const auto found = states_.find(tag);
    return found != states_.end() ? found->second : nullptr;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [tag, state] : states_) visit(*state);
  }

 private:
  Status make_room(std::string_view tag, TimePoint now);
  bool refused_before(std::string_view tag);
  void look_through();

  TagTable* const known_;
  const UnknownTagLimits limits_;

  std::map<std::string, std::shared_ptr<TagState>, std::less<>> states_;

  // How many tags may still be forgotten for new ones. It refills over time.
  double forget_budget_ = 0;
  TimePoint forget_budget_at_{};

  // The tags refused last: part of a tag's hash, at the index that another part gives.
  std::vector<std::uint32_t> refused_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_UNKNOWN_TAGS_H_
