// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_RESP_H_
#define FEATHERID_TEST_BENCH_RESP_H_

#include <chrono>

namespace featherid::bench {

// INCR over the Redis protocol, side by side with Redis itself. Prints its figures.
void measure_resp(int rounds, std::chrono::seconds duration);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_RESP_H_
