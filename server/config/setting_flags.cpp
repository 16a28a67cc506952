// SPDX-License-Identifier: MIT
#include "server/config/setting_flags.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "server/config/values.h"

namespace featherid {

namespace {

// The variables that are not in the table of settings.
const char* const kConfigVariable = "FEATHERID_CONFIG";

// An empty file name must not mean a new SQLite file.
Status check_database(const GivenByName& given) {
  const Given& file = given.at("database-file");
  const Given& database = given.at("database");
  if (file.by_default) return {};
  if (file.text.empty()) return invalid(file.origin + ": names no file");
  if (database.by_default) return {};
  return invalid(file.origin + ": cannot be combined with " + database.origin +
                 "; give one of them");
}

std::string environment_name(std::string name) {
  for (char& c : name) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return "FEATHERID_" + name;
}

// A misspelt variable leaves its setting at the default. For the database, that would mean a new
// file with ids from 1. A warning is not enough for that.
Status check_unknown(const Environment& environment, const std::vector<Setting>& table,
                     Config* config) {
  std::set<std::string> known = {kConfigVariable, "FEATHERID_ADMIN_TOKEN", "FEATHERID_TOKEN",
                                 "FEATHERID_SETUP"};
  for (const Setting& setting : table) known.insert(environment_name(setting.name));
  const bool no_database = config->given.at("database").by_default &&
                           config->given.at("database-file").by_default &&
                           config->remote.url.empty();
  for (const auto& [name, text] : environment) {
    if (known.count(name) > 0 || is_service_link(name, environment)) continue;
    const std::string what = name + ": there is no such setting";
    const char* const meant = no_database ? meant_setting(name, text) : nullptr;
    if (meant != nullptr) {
      return invalid(what + ", and no database is configured; write " + meant +
                     ", or start with --database sqlite3:ids.db to take ids from that file");
    }
    if (name.rfind("FEATHERID_", 0) == 0) config->warnings.push_back(what);
  }
  return {};
}

// --- the sources ---

Result<std::string> read_text(const std::string& path) {
  std::error_code ignored;  // without this check a folder would read as an empty file
  if (std::filesystem::is_directory(path, ignored)) {
    return invalid(path + " is a folder, not a file");
  }
  std::ifstream file(path);
  if (!file) {
    return invalid("cannot read " + path + ": " + std::generic_category().message(errno));
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  const bool is_text = std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return std::iscntrl(c) != 0 && std::isspace(c) == 0;
  });
  if (!is_text) return invalid(path + " is not a text file");
  return text;
}

// kInvalidArgument: the message says what to write. It never contains the value, which may be a
// password.
Result<std::string> text_of(const toml::node& value) {
  if (const auto* text = value.as_string()) return text->get();
  if (const auto* number = value.as_integer()) return std::to_string(number->get());
  if (value.is_table() || value.is_array_of_tables()) {
    return invalid("sections are not supported; write each setting at the top level");
  }
  if (value.is_array()) return invalid("has several values; give it only one");
  return invalid("the value must be text in quotes or a whole number");
}

// kInvalidArgument: the message names the file and the line.
Result<GivenByName> read_file(const Given& file, const std::vector<Setting>& table) {
  if (file.text.empty()) return invalid(file.origin + ": names no file");
  const Result<std::string> text = read_text(file.text);
  if (!text.ok()) return invalid(file.origin + ": " + text.status().message());
  const auto wrong = [&path = file.text](const toml::source_region& where, std::string_view what) {
    return invalid(path + ": line " + std::to_string(where.begin.line) + ": " + std::string(what));
  };
  GivenByName given;
  try {
    for (const auto& [key, value] : toml::parse(*text)) {
      const std::string name(key.str());
      const Result<std::string> read = text_of(value);
      if (!read.ok()) return wrong(key.source(), name + ": " + read.status().message());
      const bool known = std::any_of(table.begin(), table.end(), [&name](const Setting& setting) {
        return setting.name == name;
      });
      if (!known) return wrong(key.source(), name + ": there is no such setting");
      given.emplace(name, Given{file.text + ": " + name, *read});
    }
  } catch (const toml::parse_error& error) {
    return wrong(error.source(), std::string(error.description()) +
                                     R"(; write a setting as name = "text" or name = 1 (TOML))");
  }
  return given;
}

Status apply(const GivenByName& given, const std::vector<const Setting*>& used, Config* config) {
  for (const Setting* setting : used) {
    const auto found = given.find(setting->name);
    if (found == given.end()) continue;
    if (const Status bad = setting->set(*config, found->second.text); !bad.ok()) {
      return invalid(found->second.origin + ": " + bad.message());
    }
    config->given[setting->name] = found->second;
  }
  return {};
}

// The file that the flag names, else the variable's, else none. `by_flag` may be null.
Result<GivenByName> read_given_file(const std::string* by_flag, const Environment& environment,
                                    const std::vector<Setting>& table) {
  if (by_flag != nullptr) return read_file({"--config", *by_flag}, table);
  const auto found = environment.find(kConfigVariable);
  if (found == environment.end()) return GivenByName();
  return read_file({found->first, found->second}, table);
}

GivenByName read_environment(const Environment& environment, const std::vector<Setting>& table) {
  GivenByName given;
  for (const Setting& setting : table) {
    const auto found = environment.find(environment_name(setting.name));
    if (found != environment.end()) given[setting.name] = {found->first, found->second};
  }
  return given;
}

// Turns `--name=` into the two arguments `--name ""`. Otherwise CLI11 would use the next argument
// as the value.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> all;
  for (const std::string& argument : arguments) {
    if (argument.rfind("--", 0) != 0 || argument.find('=') + 1 != argument.size()) {
      all.push_back(argument);
      continue;
    }
    all.push_back(argument.substr(0, argument.size() - 1));
    all.emplace_back();
  }
  return all;
}

}  // namespace

