// SPDX-License-Identifier: MIT
// featherid-server: reads the configuration, then runs a command or the server.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "server/commands.h"
#include "server/config/config.h"
#include "server/config/environment.h"
#include "server/log/log_files.h"
#include "server/log/logging.h"
#include "server/ops/store_calls.h"
#include "server/serve.h"
#include "server/store/stores.h"
#include "server/store/wait_for_database.h"
#include "server/terminal.h"

namespace featherid {
namespace {

// What the program adds to the settings: where lines go, and how many calls of the store run at
// once.
Config completed(Config config) {
  config.allocator.log = log_core;
  config.store.log = log_core;
  config.store.calls_max = config.allocator.refill_threads + StoreCalls::kThreads;
  return config;
}

int run(const Config& config, const Signals::ReadConfig& read_again) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so a limit on file sizes is an error of the write

  Result<std::unique_ptr<Store>> store = open_store(config.store);
  if (!store.ok()) {
    const char* const setting = config.store.database_file.empty() ? "database" : "database-file";
    return fail(kExitUsage, config.given.at(setting).origin + ": " + store.status().message());
  }
  if (wants_command(config)) return run_command(config, **store);

  std::shared_ptr<LogFiles> log_files;
  if (!config.log_files.dir.empty()) {
    Result<std::shared_ptr<LogFiles>> opened = LogFiles::open(config.log_files);
    if (!opened.ok()) return fail(kExitFailure, "--log-dir: " + opened.status().message());
    log_files = *std::move(opened);
  }
  start_logging(config.log_level, config.log_format, log_files);
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
  if (config.wait_for_database.count() > 0) {
    const Status status =
        wait_for_database([&store] { return (*store)->probe(); }, config.wait_for_database,
                          [](const std::string& text) { spdlog::warn("{}", text); });
    if (!status.ok()) return fail(kExitFailure, "--wait-for-database: " + status.message());
  }
  const int exit_code = serve(config, read_again, *std::move(store), log_files);
  stop_logging();
  return exit_code;
}

}  // namespace
}  // namespace featherid

int main(int argc, char** argv) {
  featherid::open_standard_descriptors();
  const featherid::Signals::ReadConfig read = [argc, argv] {
    return featherid::read_config({argv + 1, argv + argc}, featherid::environment_variables());
  };
  const featherid::ConfigOutcome outcome = read();
  if (!outcome.config && outcome.exit_code != 0) {
    return featherid::fail(outcome.exit_code, outcome.text);
  }
  if (!outcome.config) {
    featherid::print(outcome.text);
    return EXIT_SUCCESS;
  }
  const int exit_code = featherid::run(featherid::completed(*outcome.config), read);
  if (!featherid::store_threads_left_behind()) return exit_code;
  std::fflush(nullptr);
  ::_exit(exit_code);
}
