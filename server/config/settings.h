// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_SETTINGS_H_
#define FEATHERID_SERVER_CONFIG_SETTINGS_H_

#include <functional>
#include <string>
#include <vector>

#include "featherid/status.h"
#include "server/config/config.h"

namespace featherid {

// The programs that read the settings. Each ignores the other's in the TOML file.
enum class Program { kServer, kCommand };

struct Setting {
  enum class UsedBy { kServer, kCommand, kBoth };

  std::string name;  // --name, FEATHERID_NAME in the environment, name in the file
  std::string type;
  std::string default_text;
  std::string help;
  // Checks the text and stores its value. kInvalidArgument: the message says what to write.
  std::function<Status(Config&, const std::string& text)> set;
  bool reloadable = false;  // SIGHUP applies a change; otherwise a change requires a restart
  UsedBy used_by = UsedBy::kServer;

  bool used_in(Program program) const {
    return used_by == UsedBy::kBoth ||
           (used_by == UsedBy::kServer) == (program == Program::kServer);
  }
};

// The one place that knows the settings, their bounds and their defaults.
std::vector<Setting> settings();

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_SETTINGS_H_
