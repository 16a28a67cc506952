// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
#define FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_

#include <string>
#include <vector>

#include "test/support/innodb_server.h"

namespace featherid::test {

// Starts in the constructor; throws when it cannot.
class MariadbServer : public InnodbServer {
 public:
  explicit MariadbServer(const std::vector<std::string>& more_flags = {});
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MARIADB_SERVER_H_
