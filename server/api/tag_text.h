// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_TAG_TEXT_H_
#define FEATHERID_SERVER_API_TAG_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/id_format.h"
#include "featherid/id_scramble.h"
#include "featherid/tag_admin.h"

namespace featherid {

// How the ids of one tag are written as text, and read: by its options `format` and `scramble`. A
// date in the format is the day, in UTC, on which the tag's time floor reaches the id: within
// lead_max of when it was leased.
class TagText {
 public:
  // kFailedPrecondition: the tag is scrambled, and there are no keys.
  static Result<TagText> make(const TagInfo& tag, const std::optional<ScrambleKeys>& keys);

  Result<std::string> write(std::int64_t id) const;
  // kInvalidArgument: it is not the text of an id.
  Result<std::int64_t> read(std::string_view text) const;

 private:
  TagText(const TagInfo& tag, IdFormat format, std::optional<IdScramble> scramble);
  Result<Date> date_of(std::int64_t id) const;

  std::string tag_;  // the tweak: ids of two tags become different numbers
  TimeFloor floor_;
  bool has_date_;
  IdFormat format_;
  std::optional<IdScramble> scramble_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAG_TEXT_H_
