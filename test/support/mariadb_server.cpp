// SPDX-License-Identifier: MIT
#include "test/support/mariadb_server.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

MariadbServer::MariadbServer(std::vector<std::string> more_flags)
    : port_(free_port()), more_flags_(std::move(more_flags)) {
  std::vector<std::string> install = {"mariadb-install-db", "--no-defaults", "--skip-test-db",
                                      "--auth-root-authentication-method=normal",
                                      "--datadir=" + scratch_.file("data")};
  if (::geteuid() == 0) install.emplace_back("--user=root");
  run(install, own_temporary_files());
  std::ofstream(scratch_.file("init.sql"))
      << "CREATE DATABASE IF NOT EXISTS ids;\n"
         "CREATE USER IF NOT EXISTS featherid@'%' IDENTIFIED BY 'p@ss:w/d%\\'\\\\ 1';\n"
         "GRANT ALL ON *.* TO featherid@'%' WITH GRANT OPTION;\n";
  start();
}

// At its start a server removes the temporary tables of all servers in the same folder.
ChildProcess::Options MariadbServer::own_temporary_files() const {
  ChildProcess::Options options;
  options.environment = {"TMPDIR=" + scratch_.path().string()};
  return options;
}

void MariadbServer::start() {
  std::vector<std::string> argv = {"/usr/sbin/mariadbd",
                                   "--no-defaults",
                                   "--datadir=" + scratch_.file("data"),
                                   "--socket=" + scratch_.file("socket"),
                                   "--pid-file=" + scratch_.file("pid"),
                                   "--init-file=" + scratch_.file("init.sql"),
                                   "--port=" + std::to_string(port_),
                                   "--bind-address=127.0.0.1",
                                   "--skip-name-resolve",
                                   "--character-set-server=utf8mb4",
                                   "--innodb-buffer-pool-size=32M",
                                   "--innodb-log-file-size=16M"};
  if (::geteuid() == 0) argv.emplace_back("--user=root");
  argv.insert(argv.end(), more_flags_.begin(), more_flags_.end());
  ChildProcess::Options options = own_temporary_files();
  options.output_file = scratch_.file("log");
  process_.emplace(argv, options);
  // It greets once the init file has run.
  const bool ready = wait_until(
      [&] {
        return process_->wait(std::chrono::milliseconds(0)) || port_answers(port_, /*greets=*/true);
      },
      std::chrono::seconds(60));
  if (!ready || process_->wait(std::chrono::milliseconds(0))) {
    throw std::runtime_error("mariadbd does not start: " + read_file(scratch_.file("log")));
  }
}

void MariadbServer::stop(int signal_number) {
  if (process_) process_->stop(signal_number);
}

std::string MariadbServer::url(const std::string& database) const {
  return "mysql://featherid:p%40ss%3Aw%2Fd%25'%5C%201@127.0.0.1:" + std::to_string(port_) + "/" +
         database;
}

}  // namespace featherid::test
