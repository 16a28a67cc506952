// SPDX-License-Identifier: MIT
#include "test/system/e2e/migration_page.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "test/support/catch.h"
#include "test/support/child_process.h"

namespace featherid::test {

namespace {

std::string replaced(std::string text, const MigrationPage::Replacements& names) {
  for (const auto& [name, value] : names) {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

}  // namespace

MigrationPage::MigrationPage(const std::string& file, Replacements names)
    : names_(std::move(names)) {
  std::ifstream page(std::filesystem::path(FEATHERID_MIGRATION_PAGES) / file);
  for (std::string line; std::getline(page, line);) lines_.push_back(line);
  if (lines_.empty()) throw std::runtime_error("cannot read the page " + file);
}

void MigrationPage::log_in_to_mariadb(const std::string& user, int port, bool tls) const {
  std::ofstream(home_->file(".my.cnf"))
      << "[client]\nhost=127.0.0.1\nport=" << port << "\nuser=" << user << "\npassword=secret\n"
      << (tls ? "ssl\n" : "");
}

std::string MigrationPage::blocks_of(const std::string& heading) const {
  std::string section;
  std::string commands;
  bool found = heading.empty();
  bool in_block = false;
  for (const std::string& line : lines_) {
    if (in_block && line == "```") {
      in_block = false;
    } else if (in_block) {
      commands += line + "\n";
    } else if (line.rfind("## ", 0) == 0) {
      section = line.substr(3);
      found = found || section == heading;
    } else if (line == "```sh") {
      in_block = section == heading;
    }
  }
  if (!found || commands.empty()) throw std::runtime_error("no commands under: " + heading);
  return commands;
}

RunResult MigrationPage::run(const std::string& heading) const {
  const std::string programs = std::filesystem::path(FEATHERID_COMMAND_PROGRAM).parent_path();
  const std::string script = "export HOME='" + home_->path().string() + "' PATH='" + programs +
                             "':$PATH\n" + replaced(blocks_of("") + blocks_of(heading), names_);
  ChildProcess::Options options;
  options.output_file = home_->file("output");
  std::filesystem::remove(options.output_file);
  ChildProcess shell({"bash", "-euo", "pipefail", "-c", script}, options);
  const std::optional<int> exit_code = shell.wait(std::chrono::seconds(60));
  return {exit_code.value_or(-1), read_file(options.output_file)};
}

std::string MigrationPage::good(const std::string& heading) const {
  const RunResult result = run(heading);
  CAPTURE(heading, result.output);
  REQUIRE(result.exit_code == 0);
  return result.output;
}

}  // namespace featherid::test
