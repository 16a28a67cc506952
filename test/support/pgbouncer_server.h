// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PGBOUNCER_SERVER_H_
#define FEATHERID_TEST_SUPPORT_PGBOUNCER_SERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// A PgBouncer on a free port of 127.0.0.1, in front of all databases of the PostgreSQL at
// `target_port`. `users` are names and passwords. It refuses to run as root, so it then runs as the
// user `postgres`.
class PgbouncerServer {
 public:
  struct User {
    std::string name;
    std::string password;
  };
  // `more_settings`: lines for the section [pgbouncer].
  PgbouncerServer(int target_port, const std::string& pool_mode, const std::vector<User>& users,
                  const std::string& more_settings = "");

  int port() const { return port_; }

 private:
  ScratchDir scratch_;
  int port_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PGBOUNCER_SERVER_H_
