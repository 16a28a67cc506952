// SPDX-License-Identifier: MIT
// featherid_sim [--seeds N] [--first-seed S]   runs N simulations; stops at the first violation.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "featherid/version.h"
#include "test/sim/simulation.h"

int main(int argc, char** argv) {
  std::uint64_t seeds = 100;
  std::uint64_t first_seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seeds") {
      seeds = value;
    } else if (name == "--first-seed") {
      first_seed = value;
    } else {
      std::cerr << "featherid_sim: unknown flag " << name << "; use --seeds N --first-seed S\n";
      return 2;
    }
  }
  std::cout << "featherid_sim " << FEATHERID_VERSION << " --seeds " << seeds << " --first-seed "
            << first_seed << std::endl;
  const auto start = std::chrono::steady_clock::now();
  featherid::sim::Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    featherid::sim::Simulation simulation(seed);
    const std::string options = simulation.options();
    const std::string violation = simulation.run();
    tally.add(simulation.tally());
    if (!violation.empty()) {
      std::cout << "seed " << seed << ": " << options << "\n"
                << "VIOLATION: " << violation << "\n"
                << "replay: featherid_sim --seeds 1 --first-seed " << seed << std::endl;
      return 1;
    }
  }
  const double elapsed_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << seeds << " seeds, " << static_cast<double>(seeds) / elapsed_seconds << " seeds/s, "
            << tally.ids << " ids checked, " << tally.leases << " leases, " << tally.crashes
            << " crashes, " << tally.shutdowns << " shutdowns, " << tally.forks << " forks, "
            << tally.rewinds << " rewinds, 0 violations" << std::endl;
  return 0;
}
