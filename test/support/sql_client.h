// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_
#define FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_

#include <optional>
#include <string>
#include <utility>

#include "test/support/scratch_dir.h"

namespace featherid::test {

// MariaDB's command line, as root, who needs no password, at a Unix socket of a MariaDB or a MySQL:
// for what must never hang a test.
class SqlClient {
 public:
  explicit SqlClient(std::string socket) : socket_(std::move(socket)) {}

  // What the server answers; nothing when it gives an error, or no answer.
  std::optional<std::string> ask(const std::string& sql) const;
  void tell(const std::string& sql) const;  // throws when it cannot

 private:
  const std::string socket_;
  ScratchDir scratch_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_SQL_CLIENT_H_
