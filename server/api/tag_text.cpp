// SPDX-License-Identifier: MIT
#include "server/api/tag_text.h"

#include <chrono>
#include <ctime>

#include "lib/format/scramble_domain.h"
#include "lib/store/tag_record.h"

namespace featherid {

TagText::TagText(const TagInfo& tag, const IdFormat& format,
                 const std::optional<IdScramble>& scramble)
    : tag_(tag.tag),
      floor_(tag.floor),
      period_(tag.period),
      has_date_(!format.format(1).ok()),  // only then it cannot write an id alone
      format_(format),
      scramble_(scramble) {}

std::string TagText::tweak_of(const Period& period) const {
  return period_.is_set() ? period_row(tag_, period) : tag_;
}

Result<Date> TagText::date_of(std::int64_t id, const Period& period) const {
  if (!has_date_) return Date();
  if (period_.is_set()) return first_day_of(period);
  const Result<LeaseTime> leased = leased_when(floor_, id);
  if (!leased.ok()) return leased.status();
  const std::time_t second = std::chrono::system_clock::to_time_t(leased->until);
  std::tm parts{};
  if (::gmtime_r(&second, &parts) == nullptr) {
    return Status(StatusCode::kInvalidArgument, "id " + std::to_string(id) + " has no date");
  }
  return Date{parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday};
}

Result<TagText> TagText::make(const TagInfo& tag, const std::optional<ScrambleKeys>& keys) {
  Result<IdFormat> format = IdFormat::make(tag.format.empty() ? "{id}" : tag.format);
  if (!format.ok()) return format.status();
  if (tag.scramble.empty()) return TagText(tag, *format, std::nullopt);
  const Result<ScrambleDomain> domain = parse_scramble_domain(tag.scramble);
  if (!domain.ok()) return domain.status();
  if (!keys) {
    return Status(
        StatusCode::kFailedPrecondition,
        "tag '" + tag.tag + "' is scrambled, and there are no keys here; set scramble-key-file");
  }
  const int length = domain->length;
  Result<IdScramble> scramble = domain->unit == ScrambleDomain::Unit::kBits
                                    ? IdScramble::with_bits(length, *keys)
                                    : IdScramble::with_digits(length, *keys);
  if (!scramble.ok()) return scramble.status();
  return TagText(tag, *format, *scramble);
}

Result<std::string> TagText::write(std::int64_t id, const Period& period) const {
  if (period.kind() != period_.kind) {
    return Status(StatusCode::kFailedPrecondition,
                  "tag '" + tag_ + "' has other periods than this server knew; try again");
  }
  const Result<Date> date = date_of(id, period);
  if (!date.ok()) return date.status();
  if (!scramble_) return format_.format(id, *date);
  const Result<std::int64_t> number = scramble_->scramble(id, tweak_of(period));
  if (!number.ok()) return number.status();
  return format_.format(*number, *date);
}

// Under a time floor the date follows from the id. (Not from one that is older than the floor.)
Status TagText::check_date(std::int64_t id, const Date& shown) const {
  if (period_.is_set()) return {};
  const Result<Date> right = date_of(id, {});
  const auto differ = [](int part, int right_part) { return part != 0 && part != right_part; };
  const bool wrong =
      right.ok() && (differ(shown.year, right->year) || differ(shown.month, right->month) ||
                     differ(shown.day, right->day));
  if (!wrong) return {};
  const Period day{right->year, right->month, right->day};
  return {StatusCode::kInvalidArgument, "the date does not belong to id " + std::to_string(id) +
                                            " of tag '" + tag_ + "', whose date is " +
                                            to_string(day)};
}

Result<PeriodId> TagText::read(std::string_view text) const {
  const Result<ParsedId> parsed = format_.parse(text);
  if (!parsed.ok()) return parsed.status();
  const Date& date = parsed->date;
  Period period{date.year, date.month, date.day};
  if (period.kind() != period_.kind) period = {};  // the format does not show it
  const Result<std::int64_t> id =
      scramble_ ? scramble_->unscramble(parsed->id, tweak_of(period)) : parsed->id;
  if (!id.ok()) return id.status();
  if (Status wrong = check_date(*id, date); !wrong.ok()) return wrong;
  return PeriodId{*id, period};
}

}  // namespace featherid
