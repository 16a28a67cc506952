// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PARTS_H_
#define FEATHERID_TEST_BENCH_PARTS_H_

#include <string>

// The parts of featherid_bench_core. Each prints its figures and throws if it cannot measure them.
namespace featherid::bench {

// The cost of an id in nanoseconds, compared with the floors and the alternatives. Writes the plot
// of cost by threads to `plot_file` unless that is empty.
void measure_fast_path(const std::string& plot_file);

// Steady burns and steps of the burn, on stores that answer late.
void measure_refill();

// 10,000 tags: memory and threads.
void measure_tags();

// 10,000 tags of a real MariaDB, from the start until each has handed out an id.
void measure_start();

// Leases and connections of a MariaDB and a PostgreSQL, over TLS and unencrypted in turn.
void measure_tls();

// A tag of strict order on a MariaDB and on SQLite: one caller, and many who share each lease.
void measure_strict();

// Writing an id as text, compared with std::to_chars.
void measure_format();

// Scrambling an id.
void measure_scramble();

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PARTS_H_
