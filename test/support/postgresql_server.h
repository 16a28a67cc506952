// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_POSTGRESQL_SERVER_H_
#define FEATHERID_TEST_SUPPORT_POSTGRESQL_SERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// A PostgreSQL on a free port of 127.0.0.1, with an empty database `ids`. `featherid` is its
// superuser. The constructor starts it, or throws. It refuses to run as root, so it then runs as
// the user `postgres`.
class PostgresqlServer {
 public:
  explicit PostgresqlServer(std::vector<std::string> more_flags = {});
  // A replica that streams from `primary`.
  explicit PostgresqlServer(const PostgresqlServer& primary);
  ~PostgresqlServer() { stop(); }

  void start();  // after stop(): the same data, the same port
  // SIGINT: at once, without waiting for clients. SIGKILL: all of its processes.
  void stop(int signal_number = SIGINT);
  pid_t pid() const { return process_->pid(); }
  // The postmaster first, so that it starts no more of the others.
  std::vector<pid_t> pids() const;

  int port() const { return port_; }
  // The password contains characters that a URL must escape.
  std::string url(const std::string& database = "ids") const;
  static std::string password() { return "p@ss:w/d%'\\ 1"; }

 private:
  std::string program(const std::string& name) const { return programs_ + "/" + name; }

  void make_folders();

  ScratchDir scratch_;
  int port_;
  std::string programs_;
  std::vector<std::string> more_flags_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_POSTGRESQL_SERVER_H_
