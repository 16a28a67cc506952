// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_FIGURES_H_
#define FEATHERID_TEST_BENCH_FIGURES_H_

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

namespace featherid::bench {

// Prints one figure as `name value unit`. scripts/bench joins it with its budget. Name and unit
// contain no spaces.
inline void figure(const std::string& name, double value, const std::string& unit) {
  const int decimals = value >= 1000 ? 0 : value >= 10 ? 1 : 3;
  std::cout << name << ' ' << std::fixed << std::setprecision(decimals) << value << ' ' << unit
            << std::endl;
}

// Requires at least one value.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_FIGURES_H_
