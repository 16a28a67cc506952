// SPDX-License-Identifier: MIT
#include "server/config.h"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "featherid/id_range.h"
#include "featherid/version.h"
#include "server/auth.h"
#include "server/logging.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The variables that are not in the table of settings.
const char* const kConfigVariable = "FEATHERID_CONFIG";
const char* const kTokensVariable = "FEATHERID_ADMIN_TOKEN";

// --- values ---

Status invalid(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr Unit kNumbers[] = {{"", 1}};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
constexpr Unit kSizes[] = {{"", 1},          {"KB", 1000},     {"MB", 1000000}, {"GB", 1000000000},
                           {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// A number and one of the units, in the smallest unit; -1 if it is malformed.
template <std::size_t N>
std::int64_t parse_amount(std::string_view text, const Unit (&units)[N]) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view name(stop, static_cast<std::size_t>(end - stop));
  if (error != std::errc() || number < 0) return -1;
  for (const Unit& unit : units) {
    if (unit.name == name && number <= std::numeric_limits<std::int64_t>::max() / unit.factor) {
      return number * unit.factor;
    }
  }
  return -1;
}

// The bounds have the same form as the amount.
template <std::size_t N>
Result<std::int64_t> parse_between(const std::string& text, const char* min, const char* max,
                                   const Unit (&units)[N]) {
  const std::int64_t amount = parse_amount(text, units);
  if (amount >= parse_amount(min, units) && amount <= parse_amount(max, units)) return amount;
  const std::string between = std::string("between ") + min + " and " + max;
  if (text.empty()) return invalid("has no value; give one " + between);
  return invalid("'" + text + "' is not " + between);
}

template <typename T>
Status set_number(const std::string& text, const char* min, const char* max, T* out) {
  const Result<std::int64_t> amount = parse_between(text, min, max, kNumbers);
  if (amount.ok()) *out = static_cast<T>(*amount);
  return amount.status();
}

Status set_size(const std::string& text, const char* min, const char* max, std::int64_t* out) {
  const Result<std::int64_t> amount = parse_between(text, min, max, kSizes);
  if (amount.ok()) *out = *amount;
  return amount.status();
}

template <typename Duration>
Status set_time(const std::string& text, const char* min, const char* max, Duration* out) {
  if (parse_amount(text, kNumbers) >= 0) {
    return invalid("'" + text + "' has no unit; write " + text + "s, or use ms, m or h");
  }
  const Result<std::int64_t> amount = parse_between(text, min, max, kDurations);
  if (!amount.ok()) return amount.status();
  *out = std::chrono::duration_cast<Duration>(milliseconds(*amount));
  if (*out != milliseconds(*amount))
    return invalid("'" + text + "' is not a whole number of seconds");
  return {};
}

Status set_listen(const std::string& text, asio::ip::tcp::endpoint* out) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  std::uint16_t port = 0;
  asio::error_code bad_host;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, bad_host);
  if (colon == std::string::npos || bad_host || address.is_v6() != bracketed ||
      !set_number(text.substr(colon + 1), "0", "65535", &port).ok()) {
    return invalid("'" + text + "' is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080");
  }
  *out = {address, port};
  return {};
}

Status set_log_level(const std::string& text, spdlog::level::level_enum* out) {
  const auto level = parse_log_level(text);
  if (!level) return invalid("'" + text + "' is not debug, info, warn or error");
  *out = *level;
  return {};
}

Status set_log_format(const std::string& text, LogFormat* out) {
  if (text != "text" && text != "json") return invalid("'" + text + "' is neither text nor json");
  *out = text == "json" ? LogFormat::kJson : LogFormat::kText;
  return {};
}

// A URL contains no space. SQLite's is the exception: it is a file name and the only address.
Status set_databases(const std::string& text, std::vector<std::string>* out) {
  std::istringstream words(text);
  *out = {std::istream_iterator<std::string>(words), {}};
  if (out->empty()) return invalid("is empty; if it is not set, ids come from sqlite3:ids.db");
  if (text.rfind("sqlite3:", 0) == 0) *out = {text};
  for (std::string& url : *out) {  // the other scheme that PostgreSQL's own programs accept
    if (url.rfind("postgres://", 0) == 0) url.insert(sizeof "postgres" - 1, "ql");
  }
  return {};
}

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

