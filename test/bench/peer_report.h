// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PEER_REPORT_H_
#define FEATHERID_TEST_BENCH_PEER_REPORT_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "test/bench/crew.h"
#include "test/bench/peer_trials.h"

namespace featherid::bench {

// What was measured of all peers.
struct PeerResults {
  std::vector<std::pair<std::string, std::string>> peers;      // names, and what they are, in order
  std::map<std::pair<std::string, int>, CrewReport> loads;     // by peer and clients
  std::map<std::string, Outage> outages;                       // by peer
  std::map<std::pair<std::string, std::string>, Loss> losses;  // by peer and what was killed
};

// The numbers of clients that a table or a plot shows, among those that were measured.
constexpr int kFewThreads[] = {1, 2, 4};
constexpr int kClientCounts[] = {1, 16, 256, 1000};

// Prints them as figures.
void print_peers(const PeerResults& results);
// Writes FOLDER/peers.md, and of a load peers_ids.svg, peers_p99.svg and peers_cost.svg.
void write_peers(const PeerResults& results, const std::string& folder);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PEER_REPORT_H_
