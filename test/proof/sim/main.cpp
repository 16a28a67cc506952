// SPDX-License-Identifier: MIT
// featherid_sim [--seeds N] [--first-seed S] [--trace]   runs N simulations, with the seeds S, S +
// 1, …, and stops at the first violation. --trace prints every event.
//
// It prints the seed and the drawn options before each run, so that a run which ends the program
// can be replayed.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "featherid/version.h"
#include "sim_commit.h"
#include "test/proof/sim/simulation.h"

namespace {

// Ends the program if there is a violation.
featherid::sim::Tally run(std::uint64_t seed, bool trace) {
  featherid::sim::Simulation simulation(seed);
  if (trace) simulation.trace_to(std::cout);
  std::cout << "seed " << seed << ": " << simulation.options() << std::endl;
  const std::string violation = simulation.run();
  if (violation.empty()) return simulation.tally();
  std::cout << "VIOLATION: " << violation << "\nreplay: featherid_sim --seeds 1 --first-seed "
            << seed << std::endl;
  std::_Exit(1);  // the processes of the run cannot be destroyed safely
}

// A broken invariant stops the program at once. Its message is on stderr by then.
void report_abort(int /*signal*/) {
  constexpr char kText[] = "VIOLATION: the core stopped the program; replay the last seed\n";
  static_cast<void>(::write(STDOUT_FILENO, kText, sizeof kText - 1) == 0);
  std::_Exit(1);
}

bool parse(const char* text, std::uint64_t* value) {
  char* end = nullptr;
  *value = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 100;
  std::uint64_t first_seed = 1;
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    std::uint64_t* const value = flag == "--seeds"        ? &seeds
                                 : flag == "--first-seed" ? &first_seed
                                                          : nullptr;
    if (flag == "--trace") {
      trace = true;
    } else if (value == nullptr || i + 1 == argc || !parse(argv[++i], value)) {
      std::cerr << "featherid_sim: use --seeds N, --first-seed S and --trace\n";
      return 2;
    }
  }
  std::cout << "featherid_sim " << FEATHERID_VERSION << " commit " << kSimCommit << " --seeds "
            << seeds << " --first-seed " << first_seed << std::endl;
  std::signal(SIGABRT, report_abort);
  const auto start = std::chrono::steady_clock::now();
  featherid::sim::Tally tally;
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed)
    tally.add(run(seed, trace));
  const double elapsed_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << "done: " << seeds << " seeds in " << elapsed_seconds << " s, " << tally.ids
            << " ids checked, " << tally.strict_calls << " ranges in strict order, " << tally.leases
            << " leases, " << tally.crashes << " crashes, " << tally.shutdowns << " shutdowns, "
            << tally.forks << " forks, " << tally.rewinds << " rewinds, " << tally.losses
            << " losses under a time floor, " << tally.days << " days of tags with periods, "
            << tally.hours << " simulated hours, " << tally.steps << " steps, 0 violations"
            << std::endl;
  return 0;
}
