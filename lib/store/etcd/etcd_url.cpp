// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_url.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "featherid/etcd_store.h"
#include "lib/base/percent.h"
#include "lib/base/utf8.h"

namespace featherid {

namespace {

constexpr std::size_t kMembersMax = 16;

Status malformed(std::string_view reason) {
  return {StatusCode::kInvalidArgument,
          "the URL of etcd " + std::string(reason) +
              "; use etcd://HOST:2379,HOST:2379/PREFIX, or etcds:// for TLS"};
}

constexpr std::string_view kBrokenEscape = "has a broken %-escape or a control character";

// Nothing for a broken escape, or for control characters.
std::optional<std::string> decode(std::string_view text) {
  std::optional<std::string> decoded = percent_decode(text);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (decoded && std::any_of(decoded->begin(), decoded->end(), is_control)) decoded.reset();
  return decoded;
}

// "a:2379,b,[::1]:2379"
Status read_members(std::string_view text, bool tls, EtcdUrl* url) {
  while (!text.empty()) {
    const std::string_view member = text.substr(0, text.find(','));
    text.remove_prefix(std::min(member.size() + 1, text.size()));
    const bool has_port = member.find(':', member.find(']') + 1) != std::string_view::npos;
    const Result<HttpAddress> address = parse_http_address(
        (tls ? "https://" : "http://") + std::string(member) + (has_port ? "" : ":2379"));
    if (!address.ok()) return malformed("names a member that is not HOST or HOST:PORT");
    url->members.push_back(*address);
  }
  if (url->members.empty() || url->members.size() > kMembersMax) {
    return malformed("must name 1 to 16 members");
  }
  return {};
}

Status read_login(std::string_view login, EtcdUrl* url) {
  const std::size_t colon = std::min(login.find(':'), login.size());
  std::optional<std::string> user = decode(login.substr(0, colon));
  std::optional<std::string> password = decode(login.substr(std::min(colon + 1, login.size())));
  if (!user || !password) return malformed(kBrokenEscape);
  url->user = *std::move(user);
  url->password = *std::move(password);
  return {};
}

// The tags of the prefix /a have keys such as /a/tags/b, so /a/tags is no prefix: tags of one store
// would be keys of the other.
bool has_part(std::string_view prefix, std::string_view part) {
  const std::string parts = std::string(prefix) + "/";
  return parts.find("/" + std::string(part) + "/") != std::string::npos;
}

Status read_prefix(std::string_view path, EtcdUrl* url) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  std::optional<std::string> prefix = decode(path);
  if (!prefix) return malformed(kBrokenEscape);
  if (prefix->size() < 2) return malformed("names no prefix of the keys");
  if (has_part(*prefix, "")) return malformed("has a prefix with an empty part");
  if (has_part(*prefix, "tags")) {
    return malformed("has a prefix with the part tags, which is where a store has its tags");
  }
  url->prefix = *std::move(prefix);
  return {};
}

// "key=value&key=value"
Status read_options(std::string_view text, bool tls, EtcdUrl* url) {
  if (text.find('@') != std::string_view::npos) {
    return malformed(
        "has an @ after the ?; escape / @ : in a password as %2F %40 %3A, and an @ in an option "
        "as %40");
  }
  const std::pair<std::string_view, std::string*> known[] = {
      {"ca", &url->ca},
      {"cert", &url->cert},
      {"key", &url->key},
      {"password-file", &url->password_file}};
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const std::string_view key = pair.substr(0, pair.find('='));
    const auto* const option = std::find_if(std::begin(known), std::end(known),
                                            [key](const auto& each) { return each.first == key; });
    if (option == std::end(known)) {
      return malformed("has an unknown option; the options are ca, cert, key and password-file");
    }
    std::optional<std::string> value = decode(pair.substr(std::min(key.size() + 1, pair.size())));
    if (!value) return malformed(kBrokenEscape);
    if (value->empty() || !option->second->empty()) {
      return malformed("has the option " + std::string(key) + " without a file, or twice");
    }
    *option->second = *std::move(value);
  }
  const bool has_files = !url->ca.empty() || !url->cert.empty() || !url->key.empty();
  if (has_files && !tls) return malformed("has ca, cert or key, which only etcds:// uses");
  if (url->cert.empty() != url->key.empty()) {
    return malformed("has only one of the options cert and key; a certificate requires both");
  }
  return {};
}

}  // namespace

Result<EtcdUrl> parse_etcd_url(std::string_view text) {
  const bool tls = text.substr(0, 8) == "etcds://";
  if (!tls && text.substr(0, 7) != "etcd://") return malformed("has another scheme");
  std::string_view rest = text.substr(tls ? 8 : 7);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const std::size_t at = authority.rfind('@');
  const bool has_login = at != std::string_view::npos;
  const std::size_t question = std::min(rest.find('?', slash), rest.size());

  EtcdUrl url;
  url.place = rest.substr(has_login ? at + 1 : 0);
  if (has_login) {
    if (Status bad = read_login(authority.substr(0, at), &url); !bad.ok()) return bad;
  }
  const std::string_view options = rest.substr(std::min(question + 1, rest.size()));
  if (Status bad = read_options(options, tls, &url); !bad.ok()) return bad;
  const std::string_view members = authority.substr(has_login ? at + 1 : 0);
  if (Status bad = read_members(members, tls, &url); !bad.ok()) return bad;
  if (Status bad = read_prefix(rest.substr(slash, question - slash), &url); !bad.ok()) return bad;
  if (!url.password.empty() && !url.password_file.empty()) {
    return malformed("contains a password and the option password-file; give one of them");
  }
  const bool has_password = !url.password.empty() || !url.password_file.empty();
  if (has_password && url.user.empty()) return malformed("has a password without a user");
  return url;
}

std::string redact_etcd_url(std::string_view url) {
  // Up to the last '@', even if the rest is malformed: a password that was not escaped must not be
  // shown.
  const std::size_t slashes = url.find("://");
  const std::size_t at = url.rfind('@');
  if (slashes == std::string_view::npos || at == std::string_view::npos || at < slashes + 3) {
    return parse_etcd_url(url).ok() ? std::string(url) : "***";
  }
  const std::size_t colon = url.find(':', slashes + 3);
  if (colon > at) return std::string(url);
  return std::string(url.substr(0, colon)) + ":***" + std::string(url.substr(at));
}

}  // namespace featherid
