// SPDX-License-Identifier: MIT
#include "lib/store/database_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "featherid/soci_store.h"

namespace featherid {

namespace {

constexpr std::string_view kForms =
    "use sqlite3:FILE, mysql://USER:PASSWORD@HOST:PORT/DATABASE or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE";

Status malformed(std::string_view reason) {
  return {StatusCode::kInvalidArgument,
          "the database URL " + std::string(reason) + "; " + std::string(kForms)};
}

// Nothing for a broken escape, and for control characters, which no part of a URL may hold.
std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned char byte = 0;
      const char* const digits = text.data() + i + 1;
      if (text.size() - i < 3) return std::nullopt;
      if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
      c = static_cast<char>(byte);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

Result<DatabaseUrl> parse_sqlite3(std::string_view rest) {
  std::optional<std::string> path = decode(rest);
  if (!path) return malformed("has a broken %-escape or a control character");
  if (path->empty()) return malformed("names no file");
  if (rest.substr(0, 2) == "//" && rest.substr(0, 3) != "///") {
    return malformed("has // before the file, which SQLite does not take");
  }
  // SQLite gives these a meaning of their own (a database in memory, a URI), and SOCI has no way to
  // quote a quote.
  if (path->front() == ':' || path->rfind("file:", 0) == 0 ||
      path->find('"') != std::string::npos) {
    return malformed("has a file name that starts with ':' or 'file:' or holds a double quote");
  }
  DatabaseUrl url;
  url.engine = Engine::kSqlite3;
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
  if (rest.substr(0, 2) != "//") return malformed("lacks // after its scheme");
  rest.remove_prefix(2);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return malformed("names no database");
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view database = rest.substr(slash + 1);
  if (database.find_first_of("/?#") != std::string_view::npos) {
    return malformed("has more after the database than is understood (write %2F, %3F, %23)");
  }
  const std::size_t at = authority.rfind('@');
  const std::string_view login = at == std::string_view::npos ? "" : authority.substr(0, at);
  const std::size_t colon = std::min(login.find(':'), login.size());

  DatabaseUrl url;
  url.engine = engine;
  std::string_view host;
  if (!split_host(at == std::string_view::npos ? authority : authority.substr(at + 1), host,
                  url.port)) {
    return malformed("has no valid host and port (escape / @ : in a password as %2F %40 %3A)");
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
  if (scheme == "postgresql") return parse_server(Engine::kPostgresql, rest);
  return malformed("has an unknown scheme");
}

std::string describe(const DatabaseUrl& url) {
  if (url.engine == Engine::kSqlite3) return "sqlite3 file " + url.database;
  std::string text = url.engine == Engine::kMysql ? "mysql" : "postgresql";
  text += " database " + url.database + " at " + url.host;
  if (url.port != 0) text += ":" + std::to_string(url.port);
  return text;
}

std::string redact_database_url(std::string_view url) {
  // Up to the last '@', however wrong the rest: a password that was not escaped must not show.
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
