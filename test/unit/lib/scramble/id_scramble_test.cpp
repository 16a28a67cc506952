// SPDX-License-Identifier: MIT
#include "featherid/id_scramble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
const std::string kKeyA = "2b7e151628aed2a6abf7158809cf4f3c";
const std::string kKeyB = "000102030405060708090a0b0c0d0e0f";

ScrambleKeys keys(const std::string& text) { return *ScrambleKeys::parse(text); }
ScrambleKeys one_key() { return keys("0:" + kKeyA); }

// Whether the whole domain is mapped onto itself, each number once, and a sample maps back.
bool is_bijection(const IdScramble& scramble) {
  std::vector<bool> seen(static_cast<std::size_t>(scramble.id_max()) + 1);
  for (std::int64_t id = 0; id <= scramble.id_max(); ++id) {
    const std::int64_t number = *scramble.scramble(id);
    if (number < 0 || number > scramble.id_max() || seen[static_cast<std::size_t>(number)]) {
      return false;
    }
    seen[static_cast<std::size_t>(number)] = true;
    if (id % 16 == 0 && *scramble.unscramble(number) != id) return false;
  }
  return true;
}

// The correlation of the numbers of an id and of the id `distance` after it, over `count` ids.
double correlation(const IdScramble& scramble, std::int64_t distance, int count) {
  const auto size = static_cast<double>(scramble.id_max());
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::int64_t id = 1; id <= count; ++id) {
    const double x = static_cast<double>(*scramble.scramble(id)) / size - 0.5;
    const double y = static_cast<double>(*scramble.scramble(id + distance)) / size - 0.5;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xy / std::sqrt(xx * yy);
}

}  // namespace

TEST_CASE("a scramble of 10 digits is FF1: NIST's sample 1", "[id_scramble]") {
  const IdScramble scramble = *IdScramble::with_digits(10, one_key());
  CHECK(*scramble.scramble(123456789) == 2433477484);
  CHECK(*scramble.unscramble(2433477484) == 123456789);
  CHECK(*scramble.scramble(123456789, "9876543210") == 6124200773);
  CHECK(*scramble.unscramble(6124200773, "9876543210") == 123456789);
}

TEST_CASE("every id of a whole domain becomes one number of it", "[id_scramble][one_thread]") {
  CHECK(is_bijection(*IdScramble::with_digits(6, one_key())));
  CHECK(is_bijection(*IdScramble::with_bits(20, one_key())));
}

TEST_CASE("domains that FF1 does not allow are refused", "[id_scramble]") {
  for (const int bits : {-1, 0, 19, 64}) {
    const Status status = IdScramble::with_bits(bits, one_key()).status();
    CHECK(status.message() == "a scramble of " + std::to_string(bits) + " bits; use 20 to 63");
  }
  for (const int digits : {-1, 0, 5, 19}) {
    const Status status = IdScramble::with_digits(digits, one_key()).status();
    CHECK(status.message() == "a scramble of " + std::to_string(digits) + " digits; use 6 to 18");
  }
  for (int bits = 20; bits <= 63; ++bits) {
    CHECK(IdScramble::with_bits(bits, one_key())->id_max() == kMax >> (63 - bits));
    CHECK(IdScramble::with_bits(bits, one_key())->id_max() >= 1000000 - 1);
  }
  CHECK(IdScramble::with_digits(6, one_key())->id_max() == 999999);
  CHECK(IdScramble::with_digits(18, one_key())->id_max() == 999999999999999999);
}

TEST_CASE("the ends of every domain map there and back", "[id_scramble]") {
  const auto check = [](const IdScramble& scramble) {
    for (const std::int64_t id : {std::int64_t{0}, std::int64_t{1}, scramble.id_max() / 2,
                                  scramble.id_max() - 1, scramble.id_max()}) {
      const std::int64_t number = *scramble.scramble(id, "2026-11-29");
      REQUIRE(number >= 0);
      REQUIRE(number <= scramble.id_max());
      REQUIRE(*scramble.unscramble(number, "2026-11-29") == id);
    }
    CHECK(!scramble.scramble(-1).ok());
    CHECK(!scramble.unscramble(-1).ok());
    if (scramble.id_max() < kMax) CHECK(!scramble.scramble(scramble.id_max() + 1).ok());
  };
  for (int bits = 20; bits <= 63; ++bits) check(*IdScramble::with_bits(bits, one_key()));
  for (int digits = 6; digits <= 18; ++digits) check(*IdScramble::with_digits(digits, one_key()));
}

TEST_CASE("errors say what to do", "[id_scramble]") {
  const IdScramble scramble = *IdScramble::with_digits(6, one_key());
  CHECK(scramble.scramble(1000000).status().to_string() ==
        "invalid argument: the id 1000000 is not in the domain of its scramble, 0 to 999999; the "
        "cap of its tag must be at most that");
  CHECK(scramble.unscramble(3000000).status().to_string() ==
        "invalid argument: the scrambled id 3000000 is of key 3, which is not among the keys");
  CHECK(scramble.scramble(1, std::string(64, 't')).ok());
  const std::string long_tweak(65, 't');
  CHECK(scramble.scramble(1, long_tweak).status().message() ==
        "a tweak has 65 bytes; at most 64 are allowed");
  CHECK(scramble.unscramble(1, long_tweak).status().message() ==
        "a tweak has 65 bytes; at most 64 are allowed");
}

