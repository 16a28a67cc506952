// SPDX-License-Identifier: MIT
#include "server/api/auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace featherid {

namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kHashed = "sha256:";
constexpr std::size_t kNameCharsMax = 64;

Token::Digest digest_of(std::string_view token) {
  Token::Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<Token::Digest> parse_digest(std::string_view hex) {
  Token::Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const std::string_view byte = hex.substr(2 * i, 2);
    const auto [stop, error] =
        std::from_chars(byte.data(), byte.data() + byte.size(), digest[i], 16);
    if (error != std::errc() || stop != byte.data() + byte.size()) return std::nullopt;
  }
  return digest;
}

// The digest of the request's bearer token; nothing if it has none.
std::optional<Token::Digest> presented_by(const HttpRequest& request) {
  const std::string_view given = request.authorization;
  const bool is_bearer = given.size() > kBearer.size() &&
                         ::strncasecmp(given.data(), kBearer.data(), kBearer.size()) == 0;
  if (!is_bearer) return std::nullopt;
  return digest_of(given.substr(kBearer.size()));
}

std::optional<Role> parse_role(std::string_view word) {
  if (word == "admin") return Role::kAdmin;
  if (word == "lease") return Role::kLease;
  if (word == "read") return Role::kRead;
  return std::nullopt;
}

bool may(Role role, Effect effect) {
  switch (effect) {
    case Effect::kChanges:
      return role == Role::kAdmin;
    case Effect::kLeases:
      return role != Role::kRead;
    default:
      return true;
  }
}

Status bad_token(const char* what) { return {StatusCode::kInvalidArgument, what}; }

// TOKEN, or NAME ROLE TOKEN.
Result<Token> parse_line(const std::string& line) {
  std::istringstream text(line);
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(std::move(word));
  if (words.size() != 1 && words.size() != 3) {
    return bad_token("a line must be TOKEN, or NAME ROLE TOKEN");
  }
  Result<Token> token = parse_token(words.back());
  if (!token.ok() || words.size() == 1) return token;
  const std::optional<Role> role = parse_role(words[1]);
  if (!role) return bad_token("the role must be admin, lease or read");
  if (!is_word(words[0]) || words[0].size() > kNameCharsMax) {
    return bad_token("a name must be one word of up to 64 printable ASCII characters");
  }
  // The log names those who change something without a token so.
  if (words[0] == "loopback" || words[0] == "auto-create") {
    return bad_token("a name may not be loopback or auto-create");
  }
  token->name = words[0];
  token->role = *role;
  return token;
}

// Another site can make its own host name point to this machine, but not these names.
bool names_this_machine(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  const bool dotted_digits = std::all_of(host.begin(), host.end(),
                                         [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  constexpr std::string_view kName = "localhost";
  const bool is_name =
      host.size() == kName.size() && ::strncasecmp(host.data(), kName.data(), host.size()) == 0;
  return host.empty() || is_name || host == "[::1]" ||
         (dotted_digits && host.substr(0, 4) == "127.");
}

}  // namespace

Result<Token> parse_token(std::string_view text) {
  if (!is_word(text)) return bad_token("a token must be one word of printable ASCII characters");
  Token token{"admin", Role::kAdmin, digest_of(text)};
  const bool hashed = text.size() >= kHashed.size() &&
                      ::strncasecmp(text.data(), kHashed.data(), kHashed.size()) == 0;
  if (hashed) {
    const std::optional<Token::Digest> digest = parse_digest(text.substr(kHashed.size()));
    if (!digest) return bad_token("after sha256: there must be 64 hexadecimal digits");
    token.digest = *digest;
  }
  return token;
}

Result<std::vector<Token>> read_token_file(const std::string& path) {
  std::ifstream file(path);
  std::vector<Token> tokens;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    Result<Token> token = parse_line(line);
    if (!token.ok()) {
      return Status(token.status().code(),
                    path + ": line " + std::to_string(number) + ": " + token.status().message());
    }
    tokens.push_back(*std::move(token));
  }
  if (!file.is_open() || file.bad()) {
    return Status(StatusCode::kInvalidArgument, path + ": cannot be read");
  }
  if (tokens.empty()) return Status(StatusCode::kInvalidArgument, path + ": contains no token");
  return tokens;
}

