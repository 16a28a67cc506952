// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_FAULTS_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_FAULTS_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "test/support/forwarder.h"
#include "test/system/campaign/engine.h"

namespace featherid::campaign {

// A database server's processes.
struct ServerControl {
  std::function<void(int signal)> stop;
  std::function<void()> start;
  std::function<std::vector<pid_t>()> pids;  // the one to begin with first
};
std::vector<Fault> server_faults(const ServerControl& server);

// The operator's statements that differ between engines.
struct OperatorSql {
  std::vector<std::string> read_only;
  std::vector<std::string> writable;
  std::string set_password;  // the quoted password comes after it
  // In a transaction: the next lease waits for it, and then this transaction waits for the lease
  // when it changes the rows.
  std::vector<std::string> provoke_deadlock;
};
// The password that the processes of FeatherID use.
constexpr char kRightPassword[] = "right";

// `forwarder`: connections made before the fault are cut there.
std::vector<Fault> operator_faults(Engine& engine, test::Forwarder& forwarder, int port,
                                   const OperatorSql& sql);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_FAULTS_H_
