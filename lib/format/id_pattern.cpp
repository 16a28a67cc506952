// SPDX-License-Identifier: MIT
#include "lib/format/id_pattern.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace featherid {

namespace {

using Kind = IdPattern::Kind;

constexpr std::size_t kPatternCharactersMax = 256;
// With an id of 39 characters, a date of 8 and a check of 2, a text has at most 113 characters.
constexpr std::size_t kLiteralCharactersMax = 64;

bool printable(char c) { return c >= 0x20 && c < 0x7F; }

// Reads a pattern from left to right. Each method returns false after it has set the error.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(text) { pattern_.text = text; }

  Result<IdPattern> read() {
    if (read_parts() && check_whole()) return std::move(pattern_);
    return error_;
  }

 private:
  bool fail(std::size_t at, const std::string& why) {
    return fail("character " + std::to_string(at + 1) + " of the pattern " + shown(text_) + ": " +
                why);
  }
  bool fail(std::string message) {
    error_ = Status(StatusCode::kInvalidArgument, std::move(message));
    return false;
  }

  bool read_parts();
  bool read_literal_character();
  bool read_field();
  bool add_field(std::size_t at, Kind kind);
  bool read_id_option(std::size_t at, std::string_view option);
  bool read_check(std::size_t at, std::string_view name);
  bool check_whole();

  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> seen_;  // the options of the id
  std::size_t literals_ = 0;       // characters
  IdPattern pattern_;
  Status error_;
};

bool PatternReader::read_parts() {
  if (text_.size() > kPatternCharactersMax) {
    return fail("the pattern has " + std::to_string(text_.size()) + " characters; at most " +
                std::to_string(kPatternCharactersMax) + " are allowed");
  }
  while (at_ < text_.size()) {
    const bool doubled = text_.substr(at_, 2) == "{{";
    if (!(text_[at_] == '{' && !doubled ? read_field() : read_literal_character())) return false;
  }
  return true;
}

bool PatternReader::read_literal_character() {
  const char c = text_[at_];
  if (!printable(c)) return fail(at_, shown(c) + " is not printable ASCII");
  if (c == '}' && text_.substr(at_, 2) != "}}") {
    return fail(at_, "'}' without '{' before it; write }} for the brace itself");
  }
  if (++literals_ > kLiteralCharactersMax) {
    return fail(
        at_, "more than " + std::to_string(kLiteralCharactersMax) + " characters outside braces");
  }
  if (pattern_.parts.empty() || pattern_.parts.back().kind != Kind::kLiteral) {
    pattern_.parts.push_back({Kind::kLiteral, ""});
  }
  pattern_.parts.back().literal += c;
  at_ += c == '{' || c == '}' ? 2 : 1;
  return true;
}

// Reads `{name word word}`.
bool PatternReader::read_field() {
  const std::size_t begin = at_;
  const std::size_t end = text_.find('}', begin);
  if (end == std::string_view::npos)
    return fail(begin, "'{' without '}' after it; write {{ for the brace");
  std::vector<std::pair<std::size_t, std::string_view>> words;
  for (std::size_t at = begin + 1; at <= end;) {
    const std::size_t word_end = std::min(text_.find(' ', at), end);
    words.emplace_back(at, text_.substr(at, word_end - at));
    at = word_end + 1;
  }
  at_ = end + 1;
  const std::string_view name = words.front().second;
  if (name == "check") {
    if (words.size() != 2) return fail(begin, "write {check damm}, {check luhn} or {check mod97}");
    return read_check(words[1].first, words[1].second) && add_field(begin, Kind::kCheck);
  }
  if (name == "id") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (!read_id_option(words[i].first, words[i].second)) return false;
    }
    return add_field(begin, Kind::kId);
  }
  const bool date = name == "year" || name == "month" || name == "day";
  if (!date) {
    return fail(begin, shown(name) + " is not a field; the fields are id, year, month, day, check");
  }
  if (words.size() != 1) return fail(words[1].first, "{" + std::string(name) + "} has no options");
  return add_field(begin, name == "year"    ? Kind::kYear
                          : name == "month" ? Kind::kMonth
                                            : Kind::kDay);
}

bool PatternReader::add_field(std::size_t at, Kind kind) {
  if (pattern_.has(kind)) return fail(at, "this field is there already");
  if (pattern_.has(Kind::kCheck)) {
    return fail(at, "{check} covers only what is before it; move this field before it");
  }
  pattern_.parts.push_back({kind, ""});
  const int characters = fixed_characters(kind, pattern_.check);
  pattern_.fixed += static_cast<std::size_t>(characters);
  if (!pattern_.has(Kind::kId)) pattern_.digits_before_id += characters;
  return true;
}

