// SPDX-License-Identifier: MIT
#include "server/commands.h"

#include <cstdlib>
#include <string>

#include "server/store/wait_for_database.h"
#include "server/terminal.h"

namespace featherid {

namespace {

int advance_tag(const Config& config, Store& store) {
  const Advance& advance = *config.advance;
  if (const Status missing = check_store_exists(config.store); !missing.ok()) {
    return fail(kExitFailure, "--advance: " + missing.message());
  }
  const Result<std::int64_t> before = run_advance(store, advance, "--allow-backward");
  if (!before.ok()) return fail(kExitFailure, "--advance: " + before.status().message());
  print("tag '" + advance.tag + "' was at " + std::to_string(*before) + " and is at " +
        std::to_string(advance.max_id) + " now\n");
  print_error("--advance still works; its replacement is: featherid advance TAG ID");
  if (*before > advance.max_id) print(std::string("moved backward: ") + kBackwardWarning + "\n");
  return EXIT_SUCCESS;
}

int init_schema(const Config& config) {
  std::string exists;
  const auto try_init = [&] {
    const Result<std::string> made = init_store(config.store);
    if (made.ok()) exists = *made;
    return made.status();
  };
  const Status status = wait_for_database(try_init, config.wait_for_database, print_error);
  if (!status.ok()) return fail(kExitFailure, "--init-schema: " + status.message());
  print(exists + " (" + redacted(config.store.addresses) + ")\n");
  print_error("--init-schema still works; its replacement is: featherid init");
  return EXIT_SUCCESS;
}

}  // namespace

bool wants_command(const Config& config) {
  return config.check_config || config.init_schema || config.advance;
}

int run_command(const Config& config, Store& store) {
  for (const std::string& warning : config.warnings) print_error(warning);
  if (config.check_config) {
    print("the configuration is valid\n");
    return EXIT_SUCCESS;
  }
  return config.advance ? advance_tag(config, store) : init_schema(config);
}

}  // namespace featherid
