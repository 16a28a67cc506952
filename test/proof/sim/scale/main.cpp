// SPDX-License-Identifier: MIT
// featherid_sim_scale [PART]   how many leases many processes make, steadily and after a restart of
// all at once. The part `check` compares the model with real allocators, and the model with the
// arithmetic of docs/operating/scale.md. Exits with 1 if they differ.
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
  expect(agree(static_cast<double>(real.failures), static_cast<double>(model.failures), 0.2, 20),
         "failures");
  expect(
      agree(static_cast<double>(real.first_leases), static_cast<double>(model.first_leases), 0.02),
      "first leases");
  expect(agree(real.first_leases_end, model.first_leases_end, 0.03, 1), "their end");
  expect(agree(real.under_way_most, model.under_way_most, 0.1, 2), "most under way");
  for (Seconds from = 0; from + 10 <= each.options.seconds; from += 10) {
    expect(agree(real.per_second(from, from + 10), model.per_second(from, from + 10), 0.1, 3),
           "leases per second from " + std::to_string(static_cast<int>(from)) +
               " s on: " + std::to_string(real.per_second(from, from + 10)) + " and " +
               std::to_string(model.per_second(from, from + 10)));
  }
}

// A database that works off what its callers have given up. There the smallest difference grows, so
// the model can only be compared roughly.
void show_abandoned_work() {
  FleetOptions options = cases()[2].options;
  options.backend.call_timeout = 1.5;
  options.backend.drops_late = false;
  std::cout << "rush, a database that drops nothing:\n";
  print("allocators", run_allocators(options));
  print("model", run_model(options));
}

// --- the model and the arithmetic of docs/operating/scale.md ---

// Leases per second of one process and tag.
double steady_leases(const FleetOptions& options) {
  const double hold = static_cast<double>(options.allocator.hold.count());
  const double by_step = options.burn / static_cast<double>(options.step);
  const double by_hold = std::max(
      1 / (0.75 * hold), options.burn / static_cast<double>(options.allocator.lease_max_ids));
  return std::min(by_step, by_hold);
}

// The processes start one after another, within the time between two leases, so that their leases
// do not come all at once.
FleetFigures run_steady(FleetOptions options, double* measured) {
  options.backend.leases_per_second_max = 1e7;
  const Seconds cycle = 1 / steady_leases(options);
  options.started_within = cycle;
  // The burn rate must be known, which takes some holds.
  const Seconds from = std::max(2 * cycle, 6 * static_cast<double>(options.allocator.hold.count()));
  options.seconds = from + 2 * cycle;
  FleetFigures figures = run_model(options);
  *measured = figures.per_second(from, options.seconds);
  return figures;
}

double all_of(const FleetOptions& options) {
  return static_cast<double>(options.processes) * options.tags;
}

// Prints how many leases come steadily, and compares that with the arithmetic, which is an upper
// bound.
void measure_steady(const std::string& name, const FleetOptions& options) {
  double measured = 0;
  run_steady(options, &measured);
  const double expected = steady_leases(options) * all_of(options);
  std::cout << name << ": " << std::setprecision(6) << measured << " leases/s, by the arithmetic "
            << expected << std::endl;
  // Fewer, because the low mark is noticed only when a chunk ends, up to an eighth of a hold late.
  expect(measured <= 1.03 * expected && measured >= 0.85 * expected, name);
}

