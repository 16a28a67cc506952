// SPDX-License-Identifier: MIT
#include "lib/format/id_pattern.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

using Kind = IdPattern::Kind;

// What is wrong with a pattern.
std::string wrong(const std::string& pattern) {
  const Result<IdPattern> parsed = IdPattern::parse(pattern);
  if (parsed.ok()) return "nothing";
  CHECK(parsed.status().code() == StatusCode::kInvalidArgument);
  return parsed.status().message();
}

// The part after the sentence that names the pattern.
std::string reason(const std::string& pattern) {
  const std::string message = wrong(pattern);
  const std::string named = " of the pattern '" + pattern + "': ";
  const std::size_t at = message.find(named);
  return at == message.npos ? message
                            : message.substr(0, at) + ": " + message.substr(at + named.size());
}

}  // namespace

TEST_CASE("a pattern is its parts and the options of its id", "[id_pattern]") {
  const IdPattern all =
      *IdPattern::parse("A{{{year}/{id radix=32 width=8 group=4 separator=.}}}-{check damm}B");
  REQUIRE(all.parts.size() == 7);
  CHECK(all.parts[0].literal == "A{");
  CHECK(all.parts[1].kind == Kind::kYear);
  CHECK(all.parts[2].literal == "/");
  CHECK(all.parts[3].kind == Kind::kId);
  CHECK(all.parts[4].literal == "}-");
  CHECK(all.parts[5].kind == Kind::kCheck);
  CHECK(all.parts[6].literal == "B");
  CHECK(all.radix->number() == 32);
  CHECK(all.width == 8);
  CHECK(all.group == 4);
  CHECK(all.separator == '.');
  CHECK(all.check == Check::kDamm);
  CHECK(all.digits_max == 13);
  CHECK(all.digits_before_id == 4);
  CHECK(all.dated);
  CHECK(all.fixed == 2 + 4 + 1 + 2 + 1 + 1);
  CHECK(all.length(8) == all.fixed + 9);

  const IdPattern least = *IdPattern::parse("{id}");
  CHECK(least.radix->number() == 10);
  CHECK(least.width == 1);
  CHECK(least.check == Check::kNone);
  CHECK(!least.dated);
  CHECK(least.length(20) == 20);
  CHECK(IdPattern::parse("{id}{year}{check mod97}")->digits_before_id == 0);
}

TEST_CASE("an error of a pattern names the character and what to do", "[id_pattern]") {
  CHECK(wrong("") == "the pattern '' has no {id}");
  CHECK(wrong("INV") == "the pattern 'INV' has no {id}");
  CHECK(reason("{id") == "character 1: '{' without '}' after it; write {{ for the brace");
  CHECK(reason("id}") == "character 3: '}' without '{' before it; write }} for the brace itself");
  CHECK(reason("{id}{id}") == "character 5: this field is there already");
  CHECK(reason("{check damm}{id}") ==
        "character 13: {check} covers only what is before it; move this field before it");
  CHECK(reason("-{ID}") ==
        "character 2: 'ID' is not a field; the fields are id, year, month, day, check");
  CHECK(reason("{}") ==
        "character 1: '' is not a field; the fields are id, year, month, day, check");
  CHECK(reason("{year 4}{id}") == "character 7: {year} has no options");
  CHECK(reason("{id}{check}") == "character 5: write {check damm}, {check luhn} or {check mod97}");
  CHECK(reason("{id}{check crc}") ==
        "character 12: 'crc' is not a check; the checks are damm, luhn and mod97");
  CHECK(reason("{id size=3}") ==
        "character 5: 'size' is not an option of {id}; the options are radix=, width=, group= and "
        "separator=");
  CHECK(reason("{id  width=3}") ==
        "character 5: '' is not an option of {id}; the options are radix=, width=, group= and "
        "separator=");
  for (const char* value : {"radix=2", "radix=", "radix", "radix=ten", "radix=10x"}) {
    CHECK(reason("{id " + std::string(value) + "}") ==
          "character 5: radix is 10, 16, 32, 36, 58 or 62");
  }
  for (const char* value : {"width=0", "width=21", "width=-1", "width=", "width= 5"}) {
    CHECK(reason("{id " + std::string(value) + "}") == "character 5: width is 1 to 20");
  }
  for (const char* value : {"group=0", "group=20", "group"}) {
    CHECK(reason("{id " + std::string(value) + "}") == "character 5: group is 1 to 19");
  }
  CHECK(reason("{id width=3 width=4}") == "character 13: width is given twice");
  for (const char* value : {"separator=", "separator=--", "separator={", "separator=\n"}) {
    CHECK(reason("{id group=3 " + std::string(value) + "}")
              .find("a separator is one printable ASCII character") != std::string::npos);
  }
}

TEST_CASE("a pattern that could not be read back is refused", "[id_pattern]") {
  CHECK(wrong("{id separator=.}") ==
        "the pattern '{id separator=.}' has a separator without group=");
  CHECK(wrong("{id group=3 separator=5}") ==
        "the pattern '{id group=3 separator=5}' has the separator '5', which is a digit of radix "
        "10");
  CHECK(wrong("{id radix=32 group=3 separator=o}") ==
        "the pattern '{id radix=32 group=3 separator=o}' has the separator 'o', which is a digit "
        "of radix 32");
  CHECK(IdPattern::parse("{id group=3 separator=o}").ok());
  CHECK(wrong("{id}{month}") == "the pattern '{id}{month}' has {month} without {year}");
  CHECK(wrong("{id}{year}{day}") == "the pattern '{id}{year}{day}' has {day} without {month}");
  for (const int radix : {36, 58, 62}) {
    const std::string number = std::to_string(radix);
    CHECK(wrong("{id radix=" + number + "}{check damm}") ==
          "the pattern '{id radix=" + number +
              "}{check damm}' has {check damm}, which requires radix 10, 16 or 32; luhn and mod97 "
              "serve " +
              number);
  }
}

TEST_CASE("a pattern is bounded, and printable", "[id_pattern]") {
  CHECK(IdPattern::parse(std::string(64, 'x') + "{id}").ok());
  CHECK(wrong(std::string(65, 'x') + "{id}").find("more than 64 characters outside braces") !=
        std::string::npos);
  CHECK(IdPattern::parse(std::string(63, 'x') + "{{{id}").ok());
  CHECK(wrong(std::string(257, 'x')) == "the pattern has 257 characters; at most 256 are allowed");
  CHECK(reason("a\nb{id}").find("byte 0x0A is not printable ASCII") != std::string::npos);
  CHECK(wrong("№{id}").find("byte 0xE2 is not printable ASCII") != std::string::npos);
  CHECK(wrong("№{id}").find("'???{id}'") != std::string::npos);
}

TEST_CASE("what a message shows is bounded and printable", "[id_pattern]") {
  CHECK(shown('x') == "'x'");
  CHECK(shown('\n') == "byte 0x0A");
  CHECK(shown('\xFF') == "byte 0xFF");
  CHECK(shown("a\x1B[31mb") == "'a?[31mb'");
  CHECK(shown(std::string(64, 'x')) == "'" + std::string(64, 'x') + "'");
  CHECK(shown(std::string(65, 'x')) == "'" + std::string(64, 'x') + "…'");
}

}  // namespace featherid
