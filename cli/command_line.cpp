// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include <iostream>
#include <utility>

#include "cli/bench.h"
#include "cli/completion.h"
#include "cli/doctor.h"
#include "cli/exit_codes.h"
#include "cli/import.h"
#include "cli/tag_commands.h"
#include "featherid/version.h"
#include "lib/base/utf8.h"

namespace featherid {

namespace {

const char* const kFooter =
    "`featherid COMMAND --help` tells more. The settings can come before or after the command. "
    "Each can also be\nan environment variable (--database: FEATHERID_DATABASE) or a key in the "
    "server's TOML file.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 try again, 4 no such tag, 5 tag exists, "
    "6 no ids left.";

// Where the lines of the store go: what a person must know.
LogCallback warnings_to(const Console& console) {
  return [&err = console.err](LogLevel level, std::string_view message) {
    if (level < LogLevel::kWarn) return;
    err << "featherid: warning: " + printable(message) + "\n" << std::flush;
  };
}

int fail(const Console& console, int exit_code, const std::string& message) {
  console.err << "featherid: " << printable(message) << std::endl;
  return exit_code;
}

}  // namespace

CommandLine::CommandLine()
    : app("Administers FeatherID: tags, ids, and what could lose or stop them.", "featherid"),
      settings(app, Program::kCommand) {
  app.footer("Settings and exit codes: featherid --help");  // of the commands
  app.fallthrough();                                        // for settings after the command
  app.require_subcommand(0, 1);
  app.add_flag("--json", json, "print JSON, for programs");
  app.add_flag("--version", version, "print the version, and exit");
  add_tag_commands(*this);
  add_doctor(*this);
  add_import(*this);
  add_bench(*this);
  add_completion(*this);
  app.footer(kFooter);
}

CLI::App* CommandLine::add(const std::string& name, const std::string& help, Action action) {
  return add(&app, name, help, std::move(action));
}

CLI::App* CommandLine::add(CLI::App* parent, const std::string& name, const std::string& help,
                           Action action) {
  CLI::App* const command = parent->add_subcommand(name, help);
  actions_.emplace(command, std::move(action));
  return command;
}

CLI::App* CommandLine::add_group(const std::string& name, const std::string& help) {
  CLI::App* const group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  return group;
}

const Action& CommandLine::chosen() const {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return actions_.at(command);
}

int run_command_line(const std::vector<std::string>& arguments, const Environment& environment,
                     const Console& console) {
  CommandLine given;
  if (const std::optional<ConfigOutcome> end = parse_arguments(given.app, arguments)) {
    if (end->exit_code != 0) return fail(console, kUsage, end->text);
    console.out << end->text;
    return kDone;
  }
  if (given.version) {
    console.out << "featherid " FEATHERID_VERSION "\n";
    return kDone;
  }
  if (given.app.get_subcommands().empty()) {
    return fail(console, kUsage, "a command is missing; see featherid --help");
  }
  Config config;
  if (const Status bad = given.settings.read(environment, &config); !bad.ok()) {
    return fail(console, kUsage, bad.message());
  }
  config.store.log = warnings_to(console);
  config.store.log_risks = false;  // `init` and `doctor` report them
  for (const std::string& warning : config.warnings) {
    fail(console, 0, "warning: " + warning);
  }
  const auto token = environment.find("FEATHERID_TOKEN");
  Context context(std::move(config), token == environment.end() ? "" : token->second, given.json,
                  console);
  const Status status = given.chosen()(context);
  if (!status.ok()) fail(console, 0, status.message());
  if (!console.out.flush()) return fail(console, kFailed, "cannot write to standard output");
  return exit_code_of(status);
}

}  // namespace featherid