// Prints what a start of all processes at once does to a database, and compares that with what the
// docs say: the first leases last as long as the database needs for them, and no more leases are
// under way than refill threads, or places in servers. Not `alone`: tags need their next leases
// before all have got their first.
void measure_restart(const std::string& name, FleetOptions options, bool alone = true) {
  const double rush = all_of(options) / options.backend.leases_per_second_max;
  options.seconds = alone ? std::max(1.2 * rush, rush + 2 / options.burn) : 20 * rush;
  const FleetFigures figures = run_model(options);
  const double bound = options.backend.servers > 0
                           ? options.backend.servers * options.backend.server_waiting
                           : options.processes * options.allocator.refill_threads;
  std::cout << name << ": most in a second " << figures.peak() << " leases, until "
            << figures.first_leases_end << " s (" << rush << " by the arithmetic); under way "
            << figures.under_way_most << ", at most " << bound << "; failed " << figures.failures
            << ", of these at once " << figures.refused << "; rows read " << figures.reads
            << std::endl;
  expect(static_cast<double>(figures.first_leases) >= all_of(options), name + ": all first leases");
  if (alone)
    expect(agree(figures.first_leases_end, std::max(rush, 1 / options.burn), 0.1, 1), name);
  if (!alone) {
    std::cout << "  then " << figures.per_second(options.seconds / 2, options.seconds)
              << " leases/s" << std::endl;
  }
  expect(figures.under_way_most <= bound, name + ": leases under way");
}

void check_arithmetic() {
  FleetOptions options;
  options.processes = 50;
  options.tags = 20;
  for (const double burn : {0.05, 1.0, 30.0, 44.0, 100.0, 10000.0}) {
    options.burn = burn;
    measure_steady("50 x 20, " + std::to_string(burn) + " ids/s", options);
  }
  options.burn = 1;
  options.step = 10000;
  options.backend.leases_per_second_max = 20;
  measure_restart("50 x 20 start at once", options);
  options.backend.servers = 2;
  options.backend.server_waiting = 30;
  measure_restart("50 x 20 start at once, two servers", options);
}

// --- 10,000 processes x 1,000 tags ---

FleetOptions whole_fleet() {
  FleetOptions fleet;
  fleet.processes = 10000;
  fleet.tags = 1000;
  fleet.step = 10000;
  return fleet;
}

void measure_start() {
  const FleetOptions fleet = whole_fleet();
  measure_restart("10,000 x 1,000 start at once, flat", fleet);
  FleetOptions tier = fleet;
  tier.backend.servers = 20;
  measure_restart("10,000 x 1,000 start at once, 20 servers that pass leases on", tier);
  FleetOptions limited = fleet;
  limited.backend.connections_max = 1000;
  measure_restart("10,000 x 1,000 start at once, flat, 1,000 connections", limited);
}

// The servers are the processes that lease, and hand out ids.
void measure_servers() {
  const FleetOptions fleet = whole_fleet();
  FleetOptions servers = fleet;
  servers.processes = 20;
  servers.burn = fleet.burn * fleet.processes / servers.processes;
  servers.step = 1000;
  measure_steady("20 servers x 1,000 tags that hand out 10,000,000 ids/s", servers);
  measure_restart("the same start at once", servers, /*alone=*/false);
}

// In a steady state processes do not affect one another, so a tenth of them shows as much.
void measure_tenth() {
  FleetOptions steady = whole_fleet();
  steady.processes /= 10;
  steady.step = 1000;
  for (const double burn : {0.01, 1.0, 100.0}) {
    steady.burn = burn;
    measure_steady("1,000 x 1,000, " + std::to_string(burn) + " ids/s", steady);
  }
}

struct Part {
  std::string name;
  void (*run)();
};

const Part kParts[] = {{"check",
                        [] {
                          for (const Case& each : cases()) compare(each);
                          show_abandoned_work();
                          check_arithmetic();
                        }},
                       {"servers", measure_servers},
                       {"steady", measure_tenth},
                       {"start", measure_start}};

}  // namespace

// Runs the part of this name, or all.
int run(const std::string& name) {
  bool known = false;
  for (const Part& part : kParts) {
    if (!name.empty() && name != part.name) continue;
    part.run();
    known = true;
  }
  if (!known) std::cerr << "featherid_sim_scale: the parts are check, servers, steady and start\n";
  return known && !failed ? 0 : 1;
}

}  // namespace featherid::sim

int main(int argc, char** argv) { return featherid::sim::run(argc > 1 ? argv[1] : ""); }
