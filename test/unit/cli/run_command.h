// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_UNIT_CLI_RUN_COMMAND_H_
#define FEATHERID_TEST_UNIT_CLI_RUN_COMMAND_H_

#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

struct CommandResult {
  int exit_code;
  std::string out;
  std::string err;
};

// Runs `featherid` in this process. `typed`: what a person types; without it nobody can be asked.
inline CommandResult run_command(const std::vector<std::string>& arguments,
                                 const std::string& typed = "",
                                 const Environment& environment = {}) {
  std::istringstream in(typed);
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code =
      run_command_line(arguments, environment, {in, out, err, false, !typed.empty()});
  return {exit_code, out.str(), err.str()};
}

// The same on a SQLite file of its own, which has its table.
class Commands {
 public:
  Commands() { run({"init"}); }

  CommandResult run(std::vector<std::string> arguments, const std::string& typed = "") const {
    arguments.insert(arguments.begin(), {"--database", url()});
    return run_command(arguments, typed);
  }
  std::string url() const { return "sqlite3:" + scratch_.file("ids.db"); }
  const ScratchDir& scratch() const { return scratch_; }

 private:
  const ScratchDir scratch_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_UNIT_CLI_RUN_COMMAND_H_
