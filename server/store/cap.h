// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_CAP_H_
#define FEATHERID_SERVER_STORE_CAP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "featherid/status.h"

namespace featherid {

// Parses the cap of a tag: `none`; `int32`; `2^53`; `12digits`, the highest id of that many digits
// (1 to 18); or a number from 1 to kIdMax. kInvalidArgument: the message says what to write.
Result<std::int64_t> parse_cap(const std::string& text);

// Where a series of ids ends: at its cap, or at what the ids, a double or an int32 can hold.
struct SeriesEnd {
  enum Kind { kCap, kAllIds, kDouble, kInt32 };
  Kind kind;
  const char* name;  // "cap", "2^63", "2^53" or "int32"
  std::int64_t last_id;
};
// The end of which three quarters are used up, the cap first. Nothing: the series is near none, or
// past it: what an int32 cannot hold any more was not meant for one. `cap` is kIdMax if there is
// none.
std::optional<SeriesEnd> near_end(std::int64_t max_id, std::int64_t cap);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_CAP_H_
