// SPDX-License-Identifier: MIT
#include <featherid/id_scramble.h>

#include <iostream>

int main() {
  const auto keys = featherid::ScrambleKeys::parse("0:2b7e151628aed2a6abf7158809cf4f3c");
  if (!keys.ok()) return 1;
  const auto scramble = featherid::IdScramble::with_digits(10, *keys);
  if (!scramble.ok()) return 1;
  const auto number = scramble->scramble(123456789);
  std::cout << (number.ok() ? *number : 0) << '\n';
  return number.ok() && *number == 2433477484 ? 0 : 1;
}
