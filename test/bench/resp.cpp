// SPDX-License-Identifier: MIT
#include "test/bench/resp.h"

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/bench/figures.h"
#include "test/bench/http_servers.h"
#include "test/bench/resp_load.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

namespace {

struct Contest {
  const char* name;
  RespLoad load;
};

struct Run {
  RespReport report;
  double cpu_us = 0;  // of the server, for a command
};

using Runs = std::map<std::string, std::vector<Run>>;  // by server

// A server, and the port of its Redis protocol.
struct RespServer {
  std::unique_ptr<HttpServerProcess> process;
  int port;
};

std::vector<RespServer> start_servers(const test::ScratchDir& scratch) {
  std::vector<RespServer> servers;
  // The second commits each increment to the disk, as a lease is. The first keeps none.
  for (const bool fsync : {false, true}) {
    std::vector<std::string> options = {"--save", ""};
    if (fsync) options.insert(options.end(), {"--appendonly", "yes", "--appendfsync", "always"});
    auto redis = start_redis(scratch, fsync ? "redis_fsync" : "redis", options);
    const int port = redis->port();
    servers.push_back({std::move(redis), port});
  }
  const std::string database = make_database(scratch);
  for (const char* const loops : {"1", "2"}) {
    const int port = test::free_port();
    const std::string name = std::string("featherid_") + loops;
    servers.push_back(
        {start_featherid(
             scratch, database, {},
             {"--resp-listen", "127.0.0.1:" + std::to_string(port), "--io-threads", loops}, name),
         port});
  }
  return servers;
}

Run drive(const RespServer& server, const RespLoad& load) {
  Run run;
  const double cpu_before = server.process->cpu_seconds();
  run.report = drive_resp(server.port, load);
  run.cpu_us = (server.process->cpu_seconds() - cpu_before) * 1e6 / run.report.commands;
  return run;
}

template <typename Of>
double median_of(const std::vector<Run>& runs, Of of) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(of(run));
  return median(values);
}

void report(const std::string& name, const Runs& runs) {
  for (const auto& [server, of_server] : runs) {
    const std::string prefix = name + "." + server + ".";
    const auto quantile = [](double share) {
      return [share](const Run& run) { return run.report.latencies.quantile_ns(share) / 1e3; };
    };
    figure(prefix + "rps", median_of(of_server, [](const Run& r) { return r.report.per_second(); }),
           "per-s");
    figure(prefix + "p50", median_of(of_server, quantile(0.5)), "us");
    figure(prefix + "p99", median_of(of_server, quantile(0.99)), "us");
    figure(prefix + "p99.9", median_of(of_server, quantile(0.999)), "us");
    figure(prefix + "cpu", median_of(of_server, [](const Run& r) { return r.cpu_us; }), "us");
    double errors = 0;
    for (const Run& run : of_server) errors += run.report.errors;
    figure(prefix + "errors", errors, "commands");
  }
  for (const std::string base : {"redis", "redis_fsync"}) {
    for (const std::string server : {"featherid_1", "featherid_2"}) {
      // Of runs close in time, because a stall of the machine slows both.
      std::vector<double> rps;
      std::vector<double> cpu;
      for (std::size_t i = 0; i < runs.at(base).size(); ++i) {
        const Run& run = runs.at(server)[i];
        const Run& base_run = runs.at(base)[i];
        rps.push_back(run.report.per_second() / base_run.report.per_second());
        cpu.push_back(run.cpu_us / base_run.cpu_us);
      }
      const std::string prefix = name + "." + server + ".vs_" + base + ".";
      figure(prefix + "rps", median(rps), "x");
      figure(prefix + "cpu", median(cpu), "x");
    }
  }
}

}  // namespace

void measure_resp(int rounds, std::chrono::seconds duration) {
  std::vector<Contest> contests(3);
  contests[0] = {"resp.incr.c1", {1, 1, 1, duration}};
  contests[1] = {"resp.incr.c64", {64, 1, 2, duration}};
  contests[2] = {"resp.pipelined_16.c64", {64, 16, 2, duration}};
  std::map<std::string, Runs> runs;
  for (int round = 1; round <= rounds; ++round) {
    std::cerr << "round " << round << " of " << rounds << '\n';
    const test::ScratchDir scratch;
    for (const RespServer& server : start_servers(scratch)) {
      for (const Contest& contest : contests) {
        const std::string& name = server.process->name();
        std::cerr << contest.name << " " << name << '\n';
        runs[contest.name][name].push_back(drive(server, contest.load));
      }
    }
  }
  for (const Contest& contest : contests) report(contest.name, runs[contest.name]);
}

}  // namespace featherid::bench
