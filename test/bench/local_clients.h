// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_LOCAL_CLIENTS_H_
#define FEATHERID_TEST_BENCH_LOCAL_CLIENTS_H_

#include <string>
#include <vector>

#include "test/bench/peer.h"

namespace featherid::bench {

// Opens what all threads of a run share, in this or in another process:
//   embedded URL TAG   Sequence::next() of one allocator with default options, over a database
//   sqlite FILE        a counter in a row, one transaction for each id. Each thread has a
//   connection.
//                      WAL and synchronous=FULL: the fastest way that keeps every commit
//   uuid_v7            RFC 9562: milliseconds and 74 random bits, which the kernel makes 4 KiB at a
//                      time. A client returns the lower 62 bits
LocalFactory open_local(const std::vector<std::string>& arguments);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_LOCAL_CLIENTS_H_
