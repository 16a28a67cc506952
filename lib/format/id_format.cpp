// SPDX-License-Identifier: MIT
#include "featherid/id_format.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "lib/base/invariant.h"
#include "lib/format/id_pattern.h"

namespace featherid {

namespace {

using Kind = IdPattern::Kind;

constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();

// The values of all digits that a check covers, in the order of the text. The last digit of the id
// has a fixed place, so the id is written once, backwards.
class CheckedDigits {
 public:
  CheckedDigits(const IdPattern& pattern, std::int64_t id)
      : id_(pattern.radix->write(static_cast<std::uint64_t>(id), pattern.width, id_end())),
        first_(id_ - pattern.digits_before_id),
        next_(first_) {}

  // Adds the two decimal digits of a part of a date. Returns their place.
  const std::uint8_t* add_two(int number) {
    write_two_decimal(static_cast<unsigned>(number), next_);
    return std::exchange(next_, next_ + 2);
  }
  // The digits of the id, whose turn has come.
  Values add_id() {
    next_ = id_end();
    return {id_, id_end()};
  }
  // What was added.
  Values all() const { return {first_, next_}; }

 private:
  static constexpr std::size_t kDateDigits = 8;

  std::uint8_t* id_end() { return values_.data() + kDateDigits + kWidthMax; }

