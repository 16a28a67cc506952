// SPDX-License-Identifier: MIT
#include "lib/format/radix.h"

namespace featherid {

namespace {

constexpr std::string_view kDigits62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr Radix kRadixes[] = {
    Radix(kDigits62.substr(0, 10)),
    Radix(kDigits62.substr(0, 16)).any_case(),
    // Crockford's: without the letters that look like digits, and without U.
    Radix("0123456789ABCDEFGHJKMNPQRSTVWXYZ").with('I', 1).with('L', 1).with('O', 0).any_case(),
    Radix(kDigits62.substr(0, 36)).any_case(),
    // Bitcoin's: without 0, O, I and l.
    Radix("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    Radix(kDigits62),
};

// A template, because division by a constant is a multiplication.
template <unsigned radix>
std::uint8_t* write_in(std::uint64_t id, std::uint8_t* end) {
  do {
    *--end = static_cast<std::uint8_t>(id % radix);
    id /= radix;
  } while (id != 0);
  return end;
}

// Two digits by each division, because a division waits for the one before.
template <>
std::uint8_t* write_in<10>(std::uint64_t id, std::uint8_t* end) {
  for (; id >= 100; id /= 100) {
    end -= 2;
    write_two_decimal(static_cast<unsigned>(id % 100), end);
  }
  *--end = static_cast<std::uint8_t>(id % 10);
  if (id >= 10) *--end = static_cast<std::uint8_t>(id / 10);
  return end;
}

}  // namespace

const Radix* Radix::find(int number) {
  for (const Radix& radix : kRadixes) {
    if (radix.number() == number) return &radix;
  }
  return nullptr;
}

int Radix::count(std::uint64_t id) const {
  int count = 1;
  for (const auto radix = static_cast<std::uint64_t>(number()); id >= radix; id /= radix) ++count;
  return count;
}

std::uint8_t* Radix::write(std::uint64_t id, int width, std::uint8_t* end) const {
  std::uint8_t* const full = end - width;
  std::uint8_t* first = nullptr;
  switch (number()) {
    case 10:
      first = write_in<10>(id, end);
      break;
    case 16:
      first = write_in<16>(id, end);
      break;
    case 32:
      first = write_in<32>(id, end);
      break;
    case 36:
      first = write_in<36>(id, end);
      break;
    case 58:
      first = write_in<58>(id, end);
      break;
    default:
      first = write_in<62>(id, end);
  }
  while (first > full) *--first = 0;
  return first;
}

}  // namespace featherid
