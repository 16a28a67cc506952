// SPDX-License-Identifier: MIT
#include "featherid/id_format.h"

#include <cctype>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr Date kDay = {2026, 11, 29};

// Ids of every number of digits, and both sides of every power of two.
std::vector<std::int64_t> many_ids() {
  std::vector<std::int64_t> ids = {0, 1, 9, 10, kMax - 1, kMax};
  std::mt19937_64 random(1);
  for (int bits = 1; bits < 63; ++bits) {
    const std::int64_t power = std::int64_t{1} << bits;
    for (const std::int64_t id : {power - 1, power, power + 1}) ids.push_back(id);
    for (int i = 0; i < 5; ++i) ids.push_back(static_cast<std::int64_t>(random() >> (64 - bits)));
  }
  return ids;
}

// Patterns of every radix, alone and with everything around it.
std::vector<std::string> many_patterns() {
  std::vector<std::string> patterns;
  for (const char* radix : {"10", "16", "32", "36", "58", "62"}) {
    const std::string id = "{id radix=" + std::string(radix);
    for (const char* check : {"", "{check damm}", "{check luhn}", "{check mod97}"}) {
      for (const std::string& around :
           {id + "}", "INV-" + id + " width=8}-", id + " width=7 group=3}",
            "{year}" + id + " group=4 separator=.}/", id + "}{year}{month}{day}",
            "O1{year}{month}" + id + " width=20 group=1}l0"}) {
        if (IdFormat::make(around + check).ok()) patterns.push_back(around + check);
      }
    }
  }
  return patterns;
}

bool checked(const IdFormat& format) {
  return format.pattern().find("{check") != std::string::npos;
}

// Only Luhn misses a swap: that of the digits 0 and N - 1.
bool luhn_misses(const IdFormat& format, char a, char b) {
  if (format.pattern().find("luhn") == std::string::npos) return false;
  const auto is = [&](const char* first_and_last) {
    return (a == first_and_last[0] && b == first_and_last[1]) ||
           (b == first_and_last[0] && a == first_and_last[1]);
  };
  const std::string& pattern = format.pattern();
  if (pattern.find("radix=") == pattern.npos) return is("09");
  if (pattern.find("radix=10") != pattern.npos) return is("09");
  if (pattern.find("radix=16") != pattern.npos) return is("0F");
  if (pattern.find("radix=58") != pattern.npos) return is("1z");
  if (pattern.find("radix=62") != pattern.npos) return is("0z");
  return is("0Z");
}

// A text as its reader sees it: radix 16, 32 and 36 ignore case, and radix 32 reads three letters
// as digits.
std::string as_read(const IdFormat& format, std::string text) {
  const auto has = [&](const char* radix) {
    return format.pattern().find(radix) != std::string::npos;
  };
  if (!has("radix=16") && !has("radix=32") && !has("radix=36")) return text;
  for (char& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (has("radix=32") && (c == 'I' || c == 'L')) c = '1';
    if (has("radix=32") && c == 'O') c = '0';
  }
  return text;
}

// How many texts with one wrong character of `characters`, or one swap of neighbours, are read as
// an id.
int undetected(const IdFormat& format, const std::string& text, const std::string& characters) {
  const std::string right = as_read(format, text);
  const auto misread = [&](const std::string& wrong) {
    return format.parse(wrong).ok() && as_read(format, wrong) != right;
  };
  int count = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string wrong = text;
    for (const char c : characters) {
      wrong[at] = c;
      if (misread(wrong)) ++count;
    }
    wrong = text;
    if (at + 1 == text.size()) break;
    std::swap(wrong[at], wrong[at + 1]);
    if (misread(wrong) && !luhn_misses(format, text[at], text[at + 1])) ++count;
  }
  return count;
}

std::string why(const std::string& pattern, const std::string& text) {
  const Result<ParsedId> read = IdFormat::make(pattern)->parse(text);
  if (read.ok()) return "nothing";
  CHECK(read.status().code() == StatusCode::kInvalidArgument);
  const std::string message = read.status().message();
  return message.substr(message.find(": ") + 2);
}

std::string formatted(const std::string& pattern, std::int64_t id, Date date = {}) {
  return *IdFormat::make(pattern)->format(id, date);
}

}  // namespace

