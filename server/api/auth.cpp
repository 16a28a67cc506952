// SPDX-License-Identifier: MIT
#include "server/api/auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <strings.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace featherid {

namespace {

constexpr std::string_view kBearer = "Bearer ";

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

Auth::Digest Auth::digest(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

void Auth::change(const std::vector<std::string>& tokens, bool tls) {
  const MutexLock lock(mutex_);
  tokens_.clear();
  for (const std::string& token : tokens) tokens_.push_back(digest(token));
  tls_ = tls;
}

// Takes the same time for every token. Digests have one length and do not show how similar two
// tokens are, and all of them are compared to the end.
bool Auth::is_token(std::string_view presented) const {
  const Digest given = digest(presented);
  bool found = false;
  for (const Digest& token : tokens_) {
    found |= CRYPTO_memcmp(given.data(), token.data(), given.size()) == 0;
  }
  return found;
}

bool Auth::may_change(Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  Reply& reply = exchange.reply;
  const MutexLock lock(mutex_);
  if (!tokens_.empty()) {
    const std::string_view given = request.authorization;
    if (given.size() > kBearer.size() &&
        ::strncasecmp(given.data(), kBearer.data(), kBearer.size()) == 0 &&
        is_token(given.substr(kBearer.size()))) {
      return true;
    }
    reply.fail(401, ApiCode::kNotAllowed,
               "send the admin token in the header 'Authorization: Bearer TOKEN'");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return false;
  }
  if (!exchange.peer_is_loopback || request.via_proxy) {
    reply.fail(403, ApiCode::kNotAllowed,
               "changes are allowed only from the server's own machine and without a proxy; to "
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

Status validate_token(std::string_view token) {
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!token.empty() && printable) return {};
  return {StatusCode::kInvalidArgument, "a token must be one word of printable ASCII characters"};
}

Result<std::vector<std::string>> read_token_file(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> tokens;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    if (Status bad = validate_token(line); !bad.ok()) {
      return Status(bad.code(), path + ": line " + std::to_string(number) + ": " + bad.message());
    }
    tokens.push_back(std::move(line));
  }
  if (!file.is_open() || file.bad()) {
    return Status(StatusCode::kInvalidArgument, path + ": cannot be read");
  }
  if (tokens.empty()) return Status(StatusCode::kInvalidArgument, path + ": contains no token");
  return tokens;
}

}  // namespace featherid
