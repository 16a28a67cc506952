// SPDX-License-Identifier: MIT
// featherid_campaign ENGINE [--seconds N] [--servers S] [--embedded E] [--seed K] [--strict]
// [--floor] [--periods] [--redis] [--old-server PROGRAM] [--overtime N]
//
// Starts a database, servers and embedding processes, causes faults drawn from the seed under load,
// checks every acknowledged id, and prints figures. Exit code 1 on any violation.
#include <sim_commit.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <random>

#include "test/system/campaign/campaign.h"

int main(int argc, char** argv) {
  using namespace featherid::campaign;
  CLI::App app("a campaign of faults against FeatherID on a real database");
  Options options;
  options.seed = std::random_device()();
  options.embedding_program = FEATHERID_EMBEDDING_PROGRAM;
  app.add_option("engine", options.engine, "one of " + engine_names())->required();
  app.add_option("--seconds", options.seconds, "how long faults go on")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  app.add_option("--overtime", options.overtime_seconds,
                 "how many seconds it may take longer than that before it ends with a violation")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  app.add_option("--servers", options.servers, "processes of featherid-server")
      ->capture_default_str()
      ->check(CLI::Range(0, 20));
  app.add_option("--embedded", options.embedded, "processes that embed FeatherID")
      ->capture_default_str()
      ->check(CLI::Range(0, 20));
  app.add_option("--seed", options.seed, "the seed of all random choices; default: a new one");
  app.add_flag("--strict", options.strict,
               "a tag that all processes share has strict order, which is checked");
  CLI::Option* const floor =
      app.add_flag("--floor", options.floor,
                   "every tag has a time floor: without a failover guard, and no operator advances "
                   "a tag after a restore");
  CLI::Option* const periods =
      app.add_flag("--periods", options.periods,
                   "three of the shared tags have days, which end during the campaign; it lasts "
                   "that long")
          ->excludes(floor);
  app.add_flag("--redis", options.redis,
               "every second client of a server speaks the Redis protocol")
      ->excludes(periods);
  app.add_option("--old-server", options.old_server,
                 "an older featherid-server, which every server runs in every other life")
      ->check(CLI::ExistingFile)
      ->excludes(periods);
  app.add_option("--only", options.only, "only faults whose name contains this");
  app.add_option("--embedding-program", options.embedding_program,
                 "runs instead of featherid_campaign_embedding");
  CLI11_PARSE(app, argc, argv);
  std::cout << "featherid_campaign " << kSimCommit << " " << options.engine << " --seconds "
            << options.seconds << " --servers " << options.servers << " --embedded "
            << options.embedded << " --seed " << options.seed << (options.strict ? " --strict" : "")
            << (options.floor ? " --floor" : "") << (options.periods ? " --periods" : "")
            << (options.redis ? " --redis" : "")
            << (options.only.empty() ? "" : " --only '" + options.only + "'") << std::endl;
  try {
    const Figures figures = Campaign(options).run();
    figures.print(std::cout);
    return figures.good() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cout << "VIOLATION: the campaign cannot go on: " << error.what() << std::endl;
    return 1;
  }
}
