// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_LOSS_H_
#define FEATHERID_TEST_BENCH_LOSS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace featherid::bench {

// What became of ids that count up.
struct Loss {
  std::int64_t answered = 0;
  std::int64_t repeated = 0;
  std::int64_t lost = 0;  // missing between the smallest and the largest
};

// `ids`: all that clients were given, in any order.
inline Loss loss_of(std::vector<std::int64_t> ids) {
  Loss loss;
  if (ids.empty()) return loss;
  std::sort(ids.begin(), ids.end());
  loss.answered = static_cast<std::int64_t>(ids.size());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const auto distinct = static_cast<std::int64_t>(ids.size());
  loss.repeated = loss.answered - distinct;
  loss.lost = ids.back() - ids.front() + 1 - distinct;
  return loss;
}

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_LOSS_H_
