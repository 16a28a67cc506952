// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_SCRAMBLE_DOMAIN_H_
#define FEATHERID_LIB_FORMAT_SCRAMBLE_DOMAIN_H_

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "featherid/status.h"

namespace featherid {

// The domain of a tag's scramble (id_scramble.h).
struct ScrambleDomain {
  enum class Unit { kBits, kDigits };

  Unit unit = Unit::kDigits;
  int length = 0;

  std::int64_t id_max() const {
    std::uint64_t size = 1;
    for (int i = 0; i < length; ++i) size *= unit == Unit::kBits ? 2 : 10;
    return static_cast<std::int64_t>(size - 1);
  }
};

// Parses `9digits` (6 to 18) or `40bits` (20 to 63).
inline Result<ScrambleDomain> parse_scramble_domain(std::string_view text) {
  ScrambleDomain domain;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, domain.length);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  domain.unit = unit == "bits" ? ScrambleDomain::Unit::kBits : ScrambleDomain::Unit::kDigits;
  const bool fits = unit == "bits"     ? domain.length >= 20 && domain.length <= 63
                    : unit == "digits" ? domain.length >= 6 && domain.length <= 18
                                       : false;
  if (error == std::errc() && fits && text.front() != '0') return domain;
  return Status(StatusCode::kInvalidArgument,
                "a scramble must be 6digits to 18digits, or 20bits to 63bits");
}

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_SCRAMBLE_DOMAIN_H_
