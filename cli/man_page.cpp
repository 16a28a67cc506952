// SPDX-License-Identifier: MIT
#include "cli/man_page.h"

#include <algorithm>
#include <cctype>

#include "cli/completion.h"
#include "featherid/version.h"

namespace featherid {

namespace {

// A text that roff prints as it is.
std::string escaped(const std::string& text) {
  std::string roff;
  for (const char c : text) {
    const bool at_start = roff.empty() || roff.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) roff += "\\&";
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
    }
  }
  return roff;
}

// "\fB--step\fR \fIN\fR"
std::string heading_of(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + escaped("-" + name) + "\\fR");
  }
  for (const std::string& name : option.get_lnames()) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + escaped("--" + name) + "\\fR");
  }
  const bool has_value = option.get_items_expected_max() > 0;
  return names + (has_value ? " \\fI" + escaped(option.get_type_name()) + "\\fR" : "");
}

std::string options_in(const CLI::App& app) {
  std::string roff;
  for (const CLI::Option* option : options_of(app)) {
    roff += ".TP\n" + heading_of(*option) + "\n" + escaped(option->get_description());
    if (!option->get_default_str().empty()) {
      roff += " (default: " + escaped(option->get_default_str()) + ")";
    }
    roff += "\n";
  }
  return roff;
}

// The commands that can be run, each with what it is given.
std::string commands_in(const CLI::App& app, const std::string& path) {
  std::string roff;
  for (const CLI::App* command : subcommands_of(app)) {
    const std::string name = path + command->get_name();
    if (!subcommands_of(*command).empty()) {
      roff += commands_in(*command, name + " ");
      continue;
    }
    roff += ".SS \"" + escaped(name);
    for (const CLI::Option* positional : positionals_of(*command)) {
      const std::string text = positional->get_name(true);
      roff += positional->get_required() ? " " + text : " [" + text + "]";
    }
    roff += "\"\n" + escaped(command->get_description()) + "\n";
    for (const CLI::Option* positional : positionals_of(*command)) {
      roff += ".TP\n\\fI" + positional->get_name(true) + "\\fR\n" +
              escaped(positional->get_description()) + "\n";
    }
    for (const CLI::Option* option : options_of(*command)) {
      if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
      roff += ".TP\n" + heading_of(*option) + "\n" + escaped(option->get_description()) + "\n";
    }
  }
  return roff;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string commands = commands_in(app, "");
  std::string roff = ".TH " + title + " 1 \"\" \"FeatherID " FEATHERID_VERSION "\"\n";
  roff += ".SH NAME\n" + escaped(name) + " \\- " + escaped(app.get_description()) + "\n";
  roff += ".SH SYNOPSIS\n.B " + escaped(name) + "\n[\\fIOPTIONS\\fR]" +
          (commands.empty() ? "" : " \\fICOMMAND\\fR") + "\n";
  if (!commands.empty()) roff += ".SH COMMANDS\n" + commands;
  roff += ".SH OPTIONS\n" + options_in(app);
  roff += ".SH NOTES\n.nf\n" + escaped(app.get_footer()) + "\n.fi\n";
  return roff;
}

}  // namespace featherid
