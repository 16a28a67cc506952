// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_WRK_H_
#define FEATHERID_TEST_BENCH_WRK_H_

#include <chrono>
#include <string>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

// The load on a server.
struct Load {
  int connections = 16;
  int depth = 1;           // requests sent at once
  bool keep_alive = true;  // otherwise each request has its own connection
  bool tls = false;
  std::chrono::seconds duration{2};
};

// What wrk measured.
struct WrkReport {
  double requests = 0;
  double seconds = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double refused = 0;  // answers with a status from 400 up
  double failed = 0;   // broken connections, and answers after more than 2 s

  double per_second() const { return requests / seconds; }
};

// One wrk with one thread. It runs from construction on and ends with this object.
class Wrk {
 public:
  Wrk(int port, const std::string& target, const Load& load);

  // Waits for the end. Throws if there is no report or if this program must stop.
  WrkReport report();

 private:
  test::ScratchDir scratch_;
  std::string output_file_;
  std::chrono::seconds bound_;
  test::ChildProcess process_;
};

// For main(): blocks SIGINT and SIGTERM, so that the owner of each started process stops it on the
// way out; allows as many open files as the machine does.
void prepare_process();

// Throws if SIGINT or SIGTERM has come.
void throw_if_told_to_stop();

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_WRK_H_
