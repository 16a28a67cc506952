// SPDX-License-Identifier: MIT
#include "lib/format/check_characters.h"

#include <array>
#include <cstring>

#include "lib/base/invariant.h"

namespace featherid {

namespace {

// The quasigroup of order 10 in H. Michael Damm's thesis (Marburg, 2004).
constexpr std::uint8_t kDamm10[10][10] = {
    {0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3}, {4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
    {1, 7, 5, 0, 9, 8, 3, 4, 2, 6}, {6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
    {5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7}, {9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
    {2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
};

// 10^i mod 97.
constexpr std::array<std::uint8_t, kCheckedMax> powers_of_ten() {
  std::array<std::uint8_t, kCheckedMax> powers{};
  int power = 1;
  for (std::uint8_t& each : powers) {
    each = static_cast<std::uint8_t>(power);
    power = power * 10 % 97;
  }
  return powers;
}
constexpr std::array<std::uint8_t, kCheckedMax> kPowersOfTen = powers_of_ten();

// The state after two digits, by the digits and the state before. A look-up waits for the one
// before, so half as many take half of the time.
struct DammPairs {
  constexpr DammPairs() {
    for (int pair = 0; pair < 100; ++pair) {
      for (int state = 0; state < 10; ++state) {
        next[pair][state] = kDamm10[kDamm10[state][pair / 10]][pair % 10];
      }
    }
  }
  std::uint8_t next[100][10] = {};
};
constexpr DammPairs kDammPairs;

std::uint8_t damm10(Values digits) {
  std::uint8_t state = 0;
  const std::uint8_t* digit = digits.first;
  if (digits.size() % 2 != 0) state = kDamm10[state][*digit++];
  for (; digit != digits.end; digit += 2) {
    state = kDammPairs.next[10 * digit[0] + digit[1]][state];
  }
  return state;
}

// Damm's scheme over the field of 2^bits elements, where (state, digit) -> x * (state + digit) is
// such a quasigroup. `polynomial` makes the field.
std::uint8_t damm_binary(Values digits, unsigned bits, unsigned polynomial) {
  unsigned state = 0;
  for (const std::uint8_t* digit = digits.first; digit != digits.end; ++digit) {
    state = (state ^ *digit) << 1;
    state ^= (state >> bits) * polynomial;
  }
  return static_cast<std::uint8_t>(state);
}

}  // namespace

std::uint8_t damm(Values digits, int radix) {
  if (radix == 10) return damm10(digits);
  FEATHERID_INVARIANT(radix == 16 || radix == 32, radix, 0);
  return radix == 16 ? damm_binary(digits, 4, 0b10011) : damm_binary(digits, 5, 0b100101);
}

// From the end on, every second digit is doubled, and the two digits of that are added. Eight
// digits at a time are two words of four lanes: those that are doubled, and the others. (Without a
// branch, which random digits would mispredict.)
std::uint8_t luhn(Values digits, int radix) {
  constexpr std::uint64_t kOnes = 0x0001'0001'0001'0001;
  constexpr std::uint64_t kLanes = 0xFF * kOnes;
  constexpr bool kBigEndian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  const auto doubled = [nines = static_cast<std::uint64_t>(radix - 1)](std::uint64_t lanes) {
    // The highest bit of a lane becomes 1 if twice the digit is at least the radix.
    const std::uint64_t carries = (2 * lanes + (0x7FFF - nines) * kOnes) >> 15 & kOnes;
    return 2 * lanes - carries * nines;
  };
  std::uint64_t sums = 0;
  const std::uint8_t* end = digits.end;
  for (; end - digits.first >= 8; end -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, end - 8, 8);
    const std::uint64_t even = word & kLanes;
    const std::uint64_t odd = word >> 8 & kLanes;
    sums += kBigEndian ? doubled(even) + odd : doubled(odd) + even;
  }
  std::uint64_t sum = sums * kOnes >> 48;
  for (; end - digits.first >= 2; end -= 2) sum += doubled(end[-1]) + end[-2];
  if (end != digits.first) sum += doubled(end[-1]);
  const int rest = static_cast<int>(sum) % radix;
  return static_cast<std::uint8_t>(rest == 0 ? 0 : radix - rest);
}

int mod97(Values digits) {
  FEATHERID_INVARIANT(digits.size() <= kCheckedMax, digits.size(), kCheckedMax);
  int sum = 0;
  const std::uint8_t* power = kPowersOfTen.data();
  for (const std::uint8_t* digit = digits.end; digit != digits.first;) sum += *--digit * *power++;
  return 98 - sum * 100 % 97;
}

}  // namespace featherid
