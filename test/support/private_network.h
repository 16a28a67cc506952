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

// Several hosts in their own network namespaces, for servers that listen on all interfaces and
// whose network must fail. Each host has two addresses: this process reaches the first, and only
// the other hosts reach the second.
//
// The first one moves the whole process into an empty namespace for good. It must be made before
// any other thread. Throws if that is not possible. If the machine allows no namespaces, the
// message begins with "SKIPPED", which CMake knows.
class PrivateNetwork {
 public:
  explicit PrivateNetwork(std::size_t hosts);

  static std::string address(std::size_t host);        // from here
  static std::string inner_address(std::size_t host);  // from the other hosts

  // The arguments that run a program on a host.
  std::vector<std::string> on(std::size_t host, const std::vector<std::string>& argv) const;

  // Whether the other hosts reach it. This process always does.
  void set_connected(std::size_t host, bool connected);

 private:
  void add_host(std::size_t host);

  ScratchDir scratch_;
  std::deque<ChildProcess> hosts_;  // each keeps a namespace
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PRIVATE_NETWORK_H_
