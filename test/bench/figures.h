// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_FIGURES_H_
#define FEATHERID_TEST_BENCH_FIGURES_H_

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

namespace featherid::bench {

// Prints one figure as `name value unit`. scripts/bench joins it with its budget. Neither name nor
// unit holds a space.
inline void figure(const std::string& name, double value, const std::string& unit) {
  std::cout << name << ' ' << value << ' ' << unit << std::endl;
}

// Of at least one value.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_FIGURES_H_
