// SPDX-License-Identifier: MIT
#include "server/store/cap.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

#include "featherid/id_range.h"

namespace featherid {

namespace {

std::optional<std::int64_t> number_from(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < min || number > max) return std::nullopt;
  return number;
}

}  // namespace

Result<std::int64_t> parse_cap(const std::string& text) {
  constexpr std::string_view kDigits = "digits";
  constexpr int kDigitsMax = std::numeric_limits<std::int64_t>::digits10;
  if (text == "none") return kIdMax;
  if (text == "int32") return std::numeric_limits<std::int32_t>::max();
  if (text == "2^53") return std::int64_t{1} << 53;
  const std::size_t number_size = text.size() - std::min(text.size(), kDigits.size());
  if (text.substr(number_size) == kDigits) {
    if (const auto digits = number_from(text.substr(0, number_size), 1, kDigitsMax)) {
      std::int64_t limit = 1;
      for (std::int64_t i = 0; i < *digits; ++i) limit *= 10;
      return limit - 1;
    }
  }
  if (const auto number = number_from(text, 1, kIdMax)) return *number;
  return Status(StatusCode::kInvalidArgument,
                "a cap must be none, int32, 2^53, 1digits to 18digits, or a number from 1 to " +
                    std::to_string(kIdMax));
}

std::optional<SeriesEnd> near_end(std::int64_t max_id, std::int64_t cap) {
  const SeriesEnd ends[] = {
      {SeriesEnd::kCap, "cap", cap},
      {SeriesEnd::kAllIds, "2^63", kIdMax},
      {SeriesEnd::kDouble, "2^53", (std::int64_t{1} << 53) - 1},
      {SeriesEnd::kInt32, "int32", std::numeric_limits<std::int32_t>::max()},
  };
  for (const SeriesEnd& end : ends) {
    const bool is_cap = end.kind == SeriesEnd::kCap;
    if (is_cap && cap == kIdMax) continue;
    if (max_id >= end.last_id - end.last_id / 4 && (is_cap || max_id <= end.last_id)) return end;
  }
  return std::nullopt;
}

}  // namespace featherid
