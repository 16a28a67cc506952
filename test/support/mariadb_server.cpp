// SPDX-License-Identifier: MIT
#include "test/support/mariadb_server.h"

#include <unistd.h>

namespace featherid::test {

namespace {

// The data of a server that has just been installed. That takes a minute on a very busy machine, so
// the test process does it once.
class NewData {
 public:
  NewData() {
    std::vector<std::string> install = {"mariadb-install-db",
                                        "--no-defaults",
                                        "--skip-test-db",
                                        "--auth-root-authentication-method=normal",
                                        "--innodb-log-file-size=16M",
                                        "--datadir=" + folder()};
    if (::geteuid() == 0) install.emplace_back("--user=root");
    ChildProcess::Options options;
    options.environment = {"TMPDIR=" + scratch_.path().string()};
    run(install, options);
  }
  std::string folder() const { return scratch_.file("data"); }

 private:
  const ScratchDir scratch_;
};

}  // namespace

MariadbServer::MariadbServer(const std::vector<std::string>& more_flags)
    : InnodbServer({"/usr/sbin/mariadbd", "--no-defaults", "--innodb-log-file-size=16M"},
                   more_flags) {
  static const NewData kNewData;
  run({"cp", "-a", "--reflink=auto", kNewData.folder(), data_folder()});
  start();
}

std::string MariadbServer::change_source(int port) {
  return "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " + std::to_string(port) +
         ", MASTER_USER = 'featherid', MASTER_PASSWORD = '" + quoted_password() +
         "', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1";
}

std::string MariadbServer::binary_log_reader() { return "mariadb-binlog"; }

}  // namespace featherid::test
