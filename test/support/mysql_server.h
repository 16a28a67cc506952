// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_MYSQL_SERVER_H_
#define FEATHERID_TEST_SUPPORT_MYSQL_SERVER_H_

#include <string>
#include <vector>

#include "test/support/innodb_server.h"
#include "test/support/mariadb_server.h"

namespace featherid::test {

// The constructor starts it, or throws. It has MySQL's defaults: a binary log, GTIDs and TLS
// (ca.pem in its data folder).
class MysqlServer : public InnodbServer {
 public:
  explicit MysqlServer(const std::vector<std::string>& more_flags = {});

  // The statement that makes a server a replica of the one at `port` of 127.0.0.1.
  static std::string change_source(int port);
  // The program that prints a binary log as text.
  static std::string binary_log_reader();

  // What scripts/get-mysql has fetched. Throws if it is missing.
  static std::string program();
  // Creates the folder with the data of a new server. Its root@localhost has no password.
  static void make_data(const std::string& folder);
};

// The servers behind a mysql:// URL, for TEMPLATE_TEST_CASE.
#define MYSQL_SERVERS featherid::test::MariadbServer, featherid::test::MysqlServer

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_MYSQL_SERVER_H_
