// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SIM_SIMULATION_H_
#define FEATHERID_TEST_SIM_SIMULATION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lib/refiller.h"
#include "lib/tag_state.h"
#include "test/sim/model_store.h"
#include "test/support/manual_clock.h"

namespace featherid::sim {

struct Tally {
  std::int64_t ids = 0;  // handed out and checked
  std::int64_t steps = 0;
  std::int64_t leases = 0;
  std::int64_t crashes = 0;
  std::int64_t shutdowns = 0;
  std::int64_t forks = 0;
  std::int64_t rewinds = 0;
  void add(const Tally& other);
};

// Disjoint ranges of ids.
class IdSet {
 public:
  // False when some id of the range is in already.
  bool add(IdRange range);
  bool contains(IdRange range) const;
  void remove_from(std::int64_t first);

 private:
  std::map<std::int64_t, std::int64_t> ranges_;  // first -> end
};

// One run: N processes with several tags each over one database, one thread, time that stands
// still, and everything that happens drawn from one seed. Checks the promises of docs/design.md at
// every step: unique, inside a committed lease, ordered in a process, the tail given back only if
// unused, a store that went backwards noticed; and, once the faults stop, that every tag of every
// process serves again.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  ~Simulation();

  // What this run has switched on: "processes=3 tags=2 …".
  std::string options() const;

  // Runs it. Empty, or the violation in words.
  std::string run();

  const Tally& tally() const { return tally_; }

 private:
  // What the reference model knows of one tag in one process.
  struct TagModel {
    std::shared_ptr<TagState> state;
    IdSet leased;  // answered to this process
    IdSet issued;
    std::int64_t last_id = 0;
  };
  struct Process {
    std::unique_ptr<ModelStore> store;
    std::shared_ptr<Refiller> refiller;
    std::map<std::string, TagModel> tags;
    int calls = 0;  // nested store calls under way
  };

  void start(Process& process);
  void crash(Process& process);
  void shut_down(Process& process);
  void fork_child(Process& process);
  void step(int depth);
  void act(Process& process, int depth);
  void disturb();
  void take(Process& process, const std::string& name, std::int64_t least, std::int64_t most);
  void check_liveness();
  void violation(const std::string& what);
  std::string any_tag();
  Process& any_process();

  std::mt19937_64 random_;
  ModelDatabase database_;
  std::shared_ptr<test::ManualClock> clock_;
  TagOptions options_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::map<std::string, IdSet> issued_;  // by all processes, ever
  int tags_ = 0;
  int steps_ = 0;
  bool calm_ = false;
  std::string violation_;
  Tally tally_;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_SIM_SIMULATION_H_
