// SPDX-License-Identifier: MIT
#include "lib/store/soci/database_url.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/base/percent.h"
#include "lib/store/soci/table_names.h"

namespace featherid {

namespace {

constexpr std::string_view kForms =
    "use sqlite3:FILE, mysql://USER:PASSWORD@HOST:PORT/DATABASE or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE";

Status malformed(std::string_view reason) {
  return {StatusCode::kInvalidArgument,
          "the database URL " + std::string(reason) + "; " + std::string(kForms)};
}

// Nothing for a broken escape, or for control characters, which no part of a URL may contain.
std::optional<std::string> decode(std::string_view text) {
  std::optional<std::string> decoded = percent_decode(text);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (decoded && std::any_of(decoded->begin(), decoded->end(), is_control)) decoded.reset();
  return decoded;
}

// An option of a URL. `set` returns what is wrong with the value, without quoting it.
struct UrlOption {
  std::string_view key;
  std::initializer_list<Engine> engines;  // that support it
  std::string (*set)(UrlOptions& options, const std::string& value);
};

std::string set_tls(UrlOptions& options, const std::string& value) {
  constexpr std::pair<std::string_view, TlsMode> kWords[] = {{"off", TlsMode::kOff},
                                                             {"preferred", TlsMode::kPreferred},
                                                             {"required", TlsMode::kRequired},
                                                             {"verify-ca", TlsMode::kVerifyCa},
                                                             {"verify-full", TlsMode::kVerifyFull}};
  for (const auto& [word, mode] : kWords) {
    if (value == word) options.tls = mode;
  }
  return options.tls ? "" : "must be off, preferred, required, verify-ca or verify-full";
}

template <std::string UrlOptions::*Member>
std::string set_file(UrlOptions& options, const std::string& value) {
  if (value.empty()) return "names no file";
  options.*Member = value;
  return "";
}

// Names are checked once the engine is known (check_table_names()).
template <std::string UrlOptions::*Member>
std::string set_name(UrlOptions& options, const std::string& value) {
  if (value.empty()) return "is empty";
  options.*Member = value;
  return "";
}

std::string set_connect_timeout(UrlOptions& options, const std::string& value) {
  constexpr int kSecondsMax = 60;
  int seconds = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, seconds);
  if (error != std::errc() || stop != end || seconds < 1 || seconds > kSecondsMax) {
    return "must be a number of seconds from 1 to call-timeout";
  }
  options.connect_timeout = std::chrono::seconds(seconds);
  return "";
}

std::string set_application_name(UrlOptions& options, const std::string& value) {
  constexpr std::size_t kBytesMax = 63;  // PostgreSQL truncates it there
  const bool printable =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (value.empty() || value.size() > kBytesMax || !printable) {
    return "must be 1 to 63 printable ASCII characters";
  }
  options.application_name = value;
  return "";
}

constexpr std::initializer_list<Engine> kServers = {Engine::kMysql, Engine::kPostgresql};
constexpr std::initializer_list<Engine> kPostgresql = {Engine::kPostgresql};
constexpr std::initializer_list<Engine> kAll = {Engine::kMysql, Engine::kPostgresql,
                                                Engine::kSqlite3};
constexpr UrlOption kUrlOptions[] = {
    {"tls", kServers, set_tls},
    {"ca", kServers, set_file<&UrlOptions::ca>},
    {"cert", kServers, set_file<&UrlOptions::cert>},
    {"key", kServers, set_file<&UrlOptions::key>},
    {"password-file", kServers, set_file<&UrlOptions::password_file>},
    {"schema", kPostgresql, set_name<&UrlOptions::schema>},
    {"table", kAll, set_name<&UrlOptions::table>},
    {"connect_timeout", kServers, set_connect_timeout},
    {"application_name", kServers, set_application_name},
};

bool knows(Engine engine, const UrlOption& option) {
  return std::find(option.engines.begin(), option.engines.end(), engine) != option.engines.end();
}

std::string keys_of(Engine engine) {
  std::string keys;
  for (const UrlOption& option : kUrlOptions) {
    if (knows(engine, option)) keys += (keys.empty() ? "" : ", ") + std::string(option.key);
  }
  return keys;
}

// Options that have no effect without another one.
std::string check_together(Engine engine, const UrlOptions& options) {
  const bool verifies = options.tls && *options.tls >= TlsMode::kVerifyCa;
  // libpq has a default place for it, and reports it if nothing is there.
  if (verifies && options.ca.empty() && engine == Engine::kMysql) {
    return "has tls=verify-ca or verify-full without ca; set it to the certificate file of the "
           "authority that signed the server's certificate";
  }
  if (!options.ca.empty() && !verifies) {
    return "has the option ca, which is used only with tls=verify-ca or tls=verify-full";
  }
  if (options.cert.empty() != options.key.empty()) {
    return "has only one of the options cert and key; a client's certificate requires both";
  }
  if (!options.cert.empty() && options.tls.value_or(TlsMode::kOff) == TlsMode::kOff) {
    return "has the options cert and key, which are used only with tls=preferred, required, "
           "verify-ca or verify-full";
  }
  return "";
}

// Empty, or what is wrong with "key=value&key=value".
std::string parse_options(std::string_view text, DatabaseUrl& url) {
  // A password with a / ends up here, and no part of it may be shown.
  if (text.find('@') != std::string_view::npos) {
    return "has an @ after the ?; escape / @ : in a password as %2F %40 %3A, and an @ in an "
           "option as %40";
  }
  std::vector<std::string> seen;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const std::string key(pair.substr(0, pair.find('=')));
    const auto* const option = std::find_if(
        std::begin(kUrlOptions), std::end(kUrlOptions),
        [&](const UrlOption& known) { return known.key == key && knows(url.engine, known); });
    if (option == std::end(kUrlOptions)) {
      return "has an unknown option '" + key + "'; the known options are: " + keys_of(url.engine) +
             " (write a ? in a name as %3F)";
    }
    if (key.size() == pair.size()) return "has the option " + key + " without a value";
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return "has the option " + key + " twice";
    }
    seen.push_back(key);
    std::optional<std::string> value = decode(pair.substr(key.size() + 1));
    if (!value) return "has a broken %-escape or a control character in the option " + key;
    const std::string wrong = option->set(url.options, *value);
    if (!wrong.empty()) return std::string("has an option ").append(key).append(" that ") + wrong;
  }
  const std::string wrong = check_together(url.engine, url.options);
  return wrong.empty() ? check_table_names(url) : wrong;
}

