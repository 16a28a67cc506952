// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_COMMAND_PROCESS_H_
#define FEATHERID_TEST_SYSTEM_E2E_COMMAND_PROCESS_H_

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

// The program `featherid` with flags that every run has.
class CommandProcess {
 public:
  CommandProcess(const ScratchDir& scratch, const std::string& database)
      : CommandProcess(scratch, std::vector<std::string>{"--database", database}) {}
  CommandProcess(const ScratchDir& scratch, std::vector<std::string> flags,
                 std::vector<std::string> environment = {})
      : scratch_(scratch), flags_(std::move(flags)), environment_(std::move(environment)) {}

  // Runs it to its end.
  RunResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), flags_.begin(), flags_.end());
    arguments.insert(arguments.begin(), FEATHERID_COMMAND_PROGRAM);
    static std::atomic<int> count{0};
    const std::string output_file = scratch_.file("command-" + std::to_string(++count) + ".out");
    ChildProcess process(arguments, {output_file, "", environment_});
    const std::optional<int> exit_code = process.wait(std::chrono::seconds(60));
    return {exit_code.value_or(-1), read_file(output_file)};
  }
  // The output of a command that succeeds.
  std::string good(const std::vector<std::string>& arguments) const {
    const RunResult result = run(arguments);
    CAPTURE(arguments, result.output);
    REQUIRE(result.exit_code == 0);
    return result.output;
  }
  // What `doctor` finds, one line for each: "warning settings: …".
  std::string doctor(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"doctor", "--json"});
    const std::string output = run(more).output;
    std::string text;
    for (const auto& finding : nlohmann::json::parse(output.substr(0, output.rfind("]\n") + 2))) {
      text += finding["level"].get<std::string>() + " " + finding["topic"].get<std::string>() +
              ": " + finding["text"].get<std::string>() + "\n";
    }
    return text;
  }

 private:
  const ScratchDir& scratch_;
  const std::vector<std::string> flags_;
  const std::vector<std::string> environment_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_COMMAND_PROCESS_H_
