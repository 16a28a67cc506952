// SPDX-License-Identifier: MIT
#include "server/resp/command_reader.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

namespace featherid {

namespace {

using Kind = CommandVerdict::Kind;

constexpr std::string_view kLineEnd = "\r\n";

CommandVerdict need_more() { return {}; }
CommandVerdict reject(std::string reason) { return {Kind::kReject, 0, std::move(reason)}; }
CommandVerdict accept(std::size_t length) { return {Kind::kCommand, length, {}}; }

// --- an array of bulk strings ---

// A line such as "*3\r\n", from its first byte on.
struct CountLine {
  enum class State { kNeedMore, kTooLong, kNoNumber, kNumber };
  State state;
  std::int64_t number = 0;
  std::size_t length_bytes = 0;
};

// A number has no sign but '-', and no zeros in front. So it has one form only.
CountLine read_count(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, kCountLineBytesMax);
  const std::size_t end = line.find('\r');
  if (end == std::string_view::npos) {
    return {line.size() == kCountLineBytesMax ? CountLine::State::kTooLong
                                              : CountLine::State::kNeedMore};
  }
  const std::string_view digits = line.substr(1, end - 1);
  const std::size_t first = digits.substr(0, 1) == "-" ? 1 : 0;
  const bool zero_in_front = digits.size() > 1 && digits[first] == '0';
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size() ||
      zero_in_front) {
    return {CountLine::State::kNoNumber};
  }
  if (bytes.size() < end + kLineEnd.size()) return {CountLine::State::kNeedMore};
  if (bytes[end + 1] != '\n') return {CountLine::State::kNoNumber};
  return {CountLine::State::kNumber, number, end + kLineEnd.size()};
}

// Redis puts the byte that it has met into its message. Control bytes would break the line.
std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::string("'") + (byte >= 0x20 && byte < 0x7f ? c : '?') + "'";
}

CommandVerdict read_array(std::string_view bytes, Command* command) {
  const CountLine count = read_count(bytes);
  if (count.state == CountLine::State::kNeedMore) return need_more();
  if (count.state == CountLine::State::kTooLong) return reject("too big mbulk count string");
  if (count.state == CountLine::State::kNoNumber || count.number < -1 ||
      count.number > static_cast<std::int64_t>(kArgumentsMax)) {
    return reject("invalid multibulk length");
  }
  std::size_t at = count.length_bytes;
  for (std::int64_t i = 0; i < count.number; ++i) {
    if (at + kCountLineBytesMax > kCommandBytesMax) return reject("too big command");
    if (at == bytes.size()) return need_more();
    if (bytes[at] != '$') return reject("expected '$', got " + shown(bytes[at]));
    const CountLine size = read_count(bytes.substr(at));
    if (size.state == CountLine::State::kNeedMore) return need_more();
    if (size.state == CountLine::State::kTooLong) return reject("too big bulk count string");
    if (size.state == CountLine::State::kNoNumber || size.number < 0 ||
        size.number > static_cast<std::int64_t>(kCommandBytesMax)) {
      return reject("invalid bulk length");
    }
    at += size.length_bytes;
    const auto size_bytes = static_cast<std::size_t>(size.number);
    const std::size_t end = at + size_bytes + kLineEnd.size();
    if (end > kCommandBytesMax) return reject("too big command");
    // Whether the line end is right is known only once it is there.
    if (bytes.size() < end) return need_more();
    if (bytes.substr(end - kLineEnd.size(), kLineEnd.size()) != kLineEnd) {
      return reject("a bulk string is longer than its length says");
    }
    command->arguments.push_back(bytes.substr(at, size_bytes));
    at = end;
  }
  return accept(at);
}

// --- a line ---

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Splits a line as Redis does: "…" with escapes, '…' with \' only, and either inside a word.
class LineSplitter {
 public:
  LineSplitter(std::string_view line, std::string* decoded) : line_(line), decoded_(*decoded) {
    decoded_.reserve(line.size());  // so that the views stay valid
  }

  // The next word. Nothing: there is none, or balanced() is false.
  std::optional<std::string_view> next() {
    while (at_ < line_.size() && is_space(line_[at_])) ++at_;
    if (at_ == line_.size()) return std::nullopt;
    const std::size_t begin = decoded_.size();
    while (at_ < line_.size() && !is_space(line_[at_])) {
      const char c = line_[at_++];
      if (c != '"' && c != '\'') {
        decoded_.push_back(c);
      } else if (!read_quoted(c)) {
        balanced_ = false;
        return std::nullopt;
      }
    }
    return std::string_view(decoded_).substr(begin);
  }
  bool balanced() const { return balanced_; }

 private:
  // What follows a quote, up to the next one, after which the word must end.
  bool read_quoted(char quote) {
    while (at_ < line_.size()) {
      const char c = line_[at_++];
      if (c == quote) return at_ == line_.size() || is_space(line_[at_]);
      const bool escapes = c == '\\' && at_ < line_.size() && (quote == '"' || line_[at_] == '\'');
      decoded_.push_back(escapes ? escaped(quote) : c);
    }
    return false;
  }

  char escaped(char quote) {
    const char c = line_[at_++];
    if (quote == '\'') return c;
    if (c == 'x' && at_ + 1 < line_.size()) {
      const int high = hex_digit(line_[at_]);
      const int low = hex_digit(line_[at_ + 1]);
      if (high >= 0 && low >= 0) return at_ += 2, static_cast<char>(16 * high + low);
    }
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'b':
        return '\b';
      case 'a':
        return '\a';
      default:
        return c;
    }
  }

  const std::string_view line_;
  std::string& decoded_;
  std::size_t at_ = 0;
  bool balanced_ = true;
};

CommandVerdict read_line(std::string_view bytes, Command* command) {
  const std::size_t end = bytes.substr(0, kInlineBytesMax).find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() >= kInlineBytesMax ? reject("too big inline request") : need_more();
  }
  LineSplitter words(bytes.substr(0, end), &command->decoded);
  while (const std::optional<std::string_view> word = words.next()) {
    if (command->arguments.size() == kArgumentsMax) return reject("too many words in a line");
    command->arguments.push_back(*word);
  }
  if (!words.balanced()) return reject("unbalanced quotes in request");
  return accept(end + 1);
}

}  // namespace

CommandVerdict read_command(std::string_view bytes, Command* command) {
  command->arguments.clear();
  command->decoded.clear();
  if (bytes.empty()) return need_more();
  return bytes.front() == '*' ? read_array(bytes, command) : read_line(bytes, command);
}

}  // namespace featherid