TEST_CASE("numbers of two keys differ, and each key maps back", "[id_scramble]") {
  const IdScramble before = *IdScramble::with_digits(6, one_key());
  const IdScramble after = *IdScramble::with_digits(6, keys("7:" + kKeyB + " 0:" + kKeyA));
  std::set<std::int64_t> numbers;
  for (std::int64_t id = 0; id < 2000; ++id) {
    const std::int64_t old_number = *before.scramble(id);
    const std::int64_t new_number = *after.scramble(id);
    REQUIRE(new_number >= 7000000);
    REQUIRE(new_number <= 7999999);
    REQUIRE(*after.unscramble(old_number) == id);
    REQUIRE(*after.unscramble(new_number) == id);
    numbers.insert({old_number, new_number});
  }
  CHECK(numbers.size() == 4000);
  CHECK(!before.unscramble(*after.scramble(1)).ok());
}

TEST_CASE("key numbers end where 64 bits do", "[id_scramble]") {
  const auto status = [](int bits, const std::string& number) {
    return IdScramble::with_bits(bits, keys(number + ":" + kKeyA)).status();
  };
  CHECK(status(63, "0").ok());
  CHECK(status(63, "1").to_string() ==
        "invalid argument: the numbers of scramble key 1 would pass 2^63 - 1; use a smaller "
        "domain, or key numbers below 1");
  CHECK(status(60, "7").ok());
  CHECK(!status(60, "8").ok());
  CHECK(!IdScramble::with_digits(18, keys("9:" + kKeyA)).ok());
  const IdScramble last = *IdScramble::with_digits(18, keys("8:" + kKeyA));
  CHECK(*last.unscramble(*last.scramble(last.id_max())) == last.id_max());
}

TEST_CASE("tweaks and keys select other bijections", "[id_scramble]") {
  const IdScramble a = *IdScramble::with_bits(40, one_key());
  const IdScramble b = *IdScramble::with_bits(40, keys("0:" + kKeyB));
  int same = 0;
  for (std::int64_t id = 0; id < 1000; ++id) {
    const std::int64_t number = *a.scramble(id);
    if (number == *b.scramble(id)) ++same;
    if (number == *a.scramble(id, "2026-11-29")) ++same;
    if (*a.scramble(id, "2026-11-30") == *a.scramble(id, "2026-11-29")) ++same;
  }
  CHECK(same == 0);  // chance: 3000 of 2^40
}

TEST_CASE("each bit of an id changes each bit of its number half of the time", "[id_scramble]") {
  constexpr int kIds = 1000;
  for (const int bits : {32, 40, 63}) {
    const IdScramble scramble = *IdScramble::with_bits(bits, one_key());
    std::mt19937_64 random(1);
    double worst_mean = 0;
    double worst_pair = 0;
    for (int flipped = 0; flipped < bits; ++flipped) {
      std::vector<int> changed(static_cast<std::size_t>(bits));
      for (int i = 0; i < kIds; ++i) {
        const auto id = static_cast<std::int64_t>(random() >> (64 - bits));
        const std::int64_t other = id ^ (std::int64_t{1} << flipped);
        const std::int64_t difference = *scramble.scramble(id) ^ *scramble.scramble(other);
        for (int bit = 0; bit < bits; ++bit) {
          changed[static_cast<std::size_t>(bit)] += static_cast<int>(difference >> bit & 1);
        }
      }
      double sum = 0;
      for (const int count : changed) {
        sum += count;
        worst_pair = std::max(worst_pair, std::abs(count / double{kIds} - 0.5));
      }
      worst_mean = std::max(worst_mean, std::abs(sum / (kIds * bits) - 0.5));
    }
    INFO(bits << " bits: " << worst_mean << " of a bit, " << worst_pair << " of a pair of bits");
    // Five standard deviations of as many fair coins.
    CHECK(worst_mean < 5 * 0.5 / std::sqrt(kIds * bits));
    CHECK(worst_pair < 5 * 0.5 / std::sqrt(kIds));
  }
}

TEST_CASE("numbers of neighbours are not correlated", "[id_scramble]") {
  constexpr int kIds = 20000;
  for (const IdScramble& scramble :
       {*IdScramble::with_bits(40, one_key()), *IdScramble::with_bits(63, one_key()),
        *IdScramble::with_digits(12, one_key())}) {
    for (const std::int64_t distance : {1, 2, 1000}) {
      const double found = correlation(scramble, distance, kIds);
      INFO(scramble.id_max() << ", distance " << distance << ": " << found);
      CHECK(std::abs(found) < 4 / std::sqrt(kIds));
    }
  }
}

TEST_CASE("the numbers of the first ids are spread over the domain", "[id_scramble]") {
  const IdScramble scramble = *IdScramble::with_digits(12, one_key());
  constexpr int kIds = 16000;
  std::vector<int> shares(16);
  for (std::int64_t id = 1; id <= kIds; ++id) {
    ++shares[static_cast<std::size_t>(*scramble.scramble(id) / (1000000000000 / 16))];
  }
  double chi_squared = 0;
  for (const int share : shares) chi_squared += (share - 1000.0) * (share - 1000.0) / 1000.0;
  INFO(chi_squared);
  CHECK(chi_squared < 37.7);  // 15 degrees of freedom: exceeded once in 1000 keys
}

}  // namespace featherid
