// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_BENCH_H_
#define FEATHERID_CLI_BENCH_H_

namespace featherid {

class CommandLine;

// bench: how many ids a database can lease.
void add_bench(CommandLine& line);

}  // namespace featherid

#endif  // FEATHERID_CLI_BENCH_H_
