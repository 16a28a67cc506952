// SPDX-License-Identifier: MIT
#include "lib/format/scramble/scramble_keys.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

const std::string kKey = "2b7e151628aed2a6abf7158809cf4f3c";
const std::string kOther = "000102030405060708090A0B0C0D0E0F";

std::string wrong(const std::string& text) {
  const Result<ScrambleKeys> keys = ScrambleKeys::parse(text);
  if (keys.ok()) return "nothing";
  CHECK(keys.status().code() == StatusCode::kFailedPrecondition);
  CHECK(keys.status().message().find(kKey.substr(0, 8)) == std::string::npos);
  return keys.status().message();
}

// The number that 1 becomes, which depends on the first key alone.
std::int64_t first_key(const ScrambleKeys& keys) {
  return *IdScramble::with_digits(6, keys)->scramble(1);
}

}  // namespace

TEST_CASE("keys are separated by spaces or ends of lines, and the first one scrambles",
          "[scramble_keys]") {
  const std::int64_t expected = first_key(*ScrambleKeys::parse("0:" + kKey));
  for (const std::string& text :
       {"0:" + kKey + " 1:" + kOther, "\n  0:" + kKey + "\r\n\t1:" + kOther + "\n"}) {
    CHECK(first_key(*ScrambleKeys::parse(text)) == expected);
  }
  CHECK(first_key(*ScrambleKeys::parse("1:" + kOther + " 0:" + kKey)) / 1000000 == 1);
  CHECK(wrong("7:" + kKey + kKey.substr(16)) == "nothing");
  CHECK(wrong("7:" + kKey + kKey) == "nothing");
}

TEST_CASE("capitals are the same digits", "[scramble_keys]") {
  CHECK(first_key(*ScrambleKeys::parse("0:ABCDEFabcdef01234567890000000000")) ==
        first_key(*ScrambleKeys::parse("0:abcdefABCDEF01234567890000000000")));
}

TEST_CASE("an error of a key names the key but does not show it", "[scramble_keys]") {
  const std::string none =
      "there is no scramble key; write NUMBER:KEY, such as 0: and 32 hexadecimal digits";
  CHECK(wrong("") == none);
  CHECK(wrong(" \n") == none);
  CHECK(wrong(kKey) == "scramble key 1 in the list has no colon; write NUMBER:KEY");
  for (const char* number : {"", "-1", "x", "1x", "+1", "9223372036854775808"}) {
    CHECK(wrong(number + (":" + kKey)).find("in the list") != std::string::npos);
  }
  CHECK(wrong("0:" + kKey + " 0:" + kOther) ==
        "scramble key 2 in the list has the number 0, which an earlier key has already");
  CHECK(wrong("0:" + kKey + "0") ==
        "scramble key 1 in the list has 33 characters after the colon; a key is 32, 48 or 64 "
        "hexadecimal digits");
  CHECK(wrong("0:" + kKey.substr(1) + "g") ==
        "scramble key 1 in the list contains a character that is not a hexadecimal digit");
  std::string many;
  for (int i = 0; i < 64; ++i) many += std::to_string(i) + ":" + kKey + "\n";
  CHECK(wrong(many) == "nothing");
  CHECK(wrong(many + "64:" + kKey) == "there are more than 64 scramble keys");
}

TEST_CASE("keys are read from a file", "[scramble_keys]") {
  const test::ScratchDir folder;
  const std::string file = folder.file("keys");
  CHECK(ScrambleKeys::read_file(file).status().code() == StatusCode::kUnavailable);
  std::ofstream(file) << "0:" << kKey << "\n1:" << kOther << "\n";
  CHECK(first_key(*ScrambleKeys::read_file(file)) == first_key(*ScrambleKeys::parse("0:" + kKey)));
  std::ofstream(file) << "0:" << kKey << "0\n";
  CHECK(ScrambleKeys::read_file(file).status().message().find("the file " + file +
                                                              ": scramble key 1 ") == 0);
}

TEST_CASE("keys are read from the environment", "[scramble_keys]") {
  const char* const variable = "FEATHERID_TEST_SCRAMBLE_KEYS";
  ::unsetenv(variable);
  CHECK(ScrambleKeys::read_environment(variable).status().message() ==
        "the environment has no FEATHERID_TEST_SCRAMBLE_KEYS; set it to the scramble keys");
  ::setenv(variable, ("0:" + kKey).c_str(), 1);
  CHECK(first_key(*ScrambleKeys::read_environment(variable)) ==
        first_key(*ScrambleKeys::parse("0:" + kKey)));
  ::setenv(variable, "0", 1);
  CHECK(ScrambleKeys::read_environment(variable).status().message().find(
            "the variable FEATHERID_TEST_SCRAMBLE_KEYS: scramble key 1 ") == 0);
  ::unsetenv(variable);
}

}  // namespace featherid
