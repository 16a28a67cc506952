// SPDX-License-Identifier: MIT
#include "test/proof/sim/scale/fleet.h"

#include <algorithm>
#include <numeric>

namespace featherid::sim {

Seconds FleetOptions::first_asked(int process, int tag) const {
  // Fibonacci hashing.
  const std::uint64_t which =
      static_cast<std::uint64_t>(process) * 1000003 + static_cast<std::uint64_t>(tag);
  const auto share = [](std::uint64_t number) {
    return static_cast<double>((number * 0x9E3779B97F4A7C15ULL) >> 11) / 0x1.0p53;
  };
  return started_within * share(static_cast<std::uint64_t>(process) + 1) + share(which) / burn;
}

void FleetFigures::note_lease(Seconds at, bool is_first) {
  const auto second = static_cast<std::size_t>(at);
  if (leases.size() <= second) leases.resize(second + 1);
  ++leases[second];
  if (!is_first) return;
  ++first_leases;
  first_leases_end = at;
}

double FleetFigures::per_second(Seconds from, Seconds to) const {
  std::int64_t sum = 0;
  for (auto second = static_cast<std::size_t>(from);
       second < static_cast<std::size_t>(to) && second < leases.size(); ++second) {
    sum += leases[second];
  }
  return static_cast<double>(sum) / (to - from);
}

std::int64_t FleetFigures::peak() const {
  return leases.empty() ? 0 : *std::max_element(leases.begin(), leases.end());
}

}  // namespace featherid::sim
