// SPDX-License-Identifier: MIT
#include "lib/base/random_text.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace featherid {

std::string random_text() {
  unsigned char bytes[16];
  if (::getentropy(bytes, sizeof bytes) != 0) {
    throw std::system_error(errno, std::generic_category(), "getentropy");
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) text += {kHex[byte >> 4], kHex[byte & 15]};
  return text;
}

}  // namespace featherid
