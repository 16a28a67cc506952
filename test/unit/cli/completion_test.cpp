// SPDX-License-Identifier: MIT
#include "cli/completion.h"

#include <fstream>
#include <string>

#include "cli/man_page.h"
#include "server/config/server_arguments.h"
#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What bash offers after these words; the last one is being typed.
std::string offered(const ScratchDir& scratch, const std::string& words) {
  std::ofstream(scratch.file("script")) << run_command({"completion", "bash"}).out;
  std::ofstream(scratch.file("test"))
      << "set -eu\nsource " << scratch.file("script") << "\nCOMP_WORDS=(" << words
      << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_featherid\n"
         "echo \"offered: ${COMPREPLY[*]}.\"\n";
  const std::string output = scratch.file("output");
  std::ofstream(output) << "";
  run({"bash", scratch.file("test")}, {output, "", {}});
  return read_file(output);
}

}  // namespace

TEST_CASE("bash completes commands, options and the settings after them", "[cli][completion]") {
  const ScratchDir scratch;
  CHECK(offered(scratch, "featherid ta") == "offered: tags tag.\n");
  CHECK(offered(scratch, "featherid tag cr") == "offered: create.\n");
  CHECK(offered(scratch, "featherid tag create --st") == "offered: --step.\n");
  CHECK(offered(scratch, "featherid --json tag create --fail") ==
        "offered: --failover --failover-guard-ids.\n");
  CHECK(offered(scratch, "featherid import leaf --dr") == "offered: --dry-run.\n");
  CHECK(offered(scratch, "featherid next tag") == "offered: .\n");
  CHECK(has(run_command({"completion", "bash"}).out, "complete -F _featherid_server"));
}

TEST_CASE("every shell knows every command and option of both programs", "[cli][completion]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    const CommandResult script = run_command({"completion", shell});
    CHECK(script.exit_code == 0);
    const bool fish = std::string(shell) == "fish";
    for (const std::string word : {"doctor", "rewind", "completion"}) CHECK(has(script.out, word));
    for (const std::string option : {"dry-run", "lossy-commits", "drain-timeout"}) {
      CHECK(has(script.out, (fish ? " -l " : "--") + option));
    }
  }
  CHECK(run_command({"completion", "tcsh"}).exit_code == 2);
}

TEST_CASE("the man pages have every command and setting", "[cli][man]") {
  const CommandLine command;
  const std::string page = man_page(command.app);
  CAPTURE(page);
  CHECK(page.find(".TH FEATHERID 1 ") == 0);
  CHECK(has(page, ".SS \"tag create TAG\"\n"));
  CHECK(has(page, ".SS \"tags [PREFIX]\"\n"));
  CHECK(has(page, "\\fB\\-\\-call\\-timeout\\fR \\fITIME\\fR\ntime limit"));
  const ServerArguments server;
  const std::string server_page = man_page(server.app);
  for (const Setting& setting : settings()) {
    std::string name;
    for (const char c : setting.name) name += c == '-' ? std::string("\\-") : std::string(1, c);
    CAPTURE(name);
    const std::string flag = "\\fB\\-\\-" + name + "\\fR";
    CHECK(has(page, flag) == setting.used_in(Program::kCommand));
    CHECK(has(server_page, flag) == setting.used_in(Program::kServer));
  }
}

}  // namespace featherid::test
