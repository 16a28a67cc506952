// SPDX-License-Identifier: MIT
#include "lib/format/check_characters.h"

#include <functional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

using Digits = std::vector<std::uint8_t>;

Values values_of(const Digits& digits) { return {digits.data(), digits.data() + digits.size()}; }

Digits digits_of(const std::string& text) {
  Digits digits;
  for (const char c : text) digits.push_back(static_cast<std::uint8_t>(c - '0'));
  return digits;
}

// Whether `digits`, the last `checks` of which are their check, are right.
using Right = std::function<bool(const Digits& digits)>;

Right one_digit(std::uint8_t (*check)(Values, int), int radix) {
  return [=](const Digits& digits) {
    return check({digits.data(), digits.data() + digits.size() - 1}, radix) == digits.back();
  };
}

// Calls `visit` with every text of `count` digits and their check digit.
void every_text(std::uint8_t (*check)(Values, int), int radix, int count,
                const std::function<void(const Digits&)>& visit) {
  int texts = 1;
  for (int i = 0; i < count; ++i) texts *= radix;
  for (int text = 0; text < texts; ++text) {
    Digits digits;
    for (int i = 0, rest = text; i < count; ++i, rest /= radix) {
      digits.push_back(static_cast<std::uint8_t>(rest % radix));
    }
    digits.push_back(check(values_of(digits), radix));
    visit(digits);
  }
}

int missed_wrong_digits(const Digits& text, int radix, const Right& right) {
  int missed = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int value = 0; value < radix; ++value) {
      Digits wrong = text;
      wrong[at] = static_cast<std::uint8_t>(value);
      if (wrong != text && right(wrong)) ++missed;
    }
  }
  return missed;
}

// The pairs of neighbours whose swap is not noticed.
void add_missed_swaps(const Digits& text, const Right& right,
                      std::set<std::pair<int, int>>* missed) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    Digits wrong = text;
    std::swap(wrong[at], wrong[at + 1]);
    if (wrong != text && right(wrong)) missed->insert({text[at], text[at + 1]});
  }
}

}  // namespace

TEST_CASE("check characters of published examples", "[check_characters]") {
  CHECK(damm(values_of(digits_of("572")), 10) == 4);
  CHECK(luhn(values_of(digits_of("7992739871")), 10) == 3);
  CHECK(luhn(values_of({0, 1, 2, 3, 4, 5}), 6) == 4);  // "abcdef" over the letters a to f: "e"
  CHECK(mod97(values_of(digits_of("794"))) == 44);     // ISO 7064: 79444
}

// One digit after the other, as it is defined. luhn() takes eight at a time.
TEST_CASE("Luhn is the same for any number of digits", "[check_characters]") {
  std::minstd_rand random(1);
  for (const int radix : {10, 16, 32, 36, 58, 62}) {
    for (std::ptrdiff_t count = 0; count <= kCheckedMax; ++count) {
      for (int i = 0; i < 100; ++i) {
        Digits digits;
        int sum = 0;
        for (std::ptrdiff_t left = count; left > 0; --left) {
          const bool largest = i == 0;
          const int digit = largest ? radix - 1 : static_cast<int>(random() % radix);
          digits.push_back(static_cast<std::uint8_t>(digit));
          const int twice = 2 * digit;
          sum += left % 2 == 0 ? digit : twice / radix + twice % radix;
        }
        CAPTURE(radix, count, i);
        REQUIRE(luhn(values_of(digits), radix) == (radix - sum % radix) % radix);
      }
    }
  }
}

TEST_CASE("zeros in front change no check", "[check_characters]") {
  for (const int radix : {10, 16, 32}) {
    CHECK(damm(values_of({0, 0, 7, 5}), radix) == damm(values_of({7, 5}), radix));
    CHECK(luhn(values_of({0, 0, 7, 5}), radix) == luhn(values_of({7, 5}), radix));
  }
  CHECK(mod97(values_of({0, 0, 7, 5})) == mod97(values_of({7, 5})));
}

TEST_CASE("Damm detects every wrong digit and every swap of neighbours", "[check_characters]") {
  for (const int radix : {10, 16, 32}) {
    int missed = 0;
    std::set<std::pair<int, int>> swaps;
    // After the first digit the state is any, so what holds for the others holds in every place.
    every_text(damm, radix, 3, [&](const Digits& text) {
      missed += missed_wrong_digits(text, radix, one_digit(damm, radix));
      add_missed_swaps(text, one_digit(damm, radix), &swaps);
    });
    INFO(radix);
    CHECK(missed == 0);
    CHECK(swaps.empty());
  }
}

TEST_CASE("Luhn detects every wrong digit, and every swap except one pair", "[check_characters]") {
  for (const int radix : {10, 16, 32, 36, 58, 62}) {
    int missed = 0;
    std::set<std::pair<int, int>> swaps;
    // Two digits and their check have both weights, which alternate from there on.
    every_text(luhn, radix, 2, [&](const Digits& text) {
      missed += missed_wrong_digits(text, radix, one_digit(luhn, radix));
      add_missed_swaps(text, one_digit(luhn, radix), &swaps);
    });
    INFO(radix);
    CHECK(missed == 0);
    CHECK(swaps == std::set<std::pair<int, int>>{{0, radix - 1}, {radix - 1, 0}});
  }
}

TEST_CASE("MOD 97-10 detects every wrong digit and every swap, in every place",
          "[check_characters]") {
  // The check is a sum over the places, so an error of one or two digits is detected after all
  // digits if it is after zeros.
  for (std::ptrdiff_t place = 0; place < kCheckedMax; ++place) {
    std::set<int> checks;
    for (int value = 0; value < 62; ++value) {
      Digits digits(kCheckedMax, 0);
      digits[place] = static_cast<std::uint8_t>(value);
      checks.insert(mod97(values_of(digits)));
    }
    CHECK(checks.size() == 62);
  }
  int missed = 0;
  for (std::ptrdiff_t place = 0; place + 1 < kCheckedMax; ++place) {
    for (int a = 0; a < 62; ++a) {
      for (int b = 0; b < a; ++b) {
        Digits digits(kCheckedMax, 0);
        digits[place] = static_cast<std::uint8_t>(a);
        digits[place + 1] = static_cast<std::uint8_t>(b);
        const int check = mod97(values_of(digits));
        std::swap(digits[place], digits[place + 1]);
        if (mod97(values_of(digits)) == check) ++missed;
      }
    }
  }
  CHECK(missed == 0);
}

TEST_CASE("MOD 97-10 is the remainder of the number", "[check_characters]") {
  for (std::uint64_t number = 1; number < 1000000000000000000; number = number * 7 + 3) {
    const auto check =
        static_cast<std::uint64_t>(mod97(values_of(digits_of(std::to_string(number)))));
    CHECK((number % 97 * 100 + check) % 97 == 1);
    CHECK(check >= 2);
    CHECK(check <= 98);
  }
}

}  // namespace featherid
