// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_SETTING_FLAGS_H_
#define FEATHERID_SERVER_CONFIG_SETTING_FLAGS_H_

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/config/environment.h"
#include "server/config/settings.h"

namespace featherid {

// The settings of a program: its flags, the environment and the TOML file. Both programs read the
// same file and the same variables.
class SettingFlags {
 public:
  // Adds --config and a flag for each setting that the program uses to `app`, which must outlive
  // this object.
  SettingFlags(CLI::App& app, Program program);
  SettingFlags(const SettingFlags&) = delete;
  SettingFlags& operator=(const SettingFlags&) = delete;

  // Called after `app` has parsed the arguments. Flags override the environment, and the
  // environment overrides the file. Every value of a setting that the program uses is checked, even
  // if another one overrides it. kInvalidArgument: the message names the setting.
  Status read(const Environment& environment, Config* config) const;

 private:
  std::vector<const Setting*> used() const;

  CLI::App& app_;
  const std::vector<Setting> table_ = settings();
  const Program program_;
  std::string file_;
  std::map<std::string, std::string> flags_;
};

// Lets `app` parse the arguments, which do not include the program's name. Returns what to print
// before the program exits, if it must.
std::optional<ConfigOutcome> parse_arguments(CLI::App& app,
                                             const std::vector<std::string>& arguments);

// Ends the program with kExitUsage and one line without control characters.
ConfigOutcome usage_error(const std::string& message);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_SETTING_FLAGS_H_