ConfigOutcome usage_error(const std::string& message) {
  // One line without control characters, whatever a library reports or a user types.
  std::string line = message;
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return {std::nullopt, kExitUsage, line};
}

std::optional<ConfigOutcome> parse_arguments(CLI::App& app,
                                             const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed = with_empty_values(arguments);
  std::reverse(reversed.begin(), reversed.end());  // as CLI11 expects them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return ConfigOutcome{std::nullopt, 0, app.help()};
  } catch (const CLI::Error& error) {
    return usage_error(error.what());
  }
  return std::nullopt;
}

SettingFlags::SettingFlags(CLI::App& app, Program program) : app_(app), program_(program) {
  app.add_option("--config", file_, "read settings from this TOML file (FEATHERID_CONFIG)")
      ->type_name("FILE");
  for (const Setting* setting : used()) {
    const bool star = program == Program::kServer && setting->reloadable;
    app.add_option("--" + setting->name, flags_[setting->name], setting->help + (star ? " *" : ""))
        ->type_name(setting->type)
        ->default_str(setting->default_text);
  }
}

std::vector<const Setting*> SettingFlags::used() const {
  std::vector<const Setting*> used;
  for (const Setting& setting : table_) {
    if (setting.used_in(program_)) used.push_back(&setting);
  }
  return used;
}

Status SettingFlags::read(const Environment& environment, Config* config) const {
  GivenByName defaults;
  GivenByName by_flag;
  for (const Setting* setting : used()) {
    const std::string flag = "--" + setting->name;
    defaults[setting->name] = {flag, setting->default_text, true};
    if (app_.count(flag) > 0) by_flag[setting->name] = {flag, flags_.at(setting->name)};
  }
  const Result<GivenByName> by_file =
      read_given_file(app_.count("--config") > 0 ? &file_ : nullptr, environment, table_);
  if (!by_file.ok()) return by_file.status();
  for (const GivenByName& given :
       {defaults, *by_file, read_environment(environment, table_), by_flag}) {
    if (Status bad = apply(given, used(), config); !bad.ok()) return bad;
  }
  if (Status bad = check_database(config->given); !bad.ok()) return bad;
  if (by_flag.count("server") > 0 && by_flag.count("database") > 0 && !config->remote.url.empty()) {
    return invalid("--server: cannot be combined with --database; give one of them");
  }
  return check_unknown(environment, table_, config);
}

}  // namespace featherid