void Auth::change(const std::vector<Token>& tokens, bool tls) {
  const auto any = [&tokens](Role role) {
    return std::any_of(tokens.begin(), tokens.end(),
                       [role](const Token& token) { return token.role == role; });
  };
  const MutexLock lock(mutex_);
  tokens_ = tokens;
  admins_ = any(Role::kAdmin);
  tls_ = tls;
  // relaxed: what it closes is judged under the mutex.
  closed_.store(any(Role::kRead), std::memory_order_relaxed);
}

// Takes the same time for every token. Digests have one length and do not show how similar two
// tokens are, and all of them are compared to the end.
const Token* Auth::find(const Token::Digest& presented) const {
  const Token* found = nullptr;
  for (const Token& token : tokens_) {
    const bool same = CRYPTO_memcmp(presented.data(), token.digest.data(), presented.size()) == 0;
    found = same ? &token : found;
  }
  return found;
}

bool Auth::permits(Exchange& exchange, Effect effect) const {
  const std::optional<Token::Digest> presented = presented_by(exchange.request);
  Reply& reply = exchange.reply;
  const MutexLock lock(mutex_);
  const Token* const token = presented ? find(*presented) : nullptr;
  const bool leases = effect == Effect::kLeases;
  const bool is_closed = leases || effect == Effect::kChanges;
  if (token != nullptr && may(token->role, effect)) {
    exchange.who = token->name;
    return true;
  }
  if (token == nullptr && !admins_) {
    exchange.who = "loopback";
    const bool permitted = permits_without_token(exchange);
    if (permitted || is_closed) return permitted;
  }
  if (token != nullptr) {
    reply.fail(403, ApiCode::kNotAllowed,
               "the token '" + token->name + "' may only " +
                   (token->role == Role::kLease ? "lease and read" : "read") +
                   "; this requires one whose role is " + (leases ? "lease or admin" : "admin"));
    return false;
  }
  reply.fail(401, ApiCode::kNotAllowed,
             std::string("send ") +
                 (leases      ? "a token whose role is lease or admin"
                  : is_closed ? "the admin token"
                              : "a token") +
                 " in the header 'Authorization: Bearer TOKEN'");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return false;
}

bool Auth::permits_reading(const std::optional<Token::Digest>& token, bool peer_is_loopback) const {
  const MutexLock lock(mutex_);
  if (token && find(*token) != nullptr) return true;
  return !admins_ && peer_is_loopback;
}

std::optional<Token::Digest> Auth::recognize(std::string_view token) const {
  const Token::Digest digest = digest_of(token);
  const MutexLock lock(mutex_);
  if (find(digest) == nullptr) return std::nullopt;
  return digest;
}

bool Auth::has_tokens() const {
  const MutexLock lock(mutex_);
  return !tokens_.empty();
}

bool Auth::permits_without_token(Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  Reply& reply = exchange.reply;
  if (!exchange.peer_is_loopback || request.via_proxy) {
    reply.fail(
        403, ApiCode::kNotAllowed,
        "changes and leases are allowed only from the server's own machine and without a proxy; to "
        "allow others, start the server with --admin-token-file");
    return false;
  }
  const bool same_origin =
      request.origin.empty() ||
      request.origin == (tls_ ? "https://" : "http://") + std::string(request.host);
  if (!same_origin || request.cross_site) {
    reply.fail(403, ApiCode::kNotAllowed,
               "the header Origin or Sec-Fetch-Site shows that a page of another site sent the "
               "request; such a page may not change anything");
    return false;
  }
  if (!names_this_machine(request.host)) {
    reply.fail(403, ApiCode::kNotAllowed,
               "the header Host (or the URL in the request line) does not name this machine; use "
               "localhost, 127.0.0.1 or [::1], or start the server with --admin-token-file to "
               "allow other names");
    return false;
  }
  return true;
}

}  // namespace featherid
