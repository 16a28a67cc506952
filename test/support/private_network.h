// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PRIVATE_NETWORK_H_
#define FEATHERID_TEST_SUPPORT_PRIVATE_NETWORK_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// Several hosts in network namespaces of their own, for servers that listen on all interfaces, and
// whose network is to fail. Each host has two addresses: one that this process reaches, and one
// that only the hosts reach among themselves.
//
// The first one moves the whole process into a namespace where there is nothing else, for good. It
// must be made before any other thread. Throws when that is not possible: a message that begins
// with "SKIPPED", which CMake knows, when this machine allows no namespaces.
class PrivateNetwork {
 public:
  explicit PrivateNetwork(std::size_t hosts);

  static std::string address(std::size_t host);        // from here
  static std::string inner_address(std::size_t host);  // from the other hosts

  // The arguments of a program that runs it on a host.
  std::vector<std::string> on(std::size_t host, const std::vector<std::string>& argv) const;

  // Whether the other hosts reach it. This process reaches it in any case.
  void set_connected(std::size_t host, bool connected);

 private:
  void add_host(std::size_t host);

  ScratchDir scratch_;
  std::deque<ChildProcess> hosts_;  // each keeps a namespace
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PRIVATE_NETWORK_H_