  std::array<std::uint8_t, kDateDigits + kWidthMax + kDateDigits> values_;
  std::uint8_t* const id_;
  std::uint8_t* const first_;
  std::uint8_t* next_;
};

char* write_literal(char* out, const std::string& literal) {
  // Most have one character, and a call of memcpy costs more than that.
  if (literal.size() > 4) return out + literal.copy(out, literal.size());
  for (std::size_t i = 0; i < literal.size(); ++i) *out++ = literal[i];
  return out;
}

char* write_two(char* out, const std::uint8_t* values) {
  *out++ = static_cast<char>('0' + values[0]);
  *out++ = static_cast<char>('0' + values[1]);
  return out;
}

char* write_id(char* out, Values id, const IdPattern& pattern) {
  const std::string_view digits = pattern.radix->digits();
  // The first group is the short one.
  auto in_group = static_cast<int>(id.size());
  while (in_group > pattern.group) in_group -= pattern.group;
  for (const std::uint8_t* value = id.first;;) {
    for (; in_group > 0; --in_group) *out++ = digits[*value++];
    if (value == id.end) return out;
    *out++ = pattern.separator;
    in_group = pattern.group;
  }
}

char* write_check(char* out, Values digits, const IdPattern& pattern) {
  const int radix = pattern.radix->number();
  if (pattern.check == Check::kMod97) {
    const int check = mod97(digits);
    *out++ = static_cast<char>('0' + check / 10);
    *out++ = static_cast<char>('0' + check % 10);
  } else {
    const bool is_damm = pattern.check == Check::kDamm;
    *out++ = pattern.radix->digit(is_damm ? damm(digits, radix) : luhn(digits, radix));
  }
  return out;
}

// Returns the end of the text.
char* write_text(char* out, const IdPattern& pattern, std::int64_t id, Date date) {
  CheckedDigits digits(pattern, id);
  for (const IdPattern::Part& part : pattern.parts) {
    switch (part.kind) {
      case Kind::kLiteral:
        out = write_literal(out, part.literal);
        break;
      case Kind::kId:
        out = write_id(out, digits.add_id(), pattern);
        break;
      case Kind::kYear:
        out = write_two(out, digits.add_two(date.year / 100));
        out = write_two(out, digits.add_two(date.year % 100));
        break;
      case Kind::kMonth:
        out = write_two(out, digits.add_two(date.month));
        break;
      case Kind::kDay:
        out = write_two(out, digits.add_two(date.day));
        break;
      case Kind::kCheck:
        out = write_check(out, digits.all(), pattern);
        break;
    }
  }
  return out;
}

int days_of(int year, int month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

std::string text_of(Date date) {
  return std::to_string(date.year) + "-" + std::to_string(date.month) + "-" +
         std::to_string(date.day);
}

// Whether a date of which these parts are given exists.
bool exists(Date date, bool month, bool day) {
  if (date.year < 1 || date.year > 9999) return false;
  if (month && (date.month < 1 || date.month > 12)) return false;
  return !day || (date.day >= 1 && (date.day <= 28 || date.day <= days_of(date.year, date.month)));
}

// What is wrong with a date that does not exist.
std::string wrong_with(Date date) {
  if (date.year < 1 || date.year > 9999) return "years are 1 to 9999";
  if (date.month < 1 || date.month > 12) return "months are 1 to 12";
  return "that month has the days 1 to " + std::to_string(days_of(date.year, date.month));
}

// Reads a text from left to right. Each method returns false after it has set the error.
class TextReader {
 public:
  TextReader(const IdPattern& pattern, std::string_view text) : pattern_(pattern), text_(text) {}

  Result<ParsedId> read() {
    if (find_digits() && read_parts() && check_date() && check_again()) return parsed_;
    return error_;
  }

 private:
  bool fail(const std::string& why) {
    error_ = Status(StatusCode::kInvalidArgument, shown(text_) + " is not an id in the format " +
                                                      shown(pattern_.text) + ": " + why);
    return false;
  }
  bool fail_at(std::size_t at, const std::string& why) {
    return fail("character " + std::to_string(at + 1) + " is " + shown(text_[at]) + ", " + why);
  }

  bool find_digits();
  bool read_parts();
  bool read_literal(std::string_view literal);
  bool read_id();
  bool read_decimal(int count, int* number);
  bool check_date();
  bool check_again();

  const IdPattern& pattern_;
  const std::string_view text_;
  std::size_t at_ = 0;
  int digits_ = 0;  // of the id
  std::string_view check_;
  ParsedId parsed_;
  Status error_;
};

// Only the id has a variable length, so the length of the text tells how many digits it has.
bool TextReader::find_digits() {
  for (digits_ = pattern_.width; digits_ <= pattern_.digits_max; ++digits_) {
    if (pattern_.length(digits_) == text_.size()) return true;
  }
  const std::size_t least = pattern_.length(pattern_.width);
  const std::size_t most = pattern_.length(pattern_.digits_max);
  const std::string range =
      least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  const bool between = text_.size() > least && text_.size() < most;
  return fail("it has " + std::to_string(text_.size()) + " characters; such ids have " + range +
              (between ? ", but a separator is never the first character of the number" : ""));
}

bool TextReader::read_parts() {
  for (const IdPattern::Part& part : pattern_.parts) {
    bool read = true;
    switch (part.kind) {
      case Kind::kLiteral:
        read = read_literal(part.literal);
        break;
      case Kind::kId:
        read = read_id();
        break;
      case Kind::kYear:
        read = read_decimal(4, &parsed_.date.year);
        break;
      case Kind::kMonth:
        read = read_decimal(2, &parsed_.date.month);
        break;
      case Kind::kDay:
        read = read_decimal(2, &parsed_.date.day);
        break;
      case Kind::kCheck:
        check_ = text_.substr(
            at_, static_cast<std::size_t>(fixed_characters(part.kind, pattern_.check)));
        at_ += check_.size();
        break;
    }
    if (!read) return false;
  }
  return true;
}

bool TextReader::read_literal(std::string_view literal) {
  for (const char c : literal) {
    if (text_[at_] != c) return fail_at(at_, "but " + shown(c) + " belongs there");
    ++at_;
  }
  return true;
}

bool TextReader::read_id() {
  const auto radix = static_cast<std::uint64_t>(pattern_.radix->number());
  std::uint64_t id = 0;
  for (int left = digits_; left > 0; --left, ++at_) {
    if (left != digits_ && left % pattern_.group == 0) {
      if (!read_literal({&pattern_.separator, 1})) return false;
    }
    const std::uint64_t value = pattern_.radix->value(text_[at_]);
    if (value == Radix::kNoDigit) {
      return fail_at(at_, "which is not a digit of radix " + std::to_string(radix));
    }
    if (left == digits_ && value == 0 && digits_ > pattern_.width) {
      return fail_at(at_, "but a number of more than " + std::to_string(pattern_.width) +
                              " digits does not start with a zero");
    }
    if (id > (kNumberMax - value) / radix) {
      return fail("its number is larger than 9223372036854775807");
    }
    id = id * radix + value;
  }
  parsed_.id = static_cast<std::int64_t>(id);
  return true;
}

bool TextReader::read_decimal(int count, int* number) {
  for (; count > 0; --count, ++at_) {
    const char c = text_[at_];
    if (c < '0' || c > '9') return fail_at(at_, "but a digit of the date belongs there");
    *number = *number * 10 + (c - '0');
  }
  return true;
}

bool TextReader::check_date() {
  if (!pattern_.dated ||
      exists(parsed_.date, pattern_.has(Kind::kMonth), pattern_.has(Kind::kDay))) {
    return true;
  }
  return fail("its date does not exist; " + wrong_with(parsed_.date));
}

bool TextReader::check_again() {
  if (pattern_.check == Check::kNone) return true;
  std::array<char, IdFormat::kLengthMax> again;
  write_text(again.data(), pattern_, parsed_.id, parsed_.date);
  const auto at = static_cast<std::size_t>(check_.data() - text_.data());
  const std::string_view right(again.data() + at, check_.size());
  const bool same = std::equal(right.begin(), right.end(), check_.begin(), [&](char a, char b) {
    // A check digit may be in another case, as the digits before it. Two decimal digits may not be
    // letters that resemble digits.
    return a == b || (pattern_.check != Check::kMod97 &&
                      pattern_.radix->value(a) == pattern_.radix->value(b));
  });
  return same || fail("the check is " + shown(check_) + ", but " + shown(right) +
                      " belongs to these digits; a character is wrong, or two are swapped");
}

}  // namespace

Result<IdFormat> IdFormat::make(std::string_view pattern) {
  Result<IdPattern> parsed = IdPattern::parse(pattern);
  if (!parsed.ok()) return parsed.status();
  FEATHERID_INVARIANT(parsed->length(parsed->digits_max) <= kLengthMax,
                      parsed->length(parsed->digits_max), kLengthMax);
  return IdFormat(std::make_shared<const IdPattern>(*std::move(parsed)));
}

IdFormat::IdFormat(std::shared_ptr<const IdPattern> pattern) : pattern_(std::move(pattern)) {}

Result<std::size_t> IdFormat::format_to(char* text, std::int64_t id, Date date) const {
  if (id < 0) {
    return Status(StatusCode::kInvalidArgument,
                  "the id " + std::to_string(id) + " is negative; ids are at least 0");
  }
  if (pattern_->dated && !exists(date, true, true)) {
    return Status(StatusCode::kInvalidArgument, "the format " + shown(pattern_->text) +
                                                    " requires a date, but " + text_of(date) +
                                                    " is none; " + wrong_with(date));
  }
  return static_cast<std::size_t>(write_text(text, *pattern_, id, date) - text);
}

Result<std::string> IdFormat::format(std::int64_t id, Date date) const {
  std::array<char, kLengthMax> text;
  const Result<std::size_t> length = format_to(text.data(), id, date);
  if (!length.ok()) return length.status();
  return std::string(text.data(), *length);
}

Result<ParsedId> IdFormat::parse(std::string_view text) const {
  return TextReader(*pattern_, text).read();
}

std::size_t IdFormat::length() const { return pattern_->length(pattern_->width); }

std::size_t IdFormat::length_max() const { return pattern_->length(pattern_->digits_max); }

std::int64_t IdFormat::grows_at() const {
  std::int64_t first = 1;
  for (int i = 0; i < pattern_->width; ++i) {
    if (first > kNumberMax / pattern_->radix->number()) return 0;
    first *= pattern_->radix->number();
  }
  return first;
}

const std::string& IdFormat::pattern() const { return pattern_->text; }

}  // namespace featherid
