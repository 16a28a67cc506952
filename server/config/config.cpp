// SPDX-License-Identifier: MIT
#include "server/config/config.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "featherid/id_range.h"
#include "featherid/version.h"
#include "lib/base/secret_file_risk.h"
#include "server/config/server_arguments.h"
#include "server/config/values.h"

namespace featherid {

namespace {

const char* const kTokensVariable = "FEATHERID_ADMIN_TOKEN";

Status load_tls(Config* config) {
  const std::string& cert_file = config->tls_cert_file;
  const std::string& key_file = config->tls_key_file;
  if (cert_file.empty() && key_file.empty()) return {};
  if (key_file.empty()) return invalid("--tls-cert: requires --tls-key as well");
  if (cert_file.empty()) return invalid("--tls-key: requires --tls-cert as well");
  Result<TlsContext> loaded = load_tls_context(cert_file, key_file);
  if (!loaded.ok()) return loaded.status();
  config->net.tls = *std::move(loaded);
  return {};
}

// FEATHERID_ADMIN_TOKEN: tokens separated by spaces.
Status add_tokens(const std::string& text, std::vector<Token>* tokens) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    Result<Token> token = parse_token(word);
    if (!token.ok()) return invalid(kTokensVariable + (": " + token.status().message()));
    tokens->push_back(*std::move(token));
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

// Checks and loads what involves more than one setting.
Status complete(const Environment& environment, Config* config) {
  if (Status bad = load_tls(config); !bad.ok()) return bad;
  if (Status bad = check_failover(*config); !bad.ok()) return bad;
  if (const auto tokens = environment.find(kTokensVariable); tokens != environment.end()) {
    if (Status bad = add_tokens(tokens->second, &config->tokens); !bad.ok()) return bad;
  }
  warn_of_risk("--admin-token-file", config->admin_token_file, config);
  warn_of_risk("--tls-key", config->tls_key_file, config);
  warn_of_risk("--scramble-key-file", config->scramble_key_file, config);
  return {};
}

const char* const kFooter =
    "Each setting can also be an environment variable (--log-dir: FEATHERID_LOG_DIR) or a key in "
    "the\nTOML file (log-dir = \"…\"). Flags override the environment, and the environment "
    "overrides the file.\n"
    "FEATHERID_ADMIN_TOKEN can hold more tokens with the role admin, separated by spaces.\n"
    "* SIGHUP applies a change. Changes of the other settings require a restart.";

}  // namespace

ServerArguments::ServerArguments()
    : app("Hands out 64-bit ids, unique across every process that shares one database.",
          "featherid-server"),
      settings(app, Program::kServer) {
  app.footer(kFooter);
  app.add_flag("--init-schema", init_schema,
               "create missing tables and the first tags, and exit (or: featherid init)");
  app.add_option("--advance", advance,
                 "move a tag's max_id forward, for example after a restore, and exit (or: "
                 "featherid advance)")
      ->type_name("TAG=ID")
      ->excludes("--init-schema");
  app.add_flag("--allow-backward", allow_backward, "let --advance move it backward as well")
      ->needs("--advance");
  app.add_flag("--check-config", check_config, "check the settings, and exit");
  app.add_flag("--version", version, "print the version, and exit");
}

ConfigOutcome read_config(const std::vector<std::string>& arguments,
                          const Environment& environment) {
  ServerArguments given;
  if (std::optional<ConfigOutcome> end = parse_arguments(given.app, arguments)) return *end;
  if (given.version) return {std::nullopt, 0, "featherid-server " FEATHERID_VERSION "\n"};
  Config config;
  config.init_schema = given.init_schema;
  config.check_config = given.check_config;
  if (given.app.count("--advance") > 0) {
    const Result<Advance> parsed = parse_advance(given.advance);
    if (!parsed.ok()) return usage_error("--advance: " + parsed.status().message());
    config.advance = *parsed;
    config.advance->allow_backward = given.allow_backward;
  }
  if (const Status bad = given.settings.read(environment, &config); !bad.ok()) {
    return usage_error(bad.message());
  }
  if (const Status bad = complete(environment, &config); !bad.ok()) {
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
    if (!setting.used_in(Program::kServer)) continue;
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
  running->tokens = fresh.tokens;
  running->net.tls = fresh.net.tls;
  running->warnings = fresh.warnings;
  return change;
}

}  // namespace featherid
