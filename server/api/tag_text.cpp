// SPDX-License-Identifier: MIT
#include "server/api/tag_text.h"

#include <utility>

#include "lib/format/scramble_domain.h"

namespace featherid {

TagText::TagText(std::string tag, IdFormat format, std::optional<IdScramble> scramble)
    : tag_(std::move(tag)), format_(std::move(format)), scramble_(std::move(scramble)) {}

Result<TagText> TagText::make(const TagInfo& tag, const std::optional<ScrambleKeys>& keys) {
  Result<IdFormat> format = IdFormat::make(tag.format.empty() ? "{id}" : tag.format);
  if (!format.ok()) return format.status();
  if (tag.scramble.empty()) return TagText(tag.tag, *std::move(format), std::nullopt);
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
  return TagText(tag.tag, *std::move(format), *std::move(scramble));
}

Result<std::string> TagText::write(std::int64_t id) const {
  if (!scramble_) return format_.format(id);
  const Result<std::int64_t> number = scramble_->scramble(id, tag_);
  if (!number.ok()) return number.status();
  return format_.format(*number);
}

Result<std::int64_t> TagText::read(std::string_view text) const {
  const Result<ParsedId> parsed = format_.parse(text);
  if (!parsed.ok()) return parsed.status();
  return scramble_ ? scramble_->unscramble(parsed->id, tag_) : parsed->id;
}

}  // namespace featherid
