// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_INNODB_SERVER_H_
#define FEATHERID_TEST_SUPPORT_INNODB_SERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// The common part of MariadbServer and MysqlServer: a server on a free port of 127.0.0.1, with an
// empty database `ids` and a user `featherid` who may do everything.
class InnodbServer {
 public:
  InnodbServer(const InnodbServer&) = delete;
  InnodbServer& operator=(const InnodbServer&) = delete;

  void start();  // after stop(): the same data and port; throws if it cannot
  void stop(int signal_number = SIGTERM);
  pid_t pid() const { return process_->pid(); }

  int port() const { return port_; }
  // The password contains characters that a URL must escape.
  std::string url(const std::string& database = "ids") const;
  static std::string password() { return "p@ss:w/d%'\\ 1"; }
  static std::string quoted_password() { return "p@ss:w/d%\\'\\\\ 1"; }  // as in SQL

 protected:
  // `argv`: the program and the flags of its kind. Those of both kinds and `more` come after.
  // The constructor of the kind fills data_folder() and calls start().
  InnodbServer(std::vector<std::string> argv, const std::vector<std::string>& more);
  ~InnodbServer() { stop(); }

  std::string data_folder() const { return scratch_.file("data"); }
  ChildProcess::Options own_temporary_files() const;

 private:
  ScratchDir scratch_;
  int port_;
  std::vector<std::string> argv_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_INNODB_SERVER_H_
