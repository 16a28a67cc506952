// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_COMPLETION_H_
#define FEATHERID_CLI_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>

namespace featherid {

class CommandLine;

enum class Shell { kBash, kZsh, kFish };

// A script that completes the commands and options of `app` in the shell.
std::string completion_script(const CLI::App& app, Shell shell);

// The same for both programs. The shell loads it by the name of the first one.
std::string completion_scripts(const CLI::App& command, Shell shell);

// completion bash|zsh|fish.
void add_completion(CommandLine& line);

// For what is made from a command line: everything below and in an app.
std::vector<const CLI::App*> subcommands_of(const CLI::App& app);
std::vector<const CLI::Option*> options_of(const CLI::App& app);      // "--step"
std::vector<const CLI::Option*> positionals_of(const CLI::App& app);  // "TAG"

}  // namespace featherid

#endif  // FEATHERID_CLI_COMPLETION_H_
