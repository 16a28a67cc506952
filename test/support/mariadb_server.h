// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
#define FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// A MariaDB of its own on a free port of 127.0.0.1, with an empty database `ids` that the user
// `featherid` owns. Starts in the constructor; throws when it cannot.
class MariadbServer {
 public:
  explicit MariadbServer(std::vector<std::string> more_flags = {});
  ~MariadbServer() { stop(); }

  void start();  // after stop(): the same data, the same port
  void stop(int signal_number = SIGTERM);
  pid_t pid() const { return process_->pid(); }

  int port() const { return port_; }
  // The password holds characters that a URL must escape.
  std::string url(const std::string& database = "ids") const;
  static std::string password() { return "p@ss:w/d%'\\ 1"; }

 private:
  ChildProcess::Options own_temporary_files() const;

  ScratchDir scratch_;
  int port_;
  std::vector<std::string> more_flags_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
