// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_
#define FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_

#include <optional>
#include <string>
#include <utility>

#include "test/support/scratch_dir.h"

namespace featherid::test {

// MariaDB's command line as root, without a password, at the Unix socket of a MariaDB or a MySQL.
// It never hangs a test.
class SqlClient {
 public:
  explicit SqlClient(std::string socket) : socket_(std::move(socket)) {}

  // The server's answer, or nothing if it gives an error or no answer.
  std::optional<std::string> ask(const std::string& sql) const;
  void tell(const std::string& sql) const;  // throws on an error

 private:
  const std::string socket_;
  ScratchDir scratch_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_
