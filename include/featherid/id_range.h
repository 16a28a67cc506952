// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ID_RANGE_H_
#define FEATHERID_ID_RANGE_H_

#include <cstdint>
#include <limits>

namespace featherid {

// The last possible id: one below 2^63 - 1, so that the end of a range always fits.
constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max() - 1;

// The most ids that one next_range() may ask for.
constexpr std::int64_t kRangeIdsMax = 1000000;

// A half-open range of ids, [first, end). Empty when end <= first.
struct IdRange {
  std::int64_t first = 0;
  std::int64_t end = 0;

  bool empty() const { return end <= first; }
  std::int64_t size() const { return empty() ? 0 : end - first; }  // in ids
  std::int64_t last() const { return end - 1; }                    // the range must not be empty

  friend bool operator==(IdRange a, IdRange b) { return a.first == b.first && a.end == b.end; }
  friend bool operator!=(IdRange a, IdRange b) { return !(a == b); }
};

}  // namespace featherid

#endif  // FEATHERID_ID_RANGE_H_