// The default, no file, leaves the database as it is.
Status set_database_file(const std::string& path, Config* config) {
  config->database_file = path;
  if (path.empty()) return {};
  const Result<std::string> text = read_text(path);
  if (!text.ok()) return text.status();
  constexpr std::size_t kBytesMax = 64 * 1024;  // as in the store, which reads it again
  if (text->size() > kBytesMax) return invalid(path + " is larger than 64 KiB");
  const std::string urls = text->substr(0, text->find_last_not_of("\r\n") + 1);
  if (urls.empty()) return invalid(path + " is empty");
  return set_databases(urls, &config->databases);
}

// `words`: "skip, stop or synchronous".
Status set_one_of(std::initializer_list<std::string_view> values, const char* words,
                  const std::string& text, std::string* out) {
  if (std::find(values.begin(), values.end(), text) == values.end()) {
    return invalid("'" + text + "' is not " + words);
  }
  *out = text;
  return {};
}

Status set_token_file(const std::string& path, Config* config) {
  config->admin_token_file = path;
  config->admin_tokens.clear();
  if (path.empty()) return {};
  Result<std::vector<std::string>> tokens = read_token_file(path);
  if (!tokens.ok()) return tokens.status();
  config->admin_tokens = *std::move(tokens);
  return {};
}

// --- the table ---

struct Setting {
  std::string name;  // --name, FEATHERID_NAME in the environment, name in the file
  std::string type;
  std::string default_text;
  std::string help;
  std::function<Status(Config&, const std::string&)> set;
  bool reloadable = false;  // SIGHUP applies a change; otherwise a change requires a restart
};
constexpr bool kReloadable = true;

using Text = const std::string&;

