// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_SCRAMBLE_SCRAMBLE_KEYS_H_
#define FEATHERID_LIB_FORMAT_SCRAMBLE_SCRAMBLE_KEYS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "featherid/id_scramble.h"

namespace featherid {

struct ScrambleKey {
  std::int64_t number;
  std::string bytes;
};

// The first one scrambles.
struct ScrambleKeyList {
  ScrambleKeyList() = default;
  ScrambleKeyList(const ScrambleKeyList&) = delete;
  ScrambleKeyList& operator=(const ScrambleKeyList&) = delete;
  ~ScrambleKeyList();  // wipes the bytes

  std::vector<ScrambleKey> all;  // at least one
};

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_SCRAMBLE_SCRAMBLE_KEYS_H_