TEST_CASE("an id is written as its pattern says", "[id_format]") {
  CHECK(formatted("{id}", 42) == "42");
  CHECK(formatted("INV-{id width=6}", 42) == "INV-000042");
  CHECK(formatted("INV-{id width=6}", 1234567) == "INV-1234567");
  CHECK(formatted("{id group=3 separator=,}", 1234567) == "1,234,567");
  CHECK(formatted("{id group=3 separator=,}", 999) == "999");
  CHECK(formatted("{id radix=16}", 48879) == "BEEF");
  CHECK(formatted("{id radix=32 width=12 group=4}", 1234567890) == "0000-014S-C0PJ");
  CHECK(formatted("{id radix=62}", kMax) == "AzL8n0Y58m7");
  CHECK(formatted("{year}{month}{day}-{id}", 7, kDay) == "20261129-7");
  CHECK(formatted("{{{id}}}", 7) == "{7}");
  CHECK(formatted("{id}{check damm}", 572) == "5724");
  CHECK(formatted("{id}{check luhn}", 7992739871) == "79927398713");
  CHECK(formatted("{id}{check mod97}", 794) == "79444");
  CHECK(formatted("{year}-{id width=3}/{check damm}", 2, {57, 1, 1}) ==
        "0057-002/" + formatted("{id}{check damm}", 57002).substr(5));
}

TEST_CASE("every id is read back from its text, in every format", "[id_format]") {
  const std::vector<std::int64_t> ids = many_ids();
  int patterns = 0;
  for (const std::string& pattern : many_patterns()) {
    const IdFormat format = *IdFormat::make(pattern);
    ++patterns;
    for (const std::int64_t id : ids) {
      const std::string text = *format.format(id, kDay);
      const Result<ParsedId> read = format.parse(text);
      INFO(pattern << ' ' << text << ' ' << read.status().to_string());
      REQUIRE(read.ok());
      REQUIRE(read->id == id);
      REQUIRE(read->date.year == (pattern.find("{year}") != pattern.npos ? 2026 : 0));
      REQUIRE(read->date.month == (pattern.find("{month}") != pattern.npos ? 11 : 0));
      REQUIRE(read->date.day == (pattern.find("{day}") != pattern.npos ? 29 : 0));
      // No other text of the same length is read as this id.
      REQUIRE(*format.format(read->id, kDay) == text);
    }
  }
  CHECK(patterns == 6 * (4 * 6) - 3 * 6);  // without damm in three radixes
}

TEST_CASE("a format reads only what it writes", "[id_format]") {
  const std::string characters = "0123456789AZaz-./IOl ";
  std::mt19937_64 random(3);
  int read_texts = 0;
  for (const std::string& pattern : many_patterns()) {
    const IdFormat format = *IdFormat::make(pattern);
    for (int i = 0; i < 500; ++i) {
      std::string text = *format.format(static_cast<std::int64_t>(random() >> (1 + i % 63)), kDay);
      // Removes, changes or adds a character.
      const std::size_t at = random() % text.size();
      const char c = characters[random() % characters.size()];
      text.replace(at, random() % 2, random() % 2, c);
      const Result<ParsedId> read = format.parse(text);
      if (!read.ok()) continue;
      ++read_texts;
      Date date = read->date;
      if (date.month == 0) date.month = 1;
      if (date.day == 0) date.day = 1;
      if (date.year == 0) date.year = 1;
      INFO(pattern << ' ' << text);
      REQUIRE(as_read(format, *format.format(read->id, date)) == as_read(format, text));
    }
  }
  CHECK(read_texts > 1000);
}

TEST_CASE("with a check, every wrong character and every swap of neighbours is detected",
          "[id_format][one_thread]") {
  const std::string characters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-./ ";
  std::mt19937_64 random(2);
  for (const std::string& pattern : many_patterns()) {
    const IdFormat format = *IdFormat::make(pattern);
    if (!checked(format)) continue;
    std::vector<std::int64_t> ids = {0, 9, 10, 90, 99, 109, kMax};
    for (int i = 0; i < 6; ++i) ids.push_back(static_cast<std::int64_t>(random() >> (1 + 10 * i)));
    for (const std::int64_t id : ids) {
      const std::string text = *format.format(id, kDay);
      INFO(pattern << ' ' << text);
      REQUIRE(undetected(format, text, characters) == 0);
    }
  }
}

