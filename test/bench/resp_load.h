// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_RESP_LOAD_H_
#define FEATHERID_TEST_BENCH_RESP_LOAD_H_

#include <chrono>

#include "test/bench/latencies.h"

namespace featherid::bench {

// The load of `INCR order` on a server of the Redis protocol.
struct RespLoad {
  int connections = 64;
  int depth = 1;    // commands sent at once
  int threads = 2;  // of the driver
  std::chrono::seconds duration{2};
};

struct RespReport {
  double commands = 0;
  double errors = 0;
  double seconds = 0;
  Latencies latencies;  // of all commands sent at once, until the last answer

  double per_second() const { return commands / seconds; }
};

// Drives the server on this port of 127.0.0.1. It does less for each command than redis-benchmark,
// which would be the bottleneck. Throws if a connection breaks.
RespReport drive_resp(int port, const RespLoad& load);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_RESP_LOAD_H_
