// SPDX-License-Identifier: MIT
#include "cli/completion.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "server/config/server_arguments.h"

namespace featherid {

namespace {

// A word that can be typed, and what it is for.
struct Word {
  std::string text;
  std::string help;
  bool is_option;
  bool takes_value;
  bool takes_file;
};

std::vector<Word> words_of(const CLI::App& app) {
  std::vector<Word> words;
  for (const CLI::App* command : subcommands_of(app)) {
    words.push_back({command->get_name(), command->get_description(), false, false, false});
  }
  for (const CLI::Option* option : options_of(app)) {
    const std::string type = option->get_type_name();
    const std::string name = option->get_lnames().empty() ? "-" + option->get_snames().front()
                                                          : "--" + option->get_lnames().front();
    words.push_back({name, option->get_description(), true, option->get_items_expected_max() > 0,
                     type == "FILE" || type == "FOLDER"});
  }
  return words;
}

// Calls `visit` for the app and everything below it, with the names on the way: " tag create".
void for_each_app(const CLI::App& app, const std::string& path,
                  const std::function<void(const CLI::App&, const std::string& path)>& visit) {
  visit(app, path);
  for (const CLI::App* command : subcommands_of(app)) {
    for_each_app(*command, path + ' ' + command->get_name(), visit);
  }
}

std::string function_name(const CLI::App& app) {
  std::string name = "_" + app.get_name();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// As a word of a shell.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// The options of the program also work after a command.
std::vector<Word> all_words(const CLI::App& root, const CLI::App& app) {
  std::vector<Word> words = words_of(app);
  if (&app == &root) return words;
  for (const Word& word : words_of(root)) {
    const bool known = std::any_of(words.begin(), words.end(),
                                   [&word](const Word& own) { return own.text == word.text; });
    if (word.is_option && !known) words.push_back(word);
  }
  return words;
}

// The loop of bash and zsh that finds out which command was typed.
std::string find_path(const CLI::App& root, const std::string& typed_words) {
  std::string known;
  for_each_app(root, "", [&](const CLI::App&, const std::string& path) {
    if (!path.empty()) known += (known.empty() ? "" : "|") + shell_word(path);
  });
  if (known.empty()) return "";
  return "  for word in " + typed_words + "; do\n    case \"$typed $word\" in\n      " + known +
         ") typed=\"$typed $word\" ;;\n    esac\n  done\n";
}

std::string file_options(const CLI::App& root) {
  std::string options;
  for (const Word& word : words_of(root)) {
    if (word.takes_file) options += (options.empty() ? "" : "|") + word.text;
  }
  return options;
}

std::string bash_script(const CLI::App& root) {
  const std::string function = function_name(root);
  std::string script = function +
                       "() {\n  local typed= word words\n  local cur=${COMP_WORDS[COMP_CWORD]} "
                       "prev=${COMP_WORDS[COMP_CWORD-1]}\n";
  script += find_path(root, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
  script += "  case $prev in\n    " + file_options(root) +
            ") mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n  esac\n"
            "  case $typed in\n";
  for_each_app(root, "", [&](const CLI::App& app, const std::string& path) {
    std::string words;
    for (const Word& word : all_words(root, app)) words += (words.empty() ? "" : " ") + word.text;
    script += "    " + shell_word(path) + ") words=" + shell_word(words) + " ;;\n";
  });
  return script + "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n" +
         "complete -F " + function + " " + root.get_name() + "\n";
}

std::string zsh_script(const CLI::App& root) {
  const std::string function = function_name(root);
  std::string script = function + "() {\n  local typed= word\n  local -a choices\n";
  script += find_path(root, "\"${words[@]:1:$((CURRENT-2))}\"");
  script += "  case ${words[CURRENT-1]} in\n    " + file_options(root) +
            ") _files; return ;;\n  esac\n  case $typed in\n";
  for_each_app(root, "", [&](const CLI::App& app, const std::string& path) {
    script += "    " + shell_word(path) + ") choices=(\n";
    for (const Word& word : all_words(root, app)) {
      script += "      " + shell_word(word.text + ":" + word.help) + "\n";
    }
    script += "    ) ;;\n";
  });
  return script + "  esac\n  _describe -o " + root.get_name() + " choices\n}\ncompdef " + function +
         " " + root.get_name() + "\n";
}

// Whether the commands of `path`, and no further one, were typed.
std::string fish_condition(const CLI::App& app, const std::string& path) {
  std::string condition;
  std::string rest = path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' ', 1), rest.size());
    condition +=
        (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from" + rest.substr(0, end));
    rest.erase(0, end);
  }
  std::string below;
  for (const CLI::App* command : subcommands_of(app)) below += " " + command->get_name();
  if (below.empty()) return condition;
  return condition + (condition.empty() ? "" : "; and ") + "not __fish_seen_subcommand_from" +
         below;
}

std::string fish_script(const CLI::App& root) {
  std::string script;
  const auto add = [&](const std::string& condition, const Word& word) {
    script += "complete -c " + root.get_name();
    if (!condition.empty()) script += " -n " + shell_word(condition);
    if (!word.is_option) {
      script += " -f -a " + word.text;
    } else {
      script += word.text.rfind("--", 0) == 0 ? " -l " + word.text.substr(2)
                                              : " -s " + word.text.substr(1);
      script += word.takes_file ? " -r -F" : word.takes_value ? " -x" : " -f";
    }
    script += " -d " + shell_word(word.help) + "\n";
  };
  for_each_app(root, "", [&](const CLI::App& app, const std::string& path) {
    const bool is_root = &app == &root;
    for (const Word& word : words_of(app)) {
      add(is_root && word.is_option ? "" : fish_condition(app, path), word);
    }
  });
  return script;
}

}  // namespace

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::string completion_script(const CLI::App& app, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash_script(app);
    case Shell::kZsh:
      return zsh_script(app);
    case Shell::kFish:
      break;
  }
  return fish_script(app);
}

std::string completion_scripts(const CLI::App& command, Shell shell) {
  const ServerArguments server;
  const char* const head = shell == Shell::kZsh ? "#compdef featherid featherid-server\n" : "";
  std::string scripts =
      head + completion_script(command, shell) + completion_script(server.app, shell);
  if (shell == Shell::kZsh) scripts += "(( $+functions[_${service//-/_}] )) && _${service//-/_}\n";
  return scripts;
}

void add_completion(CommandLine& line) {
  CLI::App* const group = line.add_group("completion", "print a completion script for a shell");
  const auto add = [&line, group](const char* name, const char* help, Shell shell) {
    line.add(group, name, help, [&line, shell](Context& context) {
      context.out().text(completion_scripts(line.app, shell));
      return Status();
    });
  };
  add("bash", "source <(featherid completion bash)", Shell::kBash);
  add("zsh", "source <(featherid completion zsh), after compinit", Shell::kZsh);
  add("fish", "featherid completion fish | source", Shell::kFish);
}

}  // namespace featherid
