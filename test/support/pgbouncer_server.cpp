// SPDX-License-Identifier: MIT
#include "test/support/pgbouncer_server.h"

#include <fstream>
#include <stdexcept>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

PgbouncerServer::PgbouncerServer(int target_port, const std::string& pool_mode,
                                 const std::vector<User>& users, const std::string& more_settings)
    : port_(free_port()) {
  std::ofstream(scratch_.file("ini"))
      << "[databases]\n* = host=127.0.0.1 port=" << target_port
      << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
      << "\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = " << scratch_.file("users")
      << "\npool_mode = " << pool_mode << "\n"
      << more_settings << "\n";
  std::ofstream passwords(scratch_.file("users"));
  for (const User& user : users)
    passwords << "\"" << user.name << "\" \"" << user.password << "\"\n";
  passwords.close();
  ChildProcess::Options options;
  options.user = "postgres";
  options.output_file = scratch_.file("log");
  process_.emplace(std::vector<std::string>{"/usr/sbin/pgbouncer", scratch_.file("ini")}, options);
  const auto ended = [&] { return process_->wait(std::chrono::milliseconds(0)).has_value(); };
  if (!wait_until([&] { return ended() || port_answers(port_); }) || ended()) {
    throw std::runtime_error("pgbouncer does not start: " + read_file(scratch_.file("log")));
  }
}

}  // namespace featherid::test
