// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_ID_PATTERN_H_
#define FEATHERID_LIB_FORMAT_ID_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/format/check_characters.h"
#include "lib/format/radix.h"

namespace featherid {

constexpr int kWidthMax = 20;  // one more than the decimal digits of 2^63 - 1

// What a pattern says. include/featherid/id_format.h defines the language.
struct IdPattern {
  enum class Kind { kLiteral, kId, kYear, kMonth, kDay, kCheck };

  struct Part {
    Kind kind;
    std::string literal;  // of kLiteral only
  };

  // kInvalidArgument says what is wrong with the pattern, and at which character.
  static Result<IdPattern> parse(std::string_view text);

  bool has(Kind kind) const;

  // The characters of a text whose id has this many digits.
  std::size_t length(int digits) const;

  std::string text;
  std::vector<Part> parts;
  const Radix* radix = Radix::find(10);
  int width = 1;
  int group = kWidthMax;  // digits; this many are never separated
  char separator = '-';
  Check check = Check::kNone;
  int digits_max = 0;        // of the id 2^63 - 1, or the width
  std::size_t fixed = 0;     // characters that are not the id's
  bool dated = false;        // contains a part of a date
  int digits_before_id = 0;  // of the date
};

// The characters that a part of this kind always has; 0 for those of a literal or an id.
int fixed_characters(IdPattern::Kind kind, Check check);

// A character for a message: 'x', or "byte 0x0A".
std::string shown(char c);

// A text for a message, in quotes: of bounded length, and without control characters.
std::string shown(std::string_view text);

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_ID_PATTERN_H_
