// SPDX-License-Identifier: MIT
#include "test/support/mariadb_server.h"

#include <unistd.h>

namespace featherid::test {

MariadbServer::MariadbServer(const std::vector<std::string>& more_flags)
    : InnodbServer({"/usr/sbin/mariadbd", "--no-defaults", "--innodb-log-file-size=16M"},
                   more_flags) {
  std::vector<std::string> install = {"mariadb-install-db", "--no-defaults", "--skip-test-db",
                                      "--auth-root-authentication-method=normal",
                                      "--datadir=" + data_folder()};
  if (::geteuid() == 0) install.emplace_back("--user=root");
  run(install, own_temporary_files());
  start();
}

std::string MariadbServer::change_source(int port) {
  return "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " + std::to_string(port) +
         ", MASTER_USER = 'featherid', MASTER_PASSWORD = '" + quoted_password() +
         "', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1";
}

}  // namespace featherid::test
