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

std::string MysqlServer::program() {
  std::string mysqld = FEATHERID_TEST_MYSQL "/mysqld";
  if (std::filesystem::exists(mysqld)) return mysqld;
  throw std::runtime_error(mysqld + " does not exist; scripts/get-mysql fetches it");
}

void MysqlServer::make_data(const std::string& folder) {
  run({"cp", "-a", "--reflink=auto", FEATHERID_TEST_MYSQL "/data", folder});
}

}  // namespace featherid::test
