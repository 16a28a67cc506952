// SPDX-License-Identifier: MIT
#include "test/bench/wrk.h"

#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace featherid::bench {

namespace {

std::vector<std::string> command(int port, const std::string& target, const Load& load) {
  std::vector<std::string> argv = {"wrk",
                                   "-t1",
                                   "-c" + std::to_string(load.connections),
                                   "-d" + std::to_string(load.duration.count()) + "s",
                                   "-s",
                                   FEATHERID_WRK_SCRIPT};
  if (!load.keep_alive) argv.insert(argv.end(), {"-H", "Connection: close"});
  const std::string origin =
      (load.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port);
  argv.insert(argv.end(), {origin + target, "--", std::to_string(load.depth)});
  return argv;
}

}  // namespace

void prepare_process() {
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGINT);
  ::sigaddset(&stop, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::cout.exceptions(std::ios::badbit);  // the reader of the figures has gone
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void throw_if_told_to_stop() {
  sigset_t pending;
  ::sigpending(&pending);
  if (::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1) {
    throw std::runtime_error("told to stop");
  }
}

Wrk::Wrk(int port, const std::string& target, const Load& load)
    : output_file_(scratch_.file("wrk.out")),
      bound_(load.duration + std::chrono::seconds(30)),
      process_(command(port, target, load), {output_file_, "", {}}) {}

WrkReport Wrk::report() {
  const auto deadline = std::chrono::steady_clock::now() + bound_;
  while (!process_.wait(std::chrono::milliseconds(100))) {
    throw_if_told_to_stop();
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("wrk hangs");
  }
  throw_if_told_to_stop();  // the terminal also signals wrk, which then ends early
  const std::string output = test::read_file(output_file_);
  const std::string begin = "measured ";
  const std::size_t at = output.rfind(begin);
  if (at == std::string::npos) throw std::runtime_error("wrk says: " + output);
  std::istringstream line(output.substr(at + begin.size()));
  WrkReport report;
  double microseconds = 0;
  line >> report.requests >> microseconds >> report.p50_us >> report.p99_us >> report.p999_us >>
      report.refused >> report.failed;
  report.seconds = microseconds / 1e6;
  return report;
}

}  // namespace featherid::bench
