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
// date in the format is the id's period. Under a time floor it is the day, in UTC, on which the
// floor reaches the id: within lead_max of when it was leased.
class TagText {
 public:
  // kFailedPrecondition: the tag is scrambled, and there are no keys.
  static Result<TagText> make(const TagInfo& tag, const std::optional<ScrambleKeys>& keys);

  // `period`: of the id, if the tag has periods.
  Result<std::string> write(std::int64_t id, const Period& period = {}) const;
  // With its period, if the format shows it. kInvalidArgument: it is not the text of an id.
  Result<PeriodId> read(std::string_view text) const;

 private:
  TagText(const TagInfo& tag, const IdFormat& format, const std::optional<IdScramble>& scramble);
  Result<Date> date_of(std::int64_t id, const Period& period) const;
  Status check_date(std::int64_t id, const Date& shown) const;
  // Ids of two tags, or of two periods, become different numbers.
  std::string tweak_of(const Period& period) const;

  std::string tag_;
  TimeFloor floor_;
  PeriodRule period_;
  bool has_date_;
  IdFormat format_;
  std::optional<IdScramble> scramble_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAG_TEXT_H_
