// SPDX-License-Identifier: MIT
#include "lib/segment/series_watch.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace featherid {

namespace {

constexpr int kShares[] = {99, 90, 75, 50};  // in percent
constexpr std::array<std::int64_t, 3> kEnds = {2147483647, std::int64_t{1} << 53, kIdMax};

// Without overflow: the remainder of `end` is multiplied apart.
bool has_used(std::int64_t max_id, std::int64_t end, int percent) {
  return max_id >= end / 100 * percent + end % 100 * percent / 100;
}

}  // namespace

void SeriesWatch::see(std::int64_t max_id, TimePoint now) {
  max_id_ = std::max(max_id_, max_id);
  if (!seen_) older_ = newer_ = {max_id_, now};
  seen_ = true;
  if (now - newer_.at >= std::chrono::hours(1)) {
    older_ = newer_;
    newer_ = {max_id_, now};
  }
  const std::chrono::duration<double> elapsed = now - older_.at;
  if (elapsed >= std::chrono::minutes(1)) {
    ids_per_second_ = static_cast<double>(max_id_ - older_.max_id) / elapsed.count();
  }
}

std::optional<SeriesWatch::Warning> SeriesWatch::warning_of(std::int64_t end, bool is_cap,
                                                            Warned* warned) const {
  if (warned->end != end) *warned = {end, 0};
  if (!is_cap && max_id_ > end) return std::nullopt;  // whatever it was for, it was no end
  for (const int percent : kShares) {
    if (!has_used(max_id_, end, percent)) continue;
    if (percent <= warned->percent) return std::nullopt;
    warned->percent = percent;
    Warning warning{percent, end, is_cap, std::nullopt};
    const auto left = static_cast<double>(std::max<std::int64_t>(0, end - max_id_));
    if (ids_per_second_ > 0) warning.seconds_left = left / ids_per_second_;
    return warning;
  }
  return std::nullopt;
}

std::optional<SeriesWatch::Warning> SeriesWatch::next_warning(std::int64_t cap) {
  if (cap < kIdMax) return warning_of(cap, true, &warned_[0]);
  for (std::size_t i = 0; i < kEnds.size(); ++i) {
    if (std::optional<Warning> warning = warning_of(kEnds[i], false, &warned_[i])) return warning;
  }
  return std::nullopt;
}

}  // namespace featherid
