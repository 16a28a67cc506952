// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_COMMAND_LINE_H_
#define FEATHERID_CLI_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/context.h"
#include "server/config/environment.h"
#include "server/config/setting_flags.h"

namespace featherid {

// Does what the command is for. The status tells the exit code.
using Action = std::function<Status(Context& context)>;

// The command line of `featherid`. Help, man page and completion are made from `app`.
class CommandLine {
 public:
  CommandLine();

  // A command and what it does. Its options are added to the result.
  CLI::App* add(const std::string& name, const std::string& help, Action action);
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& help, Action action);
  // A group of commands.
  CLI::App* add_group(const std::string& name, const std::string& help);

  // The action of the command that the arguments name.
  const Action& chosen() const;

  CLI::App app;
  SettingFlags settings;
  bool json = false;
  bool version = false;

 private:
  std::map<const CLI::App*, Action> actions_;
};

// Runs the program. Returns its exit code.
int run_command_line(const std::vector<std::string>& arguments, const Environment& environment,
                     const Console& console);

}  // namespace featherid

#endif  // FEATHERID_CLI_COMMAND_LINE_H_