// The one place that knows the settings, their bounds and their defaults.
std::vector<Setting> settings() {  // NOLINT(readability-function-size): a table, however long
  const unsigned io_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 2U);
  return {
      {"listen", "HOST:PORT", "127.0.0.1:8080",
       "address and port to listen on; port 0 means any free port",
       [](Config& c, Text t) { return set_listen(t, &c.listen); }},
      {"tls-cert", "FILE", "",
       "certificate with its chain (PEM); the server then speaks TLS instead of plain HTTP",
       [](Config& c, Text t) { return c.tls_cert_file = t, Status(); }, kReloadable},
      {"tls-key", "FILE", "", "private key of --tls-cert (PEM, without a password)",
       [](Config& c, Text t) { return c.tls_key_file = t, Status(); }, kReloadable},
      {"database", "URL", "sqlite3:ids.db",
       "sqlite3:FILE, mysql://USER:PASSWORD@HOST:PORT/DB or postgresql://…; several addresses of "
       "one database are separated by spaces",
       [](Config& c, Text t) { return set_databases(t, &c.databases); }},
      {"database-file", "FILE", "",
       "file that holds the value of --database; each new connection reads user and password again",
       [](Config& c, Text t) { return set_database_file(t, &c); }},
      {"failover", "MODE", "skip",
       "after a failover of the database: skip (ids), stop, or synchronous (no commit is ever "
       "lost)",
       [](Config& c, Text t) {
         return set_one_of({"skip", "stop", "synchronous"}, "skip, stop or synchronous", t,
                           &c.failover);
       }},
      {"failover-guard-ids", "N", "100000000", "number of ids of every tag that a failover skips",
       [](Config& c, Text t) {
         return set_number(t, "1", "1099511627776", &c.failover_guard_ids);
       }},
      {"lossy-commits", "MODE", "refuse",
       "if a crash of the database can take back leases: refuse to lease, or allow (ids may be "
       "issued twice)",
       [](Config& c, Text t) {
         return set_one_of({"refuse", "allow"}, "refuse or allow", t, &c.lossy_commits);
       }},
      {"max-batch", "N", "1000", "maximum number of ids in one answer of /api/v1/id/batch",
       [](Config& c, Text t) { return set_number(t, "1", "100000", &c.max_batch_ids); }},
      {"hold", "TIME", "30s", "how long a tag can be served without the database",
       [](Config& c, Text t) { return set_time(t, "1s", "1h", &c.allocator.hold); }},
      {"lease-max-ids", "N", "10000000",
       "largest lease; leases grow with the use of a tag up to this size",
       [](Config& c, Text t) {
         return set_number(t, "1", "1073741824", &c.allocator.lease_max_ids);
       }},
      {"refill-threads", "N", "2", "maximum number of leases in progress at once",
       [](Config& c, Text t) { return set_number(t, "1", "64", &c.allocator.refill_threads); }},
      {"call-timeout", "TIME", "5s", "time limit for a call to the database",
       [](Config& c, Text t) { return set_time(t, "2s", "60s", &c.call_timeout); }},
      {"request-timeout", "TIME", "2s", "time limit for a request that waits for ids",
       [](Config& c, Text t) {
         Status status = set_time(t, "10ms", "10m", &c.http.request_timeout);
         c.allocator.wait_timeout = c.http.request_timeout;
         return status;
       }},
      {"header-timeout", "TIME", "10s",
       "time limit for a complete request or TLS handshake; silent new connections are closed "
       "after it as well",
       [](Config& c, Text t) { return set_time(t, "10ms", "10m", &c.http.header_timeout); },
       kReloadable},
      {"idle-timeout", "TIME", "75s",
       "a connection is closed if no further request arrives within this time",
       [](Config& c, Text t) { return set_time(t, "10ms", "24h", &c.http.idle_timeout); },
       kReloadable},
      {"write-timeout", "TIME", "30s", "time limit for a client to read its answers",
       [](Config& c, Text t) { return set_time(t, "10ms", "10m", &c.http.write_timeout); },
       kReloadable},
      {"drain-timeout", "TIME", "10s", "time limit for requests in progress after SIGTERM",
       [](Config& c, Text t) { return set_time(t, "0s", "10m", &c.http.drain_timeout); },
       kReloadable},
      {"io-threads", "N", std::to_string(io_threads), "number of event loops",
       [](Config& c, Text t) { return set_number(t, "1", "64", &c.http.io_threads); }},
      {"max-connections", "N", "10000", "maximum number of connections; others get 503",
       [](Config& c, Text t) { return set_number(t, "1", "1000000", &c.http.connections_max); },
       kReloadable},
      {"max-parked", "N", "10000", "maximum number of requests that wait for ids; others get 503",
       [](Config& c, Text t) { return set_number(t, "0", "1000000", &c.http.parked_max); },
       kReloadable},
      {"admin-token-file", "FILE", "", "file of the tokens that allow changes, one per line",
       [](Config& c, Text t) { return set_token_file(t, &c); }, kReloadable},
      {"metrics-tags", "N", "100", "number of tags with their own metrics; the others are summed",
       [](Config& c, Text t) { return set_number(t, "0", "10000", &c.metrics_tags_max); }},
      {"log-level", "LEVEL", "info", "debug, info, warn or error",
       [](Config& c, Text t) { return set_log_level(t, &c.log_level); }, kReloadable},
      {"log-format", "FORMAT", "text", "text or json; in JSON each line is an object",
       [](Config& c, Text t) { return set_log_format(t, &c.log_format); }},
      {"log-dir", "FOLDER", "", "folder for log files, in addition to standard error",
       [](Config& c, Text t) { return c.log_files.dir = t, Status(); }},
      {"log-max-size", "SIZE", "100MB", "a log file is rotated at this size",
       [](Config& c, Text t) { return set_size(t, "1KB", "1000GB", &c.log_files.file_bytes_max); }},
      {"log-keep-days", "N", "30", "log files are removed after this many days",
       [](Config& c, Text t) { return set_number(t, "1", "36500", &c.log_files.keep_days); }},
      {"log-backups", "N", "5", "maximum number of rotated files of one day",
       [](Config& c, Text t) { return set_number(t, "0", "10000", &c.log_files.backups_max); }},
  };
}

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

void warn_of_readers(const std::string& setting, const std::string& file, Config* config) {
  struct stat status {};
  if (file.empty() || ::stat(file.c_str(), &status) != 0) return;
  if ((status.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  config->warnings.push_back(setting + ": " + file +
                             " can be read by users other than its owner; run chmod 600 on it");
}

// Otherwise a single lost lease could be larger than what a failover skips.
Status check_failover(const Config& config) {
  const std::int64_t lease_ids = std::max(config.allocator.lease_max_ids, kRangeIdsMax);
  if (config.failover != "skip" || config.failover_guard_ids >= lease_ids) return {};
  return invalid("--failover-guard-ids: " + std::to_string(config.failover_guard_ids) +
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
  warn_of_readers("--admin-token-file", config->admin_token_file, config);
  warn_of_readers("--tls-key", config->tls_key_file, config);
  return check_unknown(environment, table, config);
}

// --- the sources ---

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
  if (!fresh.database_file.empty() && fresh.database_file == running->database_file &&
      places(fresh.databases) != places(running->databases)) {
    change.need_restart.emplace_back("--database-file");
  }
  running->admin_tokens = fresh.admin_tokens;
  running->http.tls = fresh.http.tls;
  running->warnings = fresh.warnings;
  return change;
}

}  // namespace featherid
