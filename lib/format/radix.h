// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_RADIX_H_
#define FEATHERID_LIB_FORMAT_RADIX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace featherid {

// Writes the values of the two decimal digits of `number`, which is below 100.
inline void write_two_decimal(unsigned number, std::uint8_t* values) {
  struct Pairs {
    constexpr Pairs() {
      for (std::uint8_t i = 0; i < 100; ++i) {
        values[2 * i] = i / 10;
        values[2 * i + 1] = i % 10;
      }
    }
    std::uint8_t values[200] = {};
  };
  static constexpr Pairs kPairs;
  std::memcpy(values, kPairs.values + std::size_t{2} * number, 2);
}

// The digits of a radix, and the value of each character.
class Radix {
 public:
  static constexpr std::uint8_t kNoDigit = 0xFF;

  // Null if ids cannot be written in this radix.
  static const Radix* find(int number);

  constexpr explicit Radix(std::string_view digits) : digits_(digits) {
    for (std::uint8_t& value : values_) value = kNoDigit;
    for (std::size_t i = 0; i < digits.size(); ++i) read(digits[i], static_cast<std::uint8_t>(i));
  }

  constexpr int number() const { return static_cast<int>(digits_.size()); }
  constexpr std::string_view digits() const { return digits_; }
  constexpr char digit(std::uint8_t value) const { return digits_[value]; }
  // kNoDigit if the character is none.
  constexpr std::uint8_t value(char c) const { return values_[static_cast<unsigned char>(c)]; }

  // The same radix, but reads `c` as this value, too.
  constexpr Radix with(char c, std::uint8_t value) const {
    Radix more = *this;
    more.read(c, value);
    return more;
  }
  // The same radix, but reads small letters as large ones.
  constexpr Radix any_case() const {
    Radix more = *this;
    for (char c = 'A'; c <= 'Z'; ++c) more.read(static_cast<char>(c - 'A' + 'a'), value(c));
    return more;
  }

  // The least number of digits that `id` requires.
  int count(std::uint64_t id) const;

  // Writes the values of the digits of `id`, at least `width` of them, so that the last is at
  // end[-1]. Returns the place of the first.
  std::uint8_t* write(std::uint64_t id, int width, std::uint8_t* end) const;

 private:
  constexpr void read(char c, std::uint8_t value) {
    values_[static_cast<unsigned char>(c)] = value;
  }

  std::string_view digits_;
  std::array<std::uint8_t, 256> values_{};
};

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_RADIX_H_
