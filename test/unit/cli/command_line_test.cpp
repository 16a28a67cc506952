// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

TEST_CASE("a wrong command line is refused and changes nothing", "[cli]") {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  const Commands commands;
  for (const Case& bad : {
           Case{{}, "a command is missing"},
           Case{{"nix"}, "nix"},
           Case{{"tags", "--nix"}, "--nix"},
           Case{{"tag"}, "subcommand is required"},
           Case{{"next"}, "TAG is required"},
           Case{{"next", "order", "user"}, "user"},
           Case{{"next", "order", "-n", "0"}, "-n: '0' is not between 1 and 1000000"},
           Case{{"next", "order", "-n", "1000001"}, "-n: "},
           Case{{"next", "order", "-n="}, "-n: "},
           Case{{"next", ""}, "tag"},
           Case{{"next", "a\nb"}, "tag"},
           Case{{"next", " order"}, "tag"},
           Case{{"next", "order", "-n", "1", "-n", "2"}, "-n"},
           Case{{"tag", "create", "a", "--step", "0"}, "--step: '0' is not between 1 and"},
           Case{{"tag", "create", "a", "--step", "2147483648"}, "--step: "},
           Case{{"tag", "set", "order"},
                "nothing to set; give --step, --cap, --order, --format, --scramble, --floor-rate, "
                "--description or --owner"},
           Case{{"advance", "order"}, "ID is required"},
           Case{{"advance", "order", "-1"}, "-1"},
           Case{{"advance", "order", "9223372036854775807"}, "ID: "},
           Case{{"advance", "order", "1e3"}, "ID: "},
           Case{{"rewind", "order", "0"}, "is at 0; give a lower ID or"},
           Case{{"tags", "--call-timeout", "1s"}, "--call-timeout: "},
           Case{{"tags", "--listen", "127.0.0.1:1"}, "--listen"},
       }) {
    const CommandResult result = commands.run(bad.arguments);
    CAPTURE(bad.says, result.err, result.out);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.find("featherid: ") == 0);
    CHECK(result.err.find(bad.says) != std::string::npos);
  }
  CHECK(commands.run({"tags", "--json"}).out.find("\"max_id\":0,\"step\":1000") !=
        std::string::npos);
}

TEST_CASE("settings come before or after the command, from the environment and the server's file",
          "[cli]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  CHECK(run_command({"init", "--database", url}).exit_code == 0);
  CHECK(run_command({"tags", "--database=" + url}).exit_code == 0);
  CHECK(run_command({"tags"}, "", {{"FEATHERID_DATABASE", url}}).exit_code == 0);
  const std::string file = scratch.file("ids.toml");
  // Settings of the server alone are known, and the files that they name are not read.
  std::ofstream(file) << "database = \"" + url + "\"\nlisten = \"nix\"\ntls-key = \"/root/key\"\n"
                      << "admin-token-file = \"/nonexistent\"\n"
                      << "scramble-key-file = \"/nonexistent\"\n";
  CHECK(run_command({"--config", file, "tags"}).exit_code == 0);
  CHECK(run_command({"tags"}, "", {{"FEATHERID_CONFIG", file}}).exit_code == 0);
  std::ofstream(file) << "databse = \"" + url + "\"\n";
  const CommandResult misspelt = run_command({"--config", file, "tags"});
  CHECK(misspelt.exit_code == 2);
  CHECK(misspelt.err.find("line 1: databse: there is no such setting") != std::string::npos);
  CHECK(run_command({"tags"}, "", {{"FEATHERID_DATABSE", url}}).exit_code == 2);
}

TEST_CASE("only init makes a SQLite file", "[cli]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("ids.db");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"tags"}, {"next", "order"}, {"tag", "create", "a"}, {"advance", "order", "5"}}) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--database", "sqlite3:" + file});
    const CommandResult result = run_command(all);
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("featherid init") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(file));
  }
  const CommandResult made = run_command({"init", "--json", "--database", "sqlite3:" + file});
  CHECK(made.exit_code == 0);
  CHECK(made.out.find("tags created: health, order, user") != std::string::npos);
}

TEST_CASE("ping tells whether the database grants leases", "[cli]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  CHECK(run_command({"ping", "--database", url}).exit_code == 1);
  run_command({"init", "--database", url});
  const CommandResult answer = run_command({"ping", "--json", "--database", url});
  CHECK(answer.exit_code == 0);
  CHECK(answer.out == "{\"source\":\"" + url + "\"}\n");
}

TEST_CASE("help and version", "[cli]") {
  const CommandResult help = run_command({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.out.find("Exit codes: 0 done") != std::string::npos);
  CHECK(run_command({"tag", "create", "--help"}).out.find("featherid tag create") !=
        std::string::npos);
  CHECK(run_command({"--version"}).out.find("featherid ") == 0);
}

}  // namespace featherid::test
