// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SIMULATION_H_
#define FEATHERID_TEST_PROOF_SIM_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "test/proof/sim/model_store.h"
#include "test/proof/sim/process.h"

namespace featherid::sim {

struct Tally {
  std::int64_t ids = 0;           // handed out and checked
  std::int64_t strict_calls = 0;  // ranges of ids that were checked for strict order
  std::int64_t leases = 0;
  std::int64_t steps = 0;  // of the scheduler
  std::int64_t crashes = 0;
  std::int64_t shutdowns = 0;
  std::int64_t forks = 0;
  std::int64_t rewinds = 0;
  std::int64_t losses = 0;
  std::int64_t days = 0;  // that a tag with periods began
  double hours = 0;       // of simulated time
  void add(const Tally& other);
};

// One run: a few processes, each with a real SegmentAllocator, over one database. The seed decides
// everything. Every step checks the promises of docs/architecture.md: ids are unique, inside a
// committed lease and ordered in a process; waits are bounded, and only for ids that memory does
// not hold; enough ids are held to survive an outage; the unused tail is given back; a store that
// went backwards is detected; children of forks refuse. After the faults stop, every tag of every
// process must serve again.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // The options of this run: "processes=3 tags=2 …".
  std::string options() const;

  // Prints each event with its time.
  void trace_to(std::ostream& out);

  // Runs it. Returns the violation, or empty.
  std::string run();

  Tally tally() const;

 private:
  void draw_options();
  // Runs until `done`, for at most `steps_max` steps. False if the steps ran out.
  bool run_until(const bool& done, std::int64_t steps_max);
  // Runs one process after another in one of several places, until it is calm.
  void supervise(std::size_t place);
  void end_life(Process& process);
  void operate();
  void check_liveness();

  Random random_;
  Random period_random_;
  Ledger ledger_;
  Scheduler scheduler_;
  ModelDatabase database_;
  Workload workload_;
  std::vector<std::unique_ptr<Process>> processes_;  // all, also ended ones
  std::vector<Process*> places_;                     // those that run, at the end
  std::int64_t steps_max_ = 0;
  std::int64_t life_max_ms_ = 0;
  std::int64_t peace_max_ms_ = 0;  // between two disturbances
  int supervisors_ = 0;
  bool calm_ = false;  // the faults have stopped
  Tally tally_;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_SIMULATION_H_
