// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_CAP_H_
#define FEATHERID_SERVER_STORE_CAP_H_

#include <cstdint>
#include <string>

#include "featherid/status.h"

namespace featherid {

// Parses the cap of a tag: `none`; `int32`; `2^53`; `12digits`, the highest id of that many digits
// (1 to 18); or a number from 1 to kIdMax. kInvalidArgument: the message says what to write.
Result<std::int64_t> parse_cap(const std::string& text);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_CAP_H_
