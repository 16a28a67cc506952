// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
#define FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_

#include <string>
#include <vector>

#include "test/support/innodb_server.h"

namespace featherid::test {

// The constructor starts it, or throws.
class MariadbServer : public InnodbServer {
 public:
  explicit MariadbServer(const std::vector<std::string>& more_flags = {});

  // The statement that makes a server a replica of the one at `port` of 127.0.0.1.
  static std::string change_source(int port);
  // The program that prints a binary log as text.
  static std::string binary_log_reader();
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
