// SPDX-License-Identifier: MIT
#include "test/support/haproxy_server.h"

#include <fstream>
#include <stdexcept>
#include <vector>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

HaproxyServer::HaproxyServer(const std::string& mode, const std::string& port_lines,
                             const std::string& more_sections)
    : port_(free_port()) {
  std::ofstream(scratch_.file("cfg"))
      << "defaults\n  mode " << mode
      << "\n  timeout connect 10s\n  timeout client 10s\n  timeout server 10s\n"
      << "listen port\n  bind 127.0.0.1:" << port_ << "\n"
      << port_lines << more_sections;
  ChildProcess::Options options;
  options.output_file = scratch_.file("log");
  process_.emplace(std::vector<std::string>{"/usr/sbin/haproxy", "-db", "-f", scratch_.file("cfg")},
                   options);
  const auto ended = [&] { return process_->wait(std::chrono::milliseconds(0)).has_value(); };
  if (!wait_until([&] { return ended() || port_answers(port_); }) || ended()) {
    throw std::runtime_error("haproxy does not start: " + read_file(scratch_.file("log")));
  }
}

}  // namespace featherid::test
