// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PEER_LIST_H_
#define FEATHERID_TEST_BENCH_PEER_LIST_H_

#include <memory>
#include <string>
#include <vector>

#include "test/bench/peer.h"

namespace featherid::bench {

class PeerServers;

// Every peer by name. Servers start when the first peer that requires them is opened.
class PeerList {
 public:
  PeerList();
  ~PeerList();

  static std::vector<std::string> names();
  // Starts what the peer requires. Throws if there is no such peer, or if it does not start.
  Peer open(const std::string& name);
  // A service that others run: `NAME=http://host:port/path`. Nothing of it is killed.
  static Peer at_url(const std::string& name_and_url);

 private:
  std::unique_ptr<PeerServers> servers_;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PEER_LIST_H_
