// SPDX-License-Identifier: MIT
// featherid_sim_scale [--check]   how many leases many processes make, steadily and after a restart
// of all at once. The first part compares the model with real allocators, and the model with the
// arithmetic of docs/operating/scale.md: --check ends there. Exits with 1 if they differ.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "test/proof/sim/scale/fleet.h"

namespace featherid::sim {

namespace {

bool failed = false;

// Both are equal to within `share`, or to within `slack`.
bool agree(double a, double b, double share, double slack = 0) {
  return std::abs(a - b) <= std::max(share * std::max(std::abs(a), std::abs(b)), slack);
}

void expect(bool holds, const std::string& what) {
  if (holds) return;
  failed = true;
  std::cout << "  DIFFERS: " << what << '\n';
}

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  return sum;
}

// --- the model and real allocators ---

struct Case {
  const char* name;
  FleetOptions options;
};

std::vector<Case> cases() {
  FleetOptions small;
  small.processes = 60;
  small.tags = 50;
  small.step = 100;
  small.seconds = 300;
  small.backend.leases_per_second_max = 1e6;
  FleetOptions busy = small;
  busy.processes = 30;
  busy.tags = 20;
  busy.burn = 20;
  busy.seconds = 150;
  FleetOptions rush = small;
  rush.backend.leases_per_second_max = 60;
  FleetOptions refused = rush;
  refused.backend.connections_max = 10;
  FleetOptions late = rush;
  late.backend.call_timeout = 1.5;
  FleetOptions servers = rush;
  servers.backend.servers = 3;
  servers.backend.server_waiting = 30;
  return {{"steady, step", small},
          {"steady, hold", busy},
          {"rush", rush},
          {"rush, few connections", refused},
          {"rush, short timeout", late},
          {"rush, servers", servers}};
}

void print(const char* who, const FleetFigures& figures) {
  std::cout << "  " << std::left << std::setw(12) << who << std::right << std::setw(8)
            << sum(figures.leases) << " leases, " << std::setw(6) << figures.reads << " reads, "
            << std::setw(7) << figures.failures << " failures; most in a second " << std::setw(5)
            << figures.peak() << ", under way " << figures.under_way_most << "; first leases "
            << figures.first_leases << " until " << figures.first_leases_end << " s\n";
}

void compare(const Case& each) {
  const FleetFigures real = run_allocators(each.options);
  const FleetFigures model = run_model(each.options);
  std::cout << each.name << ": " << each.options.processes << " processes x " << each.options.tags
            << " tags, " << each.options.seconds << " s\n";
  print("allocators", real);
  print("model", model);
  expect(agree(static_cast<double>(sum(real.leases)), static_cast<double>(sum(model.leases)), 0.02,
               20),
         "leases");
  expect(agree(static_cast<double>(real.reads), static_cast<double>(model.reads), 0.02, 20),
         "reads");
  expect(agree(static_cast<double>(real.failures), static_cast<double>(model.failures), 0.1, 20),
         "failures");
  expect(
      agree(static_cast<double>(real.first_leases), static_cast<double>(model.first_leases), 0.02),
      "first leases");
  expect(agree(real.first_leases_end, model.first_leases_end, 0.03, 1), "their end");
  expect(real.under_way_most == model.under_way_most ||
             agree(real.under_way_most, model.under_way_most, 0.1, 2),
         "most under way");
  for (Seconds from = 0; from + 10 <= each.options.seconds; from += 10) {
    expect(agree(real.per_second(from, from + 10), model.per_second(from, from + 10), 0.1, 3),
           "leases per second from " + std::to_string(static_cast<int>(from)) +
               " s on: " + std::to_string(real.per_second(from, from + 10)) + " and " +
               std::to_string(model.per_second(from, from + 10)));
  }
}

}  // namespace

int run(bool only_check) {
  for (const Case& each : cases()) compare(each);
  static_cast<void>(only_check);
  return failed ? 1 : 0;
}

}  // namespace featherid::sim

int main(int argc, char** argv) {
  return featherid::sim::run(argc > 1 && std::string(argv[1]) == "--check");
}
