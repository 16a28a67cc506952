// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_OUTPUT_H_
#define FEATHERID_CLI_OUTPUT_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace featherid {

// A value of a record, as people and as programs read it.
struct Value {
  Value(const std::string& value);  // NOLINT(google-explicit-constructor)
  Value(const char* value);         // NOLINT(google-explicit-constructor)
  Value(std::int64_t number);       // NOLINT(google-explicit-constructor)
  Value(bool yes);                  // NOLINT(google-explicit-constructor)
  static Value list(const std::vector<Value>& values);
  // null, which people see as `text`.
  static Value none(const char* text = "-");
  static Value fraction(double number, std::string text);

  std::string text;
  std::string json;
  bool right = false;  // aligned in a table

 private:
  Value() = default;
};

// Values by name, in the order in which they are printed.
using Record = std::vector<std::pair<std::string, Value>>;

enum class Colour { kBold, kRed, kYellow, kGreen };

// What a command prints: for people, or with --json for programs. As JSON, a command prints one
// value on one line. Texts may come from a database that others write to, so control characters are
// replaced.
class Output {
 public:
  Output(std::ostream& out, bool json, bool colours) : out_(out), json_(json), colours_(colours) {}

  // The sentence for people, the record for programs.
  void say(const std::string& sentence, const Record& record);
  // A text as it is, for people and programs alike.
  void text(const std::string& text);
  // A line for people, nothing for programs.
  void line(const std::string& text);
  // One name and value on each line; or an object.
  void show(const Record& record);
  // A table with the records' names as its head; or an array of objects. All records have the same
  // names. `if_empty`: the sentence for people if there is none.
  void list(const std::vector<Record>& records, const std::string& if_empty);

  bool json() const { return json_; }
  std::string painted(Colour colour, std::string_view text) const;

 private:
  std::ostream& out_;
  const bool json_;
  const bool colours_;
};

// The record as a JSON object.
std::string to_json(const Record& record);

// "41.3 %" of `whole`.
std::string percent_text(double part, double whole);

}  // namespace featherid

#endif  // FEATHERID_CLI_OUTPUT_H_
