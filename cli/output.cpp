// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "lib/base/utf8.h"
#include "server/log/json.h"

namespace featherid {

namespace {

// The terminal shows the characters of these ranges twice as wide: Chinese, Japanese, Korean and
// most pictures.
bool is_wide(char32_t code) {
  return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
         (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
         (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
         (code >= 0x20000 && code <= 0x3FFFD);
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Utf8Char next = utf8_char(text);
    columns += is_wide(next.code_point) ? 2 : 1;
    text.remove_prefix(std::max<std::size_t>(1, next.bytes));
  }
  return columns;
}

std::string aligned(const std::string& text, std::size_t columns, bool right) {
  const std::string blanks(columns - columns_of(text), ' ');
  return right ? blanks + text : text + blanks;
}

// Without blanks at the end of the line.
std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string percent_text(double part, double whole) {
  const double percent = 100 * part / whole;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", percent);
  return text;
}

Value::Value(const std::string& value) : text(printable(value)), json(json_string(value)) {}
Value::Value(const char* value) : Value(std::string(value)) {}
Value::Value(std::int64_t number)
    : text(std::to_string(number)), json(std::to_string(number)), right(true) {}
Value::Value(bool yes) : text(yes ? "yes" : "no"), json(yes ? "true" : "false") {}

Value Value::list(const std::vector<Value>& values) {
  Value list;
  for (const Value& value : values) {
    list.text += (list.text.empty() ? "" : ", ") + value.text;
    list.json += (list.json.empty() ? "[" : ",") + value.json;
  }
  list.json += list.json.empty() ? "[]" : "]";
  return list;
}

Value Value::none(const char* text) {
  Value none;
  none.text = text;
  none.json = "null";
  return none;
}

Value Value::fraction(double number, std::string text) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", number);
  Value value;
  value.text = std::move(text);
  value.json = digits;
  value.right = true;
  return value;
}

std::string to_json(const Record& record) {
  std::string json = "{";
  for (const auto& [name, value] : record) {
    if (json.size() > 1) json += ',';
    json.append(json_string(name)).append(":").append(value.json);
  }
  return json + '}';
}

std::string Output::painted(Colour colour, std::string_view text) const {
  if (!colours_ || json_) return std::string(text);
  static constexpr const char* kCodes[] = {"1", "31", "33", "32"};
  return std::string("\x1b[") + kCodes[static_cast<int>(colour)] + 'm' + std::string(text) +
         "\x1b[0m";
}

void Output::say(const std::string& sentence, const Record& record) {
  out_ << (json_ ? to_json(record) : printable(sentence)) << '\n';
}

void Output::text(const std::string& text) { out_ << text; }

void Output::line(const std::string& text) {
  if (!json_) out_ << text << '\n';
}

void Output::show(const Record& record) {
  if (json_) return say("", record);
  std::size_t columns = 0;
  for (const auto& [name, value] : record) columns = std::max(columns, columns_of(name));
  for (const auto& [name, value] : record) {
    line(painted(Colour::kBold, aligned(name, columns, false)) + "  " + value.text);
  }
}

void Output::list(const std::vector<Record>& records, const std::string& if_empty) {
  if (json_) {
    std::string json;
    for (const Record& record : records) json += (json.empty() ? "[" : ",\n") + to_json(record);
    out_ << json << (json.empty() ? "[]\n" : "]\n");
    return;
  }
  if (records.empty()) return line(if_empty);
  std::vector<std::size_t> columns;
  for (const auto& [name, value] : records.front()) columns.push_back(columns_of(name));
  std::vector<bool> right(columns.size());  // what is not there stands where the numbers do
  for (const Record& record : records) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      columns[i] = std::max(columns[i], columns_of(record[i].second.text));
      right[i] = right[i] || record[i].second.right;
    }
  }
  const auto print_row = [&](const Record& record, bool head) {
    std::string row;
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (i > 0) row += "  ";
      row += aligned(head ? record[i].first : record[i].second.text, columns[i], right[i]);
    }
    line(head ? painted(Colour::kBold, trimmed(row)) : trimmed(row));
  };
  print_row(records.front(), true);
  for (const Record& record : records) print_row(record, false);
}

}  // namespace featherid
