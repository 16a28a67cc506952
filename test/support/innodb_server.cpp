// SPDX-License-Identifier: MIT
#include "test/support/innodb_server.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

InnodbServer::InnodbServer(std::vector<std::string> argv, const std::vector<std::string>& more)
    : port_(free_port()), argv_(std::move(argv)) {
  // Not into the binary log, because a replica has made its own.
  std::ofstream(scratch_.file("init.sql"))
      << "SET SESSION sql_log_bin = 0;\n"
         "CREATE DATABASE IF NOT EXISTS ids;\n"
         "CREATE USER IF NOT EXISTS featherid@'%' IDENTIFIED BY '"
      << quoted_password()
      << "';\n"
         "GRANT ALL ON *.* TO featherid@'%' WITH GRANT OPTION;\n";
  const std::vector<std::string> both = {"--datadir=" + data_folder(),
                                         "--socket=" + scratch_.file("socket"),
                                         "--pid-file=" + scratch_.file("pid"),
                                         "--init-file=" + scratch_.file("init.sql"),
                                         "--port=" + std::to_string(port_),
                                         "--bind-address=127.0.0.1",
                                         "--skip-name-resolve",
                                         "--character-set-server=utf8mb4",
                                         "--innodb-buffer-pool-size=32M"};
  argv_.insert(argv_.end(), both.begin(), both.end());
  if (::geteuid() == 0) argv_.emplace_back("--user=root");
  argv_.insert(argv_.end(), more.begin(), more.end());
}

// A server that starts removes the temporary tables of all servers in the same folder.
ChildProcess::Options InnodbServer::own_temporary_files() const {
  ChildProcess::Options options;
  options.environment = {"TMPDIR=" + scratch_.path().string()};
  return options;
}

void InnodbServer::start() {
  ChildProcess::Options options = own_temporary_files();
  options.output_file = scratch_.file("log");
  process_.emplace(argv_, options);
  // It greets once the init file has run.
  const bool ready = wait_until(
      [&] {
        return process_->wait(std::chrono::milliseconds(0)) || port_answers(port_, /*greets=*/true);
      },
      std::chrono::minutes(3));
  if (!ready || process_->wait(std::chrono::milliseconds(0))) {
    throw std::runtime_error(argv_.front() + " does not start: " + read_file(scratch_.file("log")));
  }
}

void InnodbServer::stop(int signal_number) {
  if (process_) process_->stop(signal_number);
}

std::string InnodbServer::url(const std::string& database) const {
  return "mysql://featherid:p%40ss%3Aw%2Fd%25'%5C%201@127.0.0.1:" + std::to_string(port_) + "/" +
         database;
}

}  // namespace featherid::test
