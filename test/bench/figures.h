// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_FIGURES_H_
#define FEATHERID_TEST_BENCH_FIGURES_H_

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>
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

// Three digits that count, with blanks between thousands.
inline std::string short_number(double value) {
  std::ostringstream text;
  if (value < 100) {
    text << std::setprecision(3) << value;
    return text.str();
  }
  double unit = 1;
  while (value / unit >= 1000) unit *= 10;
  text << std::llround(std::round(value / unit) * unit);
  std::string digits = text.str();
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_FIGURES_H_
