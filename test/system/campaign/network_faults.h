// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_NETWORK_FAULTS_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_NETWORK_FAULTS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "test/support/forwarder.h"
#include "test/system/campaign/engine.h"

namespace featherid::campaign {

// Where the next sweep of cuts continues, so that a campaign covers whole conversations.
struct CutProgress {
  std::int64_t to_server = 0;
  std::int64_t to_client = 0;
};

// The faults of the way to a database. Both must outlive the faults.
std::vector<Fault> network_faults(test::Forwarder& forwarder, CutProgress& progress);

// All cuts of begin_cutting() so far, on all ways of a network.
std::int64_t cuts_of(const std::deque<test::Forwarder>& network);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_NETWORK_FAULTS_H_