// Moves the options from `text` into `url`.
Status take_options(std::string_view& text, std::size_t begin, DatabaseUrl& url) {
  if (begin >= text.size()) return {};
  const std::string wrong = parse_options(text.substr(begin + 1), url);
  text = text.substr(0, begin);
  if (wrong.empty()) return {};
  return {StatusCode::kInvalidArgument, "the database URL " + wrong};
}

// A ? may be part of a file's name. It begins the options only if "key=" follows, but then with any
// key: otherwise a misspelled key would open another file, and ids would start at 1 again.
std::size_t find_sqlite3_options(std::string_view text) {
  for (std::size_t at = text.find('?'); at != std::string_view::npos; at = text.find('?', at + 1)) {
    const std::size_t end = text.find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", at + 1);
    if (end == std::string_view::npos || end == at + 1 || text[end] != '=') continue;
    if (text[at + 1] < '0' || text[at + 1] > '9') return at;
  }
  return std::string_view::npos;
}

Result<DatabaseUrl> parse_sqlite3(std::string_view rest) {
  DatabaseUrl url;
  url.engine = Engine::kSqlite3;
  if (Status bad = take_options(rest, find_sqlite3_options(rest), url); !bad.ok()) return bad;
  std::optional<std::string> path = decode(rest);
  if (!path) return malformed("has a broken %-escape or a control character");
  if (path->empty()) return malformed("names no file");
  if (rest.substr(0, 2) == "//" && rest.substr(0, 3) != "///") {
    return malformed("has // before the file, which SQLite does not accept");
  }
  // SQLite treats these specially (a database in memory, a URI), and SOCI cannot quote a quote.
  if (path->front() == ':' || path->rfind("file:", 0) == 0 ||
      path->find('"') != std::string::npos) {
    return malformed("has a file name that starts with ':' or 'file:' or contains a double quote");
  }
  url.database = *std::move(path);
  return url;
}

