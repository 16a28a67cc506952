// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SCALE_FLEET_H_
#define FEATHERID_TEST_PROOF_SIM_SCALE_FLEET_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "featherid/options.h"
#include "test/proof/sim/scale/backend.h"

namespace featherid::sim {

// Many processes that all use the same tags.
struct FleetOptions {
  int processes = 100;
  int tags = 100;
  double burn = 1;  // ids per second that each process uses of each tag
  std::int64_t step = 1000;
  Seconds started_within = 0;  // all processes start in this time: 0: at once
  Seconds seconds = 100;       // how long the run lasts
  AllocatorOptions allocator;  // hold, lease_max_ids, refill_threads, back-off
  BackendOptions backend;

  // When a process first asks for ids of a tag: evenly spread over the time between two ids, and
  // the same in every run.
  Seconds first_asked(int process, int tag) const;
};

// What a run shows.
struct FleetFigures {
  std::vector<std::int64_t> leases;  // by second
  std::int64_t first_leases = 0;     // processes times tags that have got one
  Seconds first_leases_end = 0;      // when the last of them came
  std::int64_t reads = 0;            // of rows
  std::int64_t failures = 0;         // leases that failed
  std::int64_t refused = 0;          // of these: at once
  std::int64_t timed_out = 0;        // and after a wait
  int under_way_most = 0;            // leases, in the database and in servers

  void note_lease(Seconds at, bool is_first);
  double per_second(Seconds from, Seconds to) const;  // a mean
  std::int64_t peak() const;                          // the most in one second
};

// The same fleet twice. With real allocators (SegmentAllocator and everything below it) on the
// simulation's threads and time: a few thousand tags of a few hundred processes.
FleetFigures run_allocators(const FleetOptions& options);

// And as a model of what they do, for as many as memory holds: 80 bytes for each tag of each
// process. What to lease, how much to put into the cursor, the burn rate and the back-off are the
// library's own functions (lib/segment/refill_policy.h); the rest is written again.
FleetFigures run_model(const FleetOptions& options);

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_SCALE_FLEET_H_