TEST_CASE("every wrong character and every swap in the ids 0 to 9999 is detected",
          "[id_format][one_thread]") {
  for (const char* pattern :
       {"{id width=4}{check damm}", "{id width=4}{check luhn}", "{id}-{check mod97}"}) {
    const IdFormat format = *IdFormat::make(pattern);
    int missed = 0;
    for (std::int64_t id = 0; id < 10000; ++id) {
      const std::string text = *format.format(id);
      missed += undetected(format, text, "0123456789");
    }
    INFO(pattern);
    CHECK(missed == 0);
  }
}

TEST_CASE("parse says which character is wrong", "[id_format]") {
  const std::string pattern = "INV-{year}-{id width=4}{check damm}";
  const std::string text = formatted(pattern, 428, kDay);
  CHECK(why(pattern, text) == "nothing");
  const Status status = IdFormat::make(pattern)->parse("INV+2026-04280").status();
  CHECK(status.message() == "'INV+2026-04280' is not an id in the format '" + pattern +
                                "': character 4 is '+', but '-' belongs there");
  CHECK(why(pattern, "INV-2O26-04280") ==
        "character 6 is 'O', but a digit of the date belongs there");
  CHECK(why(pattern, "INV-0000-04280") == "its date does not exist; years are 1 to 9999");
  CHECK(why(pattern, "INV-2026-04-80") == "character 12 is '-', which is not a digit of radix 10");
  CHECK(why(pattern,
            "INV-2026-042\x80"
            "0") == "character 13 is byte 0x80, which is not a digit of radix 10");
  std::string swapped = text;
  std::swap(swapped[10], swapped[11]);
  CHECK(why(pattern, swapped) == "the check is '" + text.substr(13) + "', but '" +
                                     formatted(pattern, 248, kDay).substr(13) +
                                     "' belongs to these digits; a character is wrong, or two are "
                                     "swapped");
}

TEST_CASE("parse says which length is right", "[id_format]") {
  CHECK(why("{id width=4}", "") == "it has 0 characters; such ids have 4 to 19");
  CHECK(why("{id width=4}", std::string(1000, '1')) ==
        "it has 1000 characters; such ids have 4 to 19");
  CHECK(why("{id width=20}", "1") == "it has 1 characters; such ids have 20");
  CHECK(why("{id group=3}", "-123") ==
        "it has 4 characters; such ids have 1 to 25, but a separator is never the first character "
        "of the number");
  CHECK(why("{id group=3}", "12-34") == "character 2 is '2', but '-' belongs there");
}

TEST_CASE("an id has one text", "[id_format]") {
  CHECK(why("{id width=2}", "007") ==
        "character 1 is '0', but a number of more than 2 digits does not start with a zero");
  CHECK(why("{id radix=58}", "12") ==
        "character 1 is '1', but a number of more than 1 digits does not start with a zero");
  CHECK(why("{id}", "9223372036854775807") == "nothing");
  CHECK(why("{id}", "9223372036854775808") == "its number is larger than 9223372036854775807");
  CHECK(why("{id width=20}", "99999999999999999999") ==
        "its number is larger than 9223372036854775807");
  CHECK(why("{id radix=62}", "AzL8n0Y58m8") == "its number is larger than 9223372036854775807");
  CHECK(why("{id}", "+1") == "character 1 is '+', which is not a digit of radix 10");
  CHECK(why("{id}", " 1") == "character 1 is ' ', which is not a digit of radix 10");
}

TEST_CASE("radix 16, 32 and 36 ignore case, and radix 32 forgives its readers", "[id_format]") {
  CHECK(IdFormat::make("{id radix=16}{check damm}")->parse("beeff").status().ok() ==
        IdFormat::make("{id radix=16}{check damm}")->parse("BEEFF").status().ok());
  CHECK(IdFormat::make("{id radix=16}")->parse("bEeF")->id == 48879);
  CHECK(IdFormat::make("{id radix=36}")->parse("zz")->id == 36 * 36 - 1);
  CHECK(IdFormat::make("{id radix=32}")->parse("iLoO")->id == (32 + 1) * 1024);
  CHECK(why("{id radix=32}", "1U") == "character 2 is 'U', which is not a digit of radix 32");
  CHECK(IdFormat::make("{id radix=62}")->parse("a")->id !=
        IdFormat::make("{id radix=62}")->parse("A")->id);
  CHECK(why("inv{id}", "INV1") == "character 1 is 'I', but 'i' belongs there");
  // A check of two decimal digits forgives nothing.
  const std::string text = formatted("{id radix=32}{check mod97}", 30);
  REQUIRE(text == "Y08");
  CHECK(why("{id radix=32}{check mod97}", "YO8").find("the check is 'O8', but '08'") == 0);
}

