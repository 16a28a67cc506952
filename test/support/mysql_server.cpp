// SPDX-License-Identifier: MIT
#include "test/support/mysql_server.h"

#include <filesystem>
#include <stdexcept>

namespace featherid::test {

MysqlServer::MysqlServer(const std::vector<std::string>& more_flags)
    : InnodbServer({program(), "--innodb-redo-log-capacity=16M"}, more_flags) {
  make_data(data_folder());
  start();
}

// With the server's key, because a password never crosses an unencrypted connection in the clear.
std::string MysqlServer::change_source(int port) {
  return "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = " +
         std::to_string(port) + ", SOURCE_USER = 'featherid', SOURCE_PASSWORD = '" +
         quoted_password() +
         "', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1";
}

std::string MysqlServer::binary_log_reader() { return FEATHERID_TEST_MYSQL "/mysqlbinlog"; }

std::string MysqlServer::program() {
  std::string mysqld = FEATHERID_TEST_MYSQL "/mysqld";
  if (std::filesystem::exists(mysqld)) return mysqld;
  throw std::runtime_error(mysqld + " does not exist; scripts/get-mysql fetches it");
}

void MysqlServer::make_data(const std::string& folder) {
  const std::string data = FEATHERID_TEST_MYSQL "/data";
  run({"cp", "-a", "--reflink=auto", data, folder});
}

}  // namespace featherid::test
