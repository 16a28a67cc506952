// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_BOUNDS_H_
#define FEATHERID_LIB_BASE_BOUNDS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "featherid/status.h"

namespace featherid {

// OK, or kInvalidArgument with `name`, the value and its bounds: "hold is 0 s; use 1 to 3600 s".
inline Status check_bounds(std::string_view name, std::int64_t value, std::int64_t min,
                           std::int64_t max, std::string_view unit = "") {
  if (value >= min && value <= max) return {};
  const std::string with_unit = unit.empty() ? "" : " " + std::string(unit);
  return {StatusCode::kInvalidArgument, std::string(name) + " is " + std::to_string(value) +
                                            with_unit + "; use " + std::to_string(min) + " to " +
                                            std::to_string(max) + with_unit};
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_BOUNDS_H_
