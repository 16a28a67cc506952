// SPDX-License-Identifier: MIT
// featherid_pages FOLDER: writes the man pages and the completion scripts, which are installed.
#include <fstream>
#include <iostream>
#include <string>

#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "server/config/server_arguments.h"

int main(int argc, char** argv) {
  using namespace featherid;
  if (argc != 2) return std::cerr << "usage: featherid_pages FOLDER\n", 2;
  const std::string folder = std::string(argv[1]) + "/";
  const CommandLine command;
  const ServerArguments server;
  std::ofstream(folder + "featherid.1") << man_page(command.app);
  std::ofstream(folder + "featherid-server.1") << man_page(server.app);
  std::ofstream(folder + "featherid.bash") << completion_scripts(command.app, Shell::kBash);
  std::ofstream(folder + "_featherid") << completion_scripts(command.app, Shell::kZsh);
  std::ofstream(folder + "featherid.fish") << completion_scripts(command.app, Shell::kFish);
}
