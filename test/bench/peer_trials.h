// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PEER_TRIALS_H_
#define FEATHERID_TEST_BENCH_PEER_TRIALS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "test/bench/crew.h"
#include "test/bench/loss.h"
#include "test/bench/peer.h"

namespace featherid::bench {

// Waits that long. Throws if this program must stop.
void pass(std::chrono::milliseconds duration);

// --- load ---

// `clients` who ask all the time, after a warm-up. Up to four of them have a thread each. More
// share two, unless the ids are made in this process.
CrewReport load(const Peer& peer, int clients, std::chrono::milliseconds duration);

// --- while the database is down ---

struct Outage {
  double before_per_second = 0;  // ids, in the last second before it
  double during_per_second = 0;
  double back_ms = 0;  // from the start of the database until an id came
};

// The last part of the peer is killed, and started again after `down`. 16 clients ask all the time;
// those in this process once a millisecond each. A peer that leases has had them for 1.2 x `down`.
Outage measure_outage(const Peer& peer, std::chrono::milliseconds down);

// --- kill -9 ---

// 16 clients ask all the time, for `duration` before a part is killed and after it answers again.
Loss measure_kill(const Peer& peer, const Part& part, std::chrono::milliseconds duration);

// The same for the process that makes the ids.
Loss measure_application_kill(const Peer& peer, std::chrono::milliseconds duration);

// The main() of that process: notes ids in the file arguments[0], made by open_local() of the rest,
// until it is killed.
[[noreturn]] void run_application(const std::vector<std::string>& arguments);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PEER_TRIALS_H_
