// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ID_FORMAT_H_
#define FEATHERID_ID_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "featherid/internal/export.h"
#include "featherid/status.h"

namespace featherid {

struct IdPattern;

// A day of the Gregorian calendar, years 1 to 9999. A part that is 0 is not given.
struct Date {
  int year = 0;
  int month = 0;
  int day = 0;

  friend bool operator==(Date a, Date b) {
    return a.year == b.year && a.month == b.month && a.day == b.day;
  }
  friend bool operator!=(Date a, Date b) { return !(a == b); }
};

// The result of parse(). Parts of the date that the pattern does not contain are 0.
struct ParsedId {
  std::int64_t id = 0;
  Date date;
};

// Writes ids as text and reads them back, as a pattern says. The text of an id depends only on the
// pattern, the id and the date, not on a clock or a locale. docs/formats.md defines the patterns.
//
//   INV-{year}-{id width=6}-{check damm}             INV-2026-000042-6
//   {id radix=32 width=12 group=4}                   0000-014S-C0PJ
//
//   {id}       the id, exactly once. Options: radix=10, 16, 32 (Crockford), 36, 58 or 62;
//              width=1 to 20, the least number of digits; group=1 to 19, digits between
//              separators, counted from the right; separator=C
//   {year}     four digits. {month} and {day}: two digits. {month} requires {year}, and {day}
//              requires {month}
//   {check X}  damm (radix 10, 16, 32), luhn (every radix) or mod97 (every radix; two characters).
//              Covers all digits before it, so it is the last field
//
// All else is literal: printable ASCII, with {{ and }} for braces.
//
// Threads: every method may be called from any thread at once. A format is cheap to copy, and
// moving it copies it. Errors are kInvalidArgument and say what is wrong, and at which character
// (from 1).
class FEATHERID_EXPORT IdFormat {
 public:
  // No text is longer than this, whatever the pattern.
  static constexpr std::size_t kLengthMax = 128;

  static Result<IdFormat> make(std::string_view pattern);

  IdFormat(const IdFormat&) = default;
  IdFormat& operator=(const IdFormat&) = default;

  // The text of `id`, 0 to 2^63 - 1 (scrambled ids begin at 0). The date is required if the pattern
  // contains a part of it. All of it must then be valid: {year} alone still requires a day.
  Result<std::string> format(std::int64_t id, Date date = {}) const;

  // The same without allocating memory: writes to `text`, which must have room for kLengthMax
  // characters, and returns how many it wrote. Adds no '\0'.
  Result<std::size_t> format_to(char* text, std::int64_t id, Date date = {}) const;

  // The id and date that format() made this text from. Other texts are errors, with two exceptions:
  // radix 16, 32 and 36 ignore case, and radix 32 reads I and L as 1, and O as 0. With a check it
  // detects every single wrong character and every swap of neighbours. `luhn` misses one swap: that
  // of the first digit of the radix with the last.
  Result<ParsedId> parse(std::string_view text) const;

  // Every id below grows_at() has a text of length() characters. Every other id has a longer one,
  // of at most length_max(). grows_at() is 0 if all have the same length.
  std::size_t length() const;
  std::size_t length_max() const;
  std::int64_t grows_at() const;

  const std::string& pattern() const;

 private:
  explicit IdFormat(std::shared_ptr<const IdPattern> pattern);

  std::shared_ptr<const IdPattern> pattern_;
};

}  // namespace featherid

#endif  // FEATHERID_ID_FORMAT_H_