// "host", "host:port" or "[address]:port", still escaped.
bool split_host(std::string_view text, std::string_view& host, int& port) {
  std::string_view after;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    after = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    after = text.substr(colon);
  }
  if (host.empty()) return false;
  if (after.empty()) return true;
  if (after.front() != ':') return false;
  const char* const end = after.data() + after.size();
  const auto [stopped, error] = std::from_chars(after.data() + 1, end, port);
  return error == std::errc() && stopped == end && port >= 1 && port <= 65535;
}

Result<DatabaseUrl> parse_server(Engine engine, std::string_view rest) {
  if (rest.substr(0, 2) != "//") return malformed("has no // after its scheme");
  rest.remove_prefix(2);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return malformed("names no database");
  const std::string_view authority = rest.substr(0, slash);
  std::string_view database = rest.substr(slash + 1);
  const std::size_t at = authority.rfind('@');
  const std::string_view login = at == std::string_view::npos ? "" : authority.substr(0, at);
  const std::size_t colon = std::min(login.find(':'), login.size());

  DatabaseUrl url;
  url.engine = engine;
  url.place = rest.substr(at == std::string_view::npos ? 0 : at + 1);
  std::string_view host;
  if (!split_host(at == std::string_view::npos ? authority : authority.substr(at + 1), host,
                  url.port)) {
    return malformed("has no valid host and port (escape / @ : in a password as %2F %40 %3A)");
  }
  if (Status bad = take_options(database, database.find('?'), url); !bad.ok()) return bad;
  if (database.find_first_of("/#") != std::string_view::npos) {
    return malformed("has a / or # in the name of the database (write %2F, %23)");
  }
  const auto put = [](std::string_view from, std::string& to) {
    std::optional<std::string> decoded = decode(from);
    if (!decoded) return false;
    to = *std::move(decoded);
    return true;
  };
  if (!put(login.substr(0, colon), url.user) ||
      !put(login.substr(std::min(colon + 1, login.size())), url.password) || !put(host, url.host) ||
      !put(database, url.database)) {
    return malformed("has a broken %-escape or a control character");
  }
  if (url.database.empty()) return malformed("names no database");
  if (!url.password.empty() && !url.options.password_file.empty()) {
    return malformed("contains a password and the option password-file; give one of them");
  }
  url.login_may_change = !url.options.password_file.empty();
  return url;
}

}  // namespace

Result<DatabaseUrl> parse_database_url(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) return malformed("has no scheme");
  const std::string_view scheme = url.substr(0, colon);
  const std::string_view rest = url.substr(colon + 1);
  if (scheme == "sqlite3") return parse_sqlite3(rest);
  if (scheme == "mysql" || scheme == "mariadb") return parse_server(Engine::kMysql, rest);
  // PostgreSQL's own programs accept both names.
  if (scheme == "postgresql" || scheme == "postgres")
    return parse_server(Engine::kPostgresql, rest);
  return malformed("has an unknown scheme");
}

bool is_local(const DatabaseUrl& url) {
  const std::string& host = url.host;
  return host.empty() || host.front() == '/' || host == "localhost" || host == "::1" ||
         host.rfind("127.", 0) == 0;
}

std::string describe(const DatabaseUrl& url) {
  if (url.engine == Engine::kSqlite3) return "sqlite3 file " + url.database;
  std::string text = url.engine == Engine::kMysql ? "mysql" : "postgresql";
  text += " database " + url.database + " at " + url.host;
  if (url.port != 0) text += ":" + std::to_string(url.port);
  return text;
}

std::vector<std::string> split_database_urls(std::string_view text) {
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  if (text.rfind("sqlite3:", 0) == 0) return {std::string(text)};
  std::istringstream words{std::string(text)};
  return {std::istream_iterator<std::string>(words), {}};
}

std::string redact_database_url(std::string_view url) {
  // Up to the last '@', even if the rest is malformed: a password that was not escaped must not be
  // shown.
  const std::size_t slashes = url.find("://");
  const std::size_t at = url.rfind('@');
  if (slashes == std::string_view::npos || at == std::string_view::npos || at < slashes + 3) {
    return parse_database_url(url).ok() ? std::string(url) : "***";
  }
  const std::size_t colon = url.find(':', slashes + 3);
  if (colon > at) return std::string(url);
  return std::string(url.substr(0, colon)) + ":***" + std::string(url.substr(at));
}

}  // namespace featherid