TEST_CASE("dates are those of the calendar", "[id_format]") {
  const IdFormat format = *IdFormat::make("{year}{month}{day}{id}");
  for (const char* text : {"202602281", "202402291", "200002291", "000101011", "999912311"}) {
    CHECK(format.parse(text).ok());
  }
  CHECK(why("{year}{month}{day}{id}", "202602291") ==
        "its date does not exist; that month has the days 1 to 28");
  CHECK(why("{year}{month}{day}{id}", "190002291") ==
        "its date does not exist; that month has the days 1 to 28");
  CHECK(why("{year}{month}{day}{id}", "202604311") ==
        "its date does not exist; that month has the days 1 to 30");
  CHECK(why("{year}{month}{id}", "2026131") == "its date does not exist; months are 1 to 12");
  CHECK(why("{year}{month}{id}", "2026001") == "its date does not exist; months are 1 to 12");
  CHECK(format.parse("202602281")->date == Date{2026, 2, 28});
}

TEST_CASE("format refuses what it cannot write", "[id_format]") {
  const IdFormat dated = *IdFormat::make("{year}-{id}");
  CHECK(dated.format(-1, kDay).status().to_string() ==
        "invalid argument: the id -1 is negative; ids are at least 0");
  CHECK(dated.format(1).status().message() ==
        "the format '{year}-{id}' requires a date, but 0-0-0 is none; years are 1 to 9999");
  CHECK(!dated.format(1, {10000, 1, 1}).ok());
  CHECK(!dated.format(1, {2026, 13, 1}).ok());
  CHECK(!dated.format(1, {2026, 2, 29}).ok());
  CHECK(dated.format(1, {9999, 12, 31}).ok());
  CHECK(IdFormat::make("{id}")->format(1, {-5, -5, -5}).ok());
}

TEST_CASE("format_to writes the same text", "[id_format]") {
  for (const std::string& pattern : many_patterns()) {
    const IdFormat format = *IdFormat::make(pattern);
    std::string text(IdFormat::kLengthMax, '#');
    const std::size_t length = *format.format_to(text.data(), 428, kDay);
    CHECK(text.substr(0, length) == *format.format(428, kDay));
    CHECK(text.substr(length) == std::string(text.size() - length, '#'));
  }
}

TEST_CASE("a format knows its length and the id at which it grows", "[id_format]") {
  for (const std::string& pattern : many_patterns()) {
    const IdFormat format = *IdFormat::make(pattern);
    const std::int64_t grows_at = format.grows_at();
    INFO(pattern);
    CHECK(format.format(0, kDay)->size() == format.length());
    CHECK(format.format(kMax, kDay)->size() == format.length_max());
    CHECK((grows_at == 0) == (format.length() == format.length_max()));
    if (grows_at == 0) continue;
    CHECK(format.format(grows_at - 1, kDay)->size() == format.length());
    CHECK(format.format(grows_at, kDay)->size() > format.length());
  }
  CHECK(IdFormat::make("{id width=6}")->grows_at() == 1000000);
  CHECK(IdFormat::make("{id radix=32 width=12}")->grows_at() == std::int64_t{1} << 60);
  CHECK(IdFormat::make("{id radix=32 width=13}")->grows_at() == 0);
  CHECK(IdFormat::make("{id width=18}")->grows_at() == 1000000000000000000);
  CHECK(IdFormat::make("{id width=19}")->grows_at() == 0);
}

TEST_CASE("no text is longer than the buffer", "[id_format]") {
  const IdFormat longest = *IdFormat::make(std::string(64, 'x') +
                                           "{year}{month}{day}{id width=20 group=1}{check mod97}");
  CHECK(longest.length() == longest.length_max());
  CHECK(longest.length() == 64 + 8 + 39 + 2);
  CHECK(longest.length() <= IdFormat::kLengthMax);
  CHECK(longest.parse(*longest.format(kMax, kDay))->id == kMax);
}

TEST_CASE("a format that was moved from still works", "[id_format]") {
  IdFormat format = *IdFormat::make("{id}");
  const IdFormat other = std::move(format);
  CHECK(*format.format(1) == "1");
  CHECK(other.pattern() == "{id}");
}

}  // namespace featherid
