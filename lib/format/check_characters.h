// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_CHECK_CHARACTERS_H_
#define FEATHERID_LIB_FORMAT_CHECK_CHARACTERS_H_

#include <cstddef>
#include <cstdint>

namespace featherid {

// How check characters follow from the digits before them.
enum class Check {
  kNone,
  kDamm,   // one digit of the radix, which is 10, 16 or 32
  kLuhn,   // Luhn mod N: one digit of the radix, which is even
  kMod97,  // ISO 7064 MOD 97-10: two decimal digits
};

// The values of digits, in the order of the text.
struct Values {
  const std::uint8_t* first;
  const std::uint8_t* end;

  std::ptrdiff_t size() const { return end - first; }
};

// At most this many digits are checked: those of a date and of an id.
constexpr std::ptrdiff_t kCheckedMax = 28;

// The value of the check digit, below the radix. Digits are below the radix, too.
std::uint8_t damm(Values digits, int radix);
std::uint8_t luhn(Values digits, int radix);

// Two decimal digits as a number from 2 to 98. With radix 10 this is ISO 7064 MOD 97-10. With a
// larger radix, which must be below 97, it is the same sum over the larger digits.
int mod97(Values digits);

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_CHECK_CHARACTERS_H_
