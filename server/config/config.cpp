// SPDX-License-Identifier: MIT
#include "server/config/config.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "featherid/id_range.h"
#include "featherid/version.h"
#include "lib/base/secret_file_risk.h"
#include "server/api/auth.h"
#include "server/config/settings.h"
#include "server/config/values.h"

namespace featherid {

namespace {

// The variables that are not in the table of settings.
const char* const kConfigVariable = "FEATHERID_CONFIG";
const char* const kTokensVariable = "FEATHERID_ADMIN_TOKEN";

Status load_tls(Config* config) {
  const std::string& cert_file = config->tls_cert_file;
  const std::string& key_file = config->tls_key_file;
  if (cert_file.empty() && key_file.empty()) return {};
  if (key_file.empty()) return invalid("--tls-cert: requires --tls-key as well");
  if (cert_file.empty()) return invalid("--tls-key: requires --tls-cert as well");
  Result<TlsContext> loaded = load_tls_context(cert_file, key_file);
  if (!loaded.ok()) return loaded.status();
  config->http.tls = *std::move(loaded);
  return {};
}

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

// FEATHERID_ADMIN_TOKEN: tokens separated by spaces.
Status add_tokens(const std::string& text, std::vector<std::string>* tokens) {
  std::istringstream words(text);
  for (std::string word; words >> word; tokens->push_back(word)) {
    if (const Status bad = validate_token(word); !bad.ok()) {
      return invalid(kTokensVariable + (": " + bad.message()));
    }
  }
  return {};
}

void warn_of_risk(const std::string& setting, const std::string& file, Config* config) {
  const std::string risk = secret_file_risk(file);
  if (!risk.empty()) config->warnings.push_back(setting + ": " + risk);
}

// Otherwise a single lost lease could be larger than what a failover skips.
Status check_failover(const Config& config) {
  const std::int64_t lease_ids = std::max(config.allocator.lease_max_ids, kRangeIdsMax);
  const StoreOptions& store = config.store;
  if (!skips_at_failover(store) || store.failover_guard_ids >= lease_ids) return {};
  return invalid("--failover-guard-ids: " + std::to_string(store.failover_guard_ids) +
                 " is less than one lease, which can have " + std::to_string(lease_ids) +
                 " ids; raise it, or lower --lease-max-ids (a range of up to " +
                 std::to_string(kRangeIdsMax) + " ids is also one lease)");
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
  std::set<std::string> known = {kConfigVariable, kTokensVariable, "FEATHERID_SETUP"};
  for (const Setting& setting : table) known.insert(environment_name(setting.name));
  const bool no_database =
      config->given.at("database").by_default && config->given.at("database-file").by_default;
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

// Checks and loads what involves more than one setting.
Status complete(const Environment& environment, const std::vector<Setting>& table, Config* config) {
  if (Status bad = check_database(config->given); !bad.ok()) return bad;
  if (Status bad = load_tls(config); !bad.ok()) return bad;
  if (Status bad = check_failover(*config); !bad.ok()) return bad;
  if (const auto tokens = environment.find(kTokensVariable); tokens != environment.end()) {
    if (Status bad = add_tokens(tokens->second, &config->admin_tokens); !bad.ok()) return bad;
  }
  warn_of_risk("--admin-token-file", config->admin_token_file, config);
  warn_of_risk("--tls-key", config->tls_key_file, config);
  return check_unknown(environment, table, config);
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

ConfigOutcome usage_error(const std::string& message) {
  // One line without control characters, whatever a library reports or a user types.
  std::string line = message;
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return {std::nullopt, kExitUsage, line};
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

Status apply(const GivenByName& given, const std::vector<Setting>& table, Config* config) {
  for (const Setting& setting : table) {
    const auto found = given.find(setting.name);
    if (found == given.end()) continue;
    if (const Status bad = setting.set(*config, found->second.text); !bad.ok()) {
      return invalid(found->second.origin + ": " + bad.message());
    }
    config->given[setting.name] = found->second;
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

const char* const kFooter =
    "Each setting can also be an environment variable (--log-dir: FEATHERID_LOG_DIR) or a key in "
    "the\nTOML file (log-dir = \"…\"). Flags override the environment, and the environment "
    "overrides the file.\n"
    "FEATHERID_ADMIN_TOKEN holds more tokens that allow changes, separated by spaces.\n"
    "* SIGHUP applies a change. Changes of the other settings require a restart.";

}  // namespace

ConfigOutcome read_config(std::vector<std::string> arguments, const Environment& environment) {
  const std::vector<Setting> table = settings();
  CLI::App app("Hands out 64-bit ids, unique across every process that shares one database.",
               "featherid-server");
  app.footer(kFooter);
  Config config;
  std::string file;
  bool version = false;
  app.add_option("--config", file, "read settings from this TOML file (FEATHERID_CONFIG)")
      ->type_name("FILE");
  app.add_flag("--init-schema", config.init_schema,
               "create missing tables and the first tags, and exit");
  std::string advance;
  bool allow_backward = false;
  app.add_option("--advance", advance,
                 "move a tag's max_id forward, for example after a restore, and exit")
      ->type_name("TAG=ID")
      ->excludes("--init-schema");
  app.add_flag("--allow-backward", allow_backward, "let --advance move it backward as well")
      ->needs("--advance");
  app.add_flag("--check-config", config.check_config, "check the settings, and exit");
  app.add_flag("--version", version, "print the version, and exit");
  std::map<std::string, std::string> flags;
  for (const Setting& setting : table) {
    app.add_option("--" + setting.name, flags[setting.name],
                   setting.help + (setting.reloadable ? " *" : ""))
        ->type_name(setting.type)
        ->default_str(setting.default_text);
  }

  arguments = with_empty_values(arguments);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 expects them in reverse
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, 0, app.help()};
  } catch (const CLI::Error& error) {
    return usage_error(error.what());
  }
  if (version) return {std::nullopt, 0, "featherid-server " FEATHERID_VERSION "\n"};
  if (app.count("--advance") > 0) {
    const Result<Advance> parsed = parse_advance(advance);
    if (!parsed.ok()) return usage_error("--advance: " + parsed.status().message());
    config.advance = *parsed;
    config.advance->allow_backward = allow_backward;
  }

  GivenByName defaults;
  GivenByName by_flag;
  for (const Setting& setting : table) {
    defaults[setting.name] = {"--" + setting.name, setting.default_text, true};
    if (app.count("--" + setting.name) > 0) {
      by_flag[setting.name] = {"--" + setting.name, flags[setting.name]};
    }
  }
  const Result<GivenByName> by_file =
      read_given_file(app.count("--config") > 0 ? &file : nullptr, environment, table);
  if (!by_file.ok()) return usage_error(by_file.status().message());

  for (const GivenByName& given :
       {defaults, *by_file, read_environment(environment, table), by_flag}) {
    if (const Status bad = apply(given, table, &config); !bad.ok())
      return usage_error(bad.message());
  }
  if (const Status bad = complete(environment, table, &config); !bad.ok()) {
    return usage_error(bad.message());
  }
  return {std::move(config), 0, {}};
}

namespace {

// The URLs without their logins, because each new connection reads the login again.
std::vector<std::string> places(std::vector<std::string> urls) {
  for (std::string& url : urls) url.erase(0, url.rfind('@') + 1);
  return urls;
}

}  // namespace

ConfigChange take_over(const Config& fresh, Config* running) {
  ConfigChange change;
  for (const Setting& setting : settings()) {
    const Given& given = fresh.given.at(setting.name);
    if (given.text == running->given.at(setting.name).text) continue;
    if (!setting.reloadable || !setting.set(*running, given.text).ok()) {
      change.need_restart.push_back("--" + setting.name);
      continue;
    }
    running->given[setting.name] = given;
    change.taken_over.push_back("--" + setting.name);
  }
  const std::string& file = fresh.store.database_file;
  if (!file.empty() && file == running->store.database_file &&
      places(fresh.store.addresses) != places(running->store.addresses)) {
    change.need_restart.emplace_back("--database-file");
  }
  running->admin_tokens = fresh.admin_tokens;
  running->http.tls = fresh.http.tls;
  running->warnings = fresh.warnings;
  return change;
}

}  // namespace featherid
