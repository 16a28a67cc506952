// SPDX-License-Identifier: MIT
// featherid: administers FeatherID from a terminal or a script.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/command_line.h"
#include "server/terminal.h"

int main(int argc, char** argv) {
  using namespace featherid;
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so a limit on file sizes is an error of the write
  std::ios::sync_with_stdio(false);
  const char* const terminal = std::getenv("TERM");
  const bool colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr &&
                       terminal != nullptr && std::string(terminal) != "dumb";
  const Console console{std::cin,
                        std::cout,
                        std::cerr,
                        colours,
                        ::isatty(STDIN_FILENO) == 1,
                        ::isatty(STDERR_FILENO) == 1};
  const int exit_code = run_command_line({argv + 1, argv + argc}, environment_variables(), console);
  if (!store_threads_left_behind()) return exit_code;
  std::cout.flush();
  ::_exit(exit_code);
}
