// SPDX-License-Identifier: MIT
#include "lib/format/radix.h"

#include <cctype>
#include <charconv>
#include <limits>
#include <random>
#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

const int kNumbers[] = {10, 16, 32, 36, 58, 62};

std::string written(const Radix& radix, std::uint64_t id, int width = 1) {
  std::uint8_t values[20];
  const std::uint8_t* first = radix.write(id, width, values + 20);
  std::string text;
  for (; first != values + 20; ++first) text += radix.digit(*first);
  return text;
}

}  // namespace

TEST_CASE("a radix reads back every digit that it writes", "[radix]") {
  CHECK(Radix::find(2) == nullptr);
  CHECK(Radix::find(64) == nullptr);
  for (const int number : kNumbers) {
    const Radix* const radix = Radix::find(number);
    REQUIRE(radix != nullptr);
    CHECK(radix->number() == number);
    for (int value = 0; value < number; ++value) {
      const char digit = radix->digit(static_cast<std::uint8_t>(value));
      CHECK(std::isalnum(static_cast<unsigned char>(digit)));
      CHECK(radix->value(digit) == value);
    }
  }
}

TEST_CASE("a radix reads exactly its digits, other cases and Crockford's letters", "[radix]") {
  const auto readable = [](int number) {
    int count = 0;
    for (int c = 0; c < 256; ++c) {
      if (Radix::find(number)->value(static_cast<char>(c)) != Radix::kNoDigit) ++count;
    }
    return count;
  };
  CHECK(readable(10) == 10);
  CHECK(readable(16) == 16 + 6);
  CHECK(readable(32) == 32 + 22 + 6);
  CHECK(readable(36) == 36 + 26);
  CHECK(readable(58) == 58);
  CHECK(readable(62) == 62);
  for (const char one : {'I', 'i', 'L', 'l'}) CHECK(Radix::find(32)->value(one) == 1);
  for (const char zero : {'O', 'o'}) CHECK(Radix::find(32)->value(zero) == 0);
  for (const char none : {'U', 'u'}) CHECK(Radix::find(32)->value(none) == Radix::kNoDigit);
}

TEST_CASE("a radix writes as to_chars does", "[radix]") {
  std::mt19937_64 random(1);
  for (const int number : {10, 16, 36}) {
    for (int i = 0; i < 10000; ++i) {
      const std::uint64_t id = i < 1000 ? static_cast<std::uint64_t>(i) : random() >> (i % 60);
      char text[64];
      std::string expected(text, std::to_chars(text, text + 64, id, number).ptr);
      for (char& c : expected) c = static_cast<char>(std::toupper(c));
      REQUIRE(written(*Radix::find(number), id) == expected);
      REQUIRE(Radix::find(number)->count(id) == static_cast<int>(expected.size()));
    }
  }
}

TEST_CASE("a radix writes known numbers", "[radix]") {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  CHECK(written(*Radix::find(10), 42, 6) == "000042");
  CHECK(written(*Radix::find(10), 1234567, 6) == "1234567");
  CHECK(written(*Radix::find(32), kMax) == "7ZZZZZZZZZZZZ");
  CHECK(written(*Radix::find(58), 0, 3) == "111");
  CHECK(written(*Radix::find(58), 58) == "21");
  CHECK(written(*Radix::find(58), kMax) == "NQm6nKp8qFC");
  CHECK(written(*Radix::find(62), kMax) == "AzL8n0Y58m7");
  CHECK(Radix::find(62)->count(kMax) == 11);
}

}  // namespace featherid
