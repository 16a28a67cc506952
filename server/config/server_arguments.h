// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_SERVER_ARGUMENTS_H_
#define FEATHERID_SERVER_CONFIG_SERVER_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "server/config/setting_flags.h"

namespace featherid {

// The command line of featherid-server. Its man page and completion are made from `app`.
struct ServerArguments {
  ServerArguments();

  CLI::App app;
  SettingFlags settings;
  bool init_schema = false;
  bool check_config = false;
  bool version = false;
  std::string advance;
  bool allow_backward = false;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_SERVER_ARGUMENTS_H_