bool PatternReader::read_id_option(std::size_t at, std::string_view option) {
  const std::size_t equals = option.find('=');
  const std::string name(option.substr(0, equals));
  const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
  if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) {
    return fail(at, name + " is given twice");
  }
  seen_.push_back(name);
  if (name == "separator") {
    if (value.size() != 1 || !printable(value[0]) || value[0] == '{') {
      return fail(at, "a separator is one printable ASCII character, but not a space or a brace");
    }
    pattern_.separator = value[0];
    return true;
  }
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  if (name == "radix") {
    pattern_.radix = is_number ? Radix::find(number) : nullptr;
    return pattern_.radix != nullptr || fail(at, "radix is 10, 16, 32, 36, 58 or 62");
  }
  if (name == "width") {
    pattern_.width = number;
    return (is_number && number >= 1 && number <= kWidthMax) || fail(at, "width is 1 to 20");
  }
  if (name == "group") {
    pattern_.group = number;
    return (is_number && number >= 1 && number < kWidthMax) || fail(at, "group is 1 to 19");
  }
  return fail(at, shown(name) +
                      " is not an option of {id}; the options are radix=, width=, group= and "
                      "separator=");
}

bool PatternReader::read_check(std::size_t at, std::string_view name) {
  if (name == "damm") pattern_.check = Check::kDamm;
  if (name == "luhn") pattern_.check = Check::kLuhn;
  if (name == "mod97") pattern_.check = Check::kMod97;
  return pattern_.check != Check::kNone ||
         fail(at, shown(name) + " is not a check; the checks are damm, luhn and mod97");
}

bool PatternReader::check_whole() {
  const auto whole = [&](const std::string& why) {
    return fail("the pattern " + shown(text_) + " " + why);
  };
  const int radix = pattern_.radix->number();
  if (!pattern_.has(Kind::kId)) return whole("has no {id}");
  if (pattern_.has(Kind::kMonth) && !pattern_.has(Kind::kYear)) {
    return whole("has {month} without {year}");
  }
  if (pattern_.has(Kind::kDay) && !pattern_.has(Kind::kMonth)) {
    return whole("has {day} without {month}");
  }
  if (pattern_.check == Check::kDamm && radix != 10 && radix != 16 && radix != 32) {
    return whole("has {check damm}, which requires radix 10, 16 or 32; luhn and mod97 serve " +
                 std::to_string(radix));
  }
  const bool grouped = pattern_.group != kWidthMax;
  const bool separated = std::find(seen_.begin(), seen_.end(), "separator") != seen_.end();
  if (separated && !grouped) return whole("has a separator without group=");
  if (pattern_.radix->value(pattern_.separator) != Radix::kNoDigit) {
    return whole("has the separator " + shown(pattern_.separator) + ", which is a digit of radix " +
                 std::to_string(radix));
  }
  pattern_.fixed += literals_;
  pattern_.dated = pattern_.has(Kind::kYear);
  const int digits = pattern_.radix->count(std::numeric_limits<std::int64_t>::max());
  pattern_.digits_max = std::max(digits, pattern_.width);
  return true;
}

}  // namespace

Result<IdPattern> IdPattern::parse(std::string_view text) { return PatternReader(text).read(); }

bool IdPattern::has(Kind kind) const {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Part& part) { return part.kind == kind; });
}

std::size_t IdPattern::length(int digits) const {
  return fixed + static_cast<std::size_t>(digits + (digits - 1) / group);
}

int fixed_characters(IdPattern::Kind kind, Check check) {
  switch (kind) {
    case Kind::kYear:
      return 4;
    case Kind::kMonth:
    case Kind::kDay:
      return 2;
    case Kind::kCheck:
      return check == Check::kMod97 ? 2 : 1;
    default:
      return 0;
  }
}

std::string shown(char c) {
  if (printable(c)) return {'\'', c, '\''};
  char text[16];
  std::snprintf(text, sizeof(text), "byte 0x%02X", static_cast<unsigned char>(c));
  return text;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 64;
  std::string quoted = "'";
  for (const char c : text.substr(0, kShownMax)) quoted += printable(c) ? c : '?';
  return quoted + (text.size() > kShownMax ? "…'" : "'");
}

}  // namespace featherid
