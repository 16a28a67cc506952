// SPDX-License-Identifier: MIT
#include "server/auth.h"

#include <strings.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace featherid {

namespace {

constexpr std::string_view kBearer = "Bearer ";

// Takes as long whether the difference is early or late, so that its time tells nothing.
bool equal_in_constant_time(std::string_view presented, std::string_view token) {
  auto difference = static_cast<unsigned>(presented.size() != token.size());
  for (std::size_t i = 0; i < presented.size(); ++i) {
    const char other = token[i % token.size()];
    difference |= static_cast<unsigned char>(presented[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

// A page of another site can make a name of its own point here, but not these.
bool names_this_machine(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  const bool dotted_digits = std::all_of(host.begin(), host.end(),
                                         [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host.empty() || host == "localhost" || host == "[::1]" ||
         (dotted_digits && host.substr(0, 4) == "127.");
}

}  // namespace

Auth::Auth(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

bool Auth::is_token(std::string_view presented) const {
  bool found = false;
  for (const std::string& token : tokens_) found |= equal_in_constant_time(presented, token);
  return found;
}

bool Auth::may_change(Exchange& exchange) const {
  const HttpRequest& request = exchange.request;
  Reply& reply = exchange.reply;
  if (!tokens_.empty()) {
    const std::string_view given = request.authorization;
    if (given.size() > kBearer.size() &&
        ::strncasecmp(given.data(), kBearer.data(), kBearer.size()) == 0 &&
        is_token(given.substr(kBearer.size()))) {
      return true;
    }
    reply.fail(401, ApiCode::kNotAllowed, "send 'Authorization: Bearer' with the admin token");
    reply.header = {"WWW-Authenticate", "Bearer"};
    return false;
  }
  if (!exchange.peer_is_loopback || request.via_proxy) {
    reply.fail(403, ApiCode::kNotAllowed,
               "changes are allowed from the server's own machine, without a proxy; for others, "
               "start the server with --admin-token-file");
    return false;
  }
  const bool same_origin =
      request.origin.empty() || request.origin == "http://" + std::string(request.host);
  if (!same_origin || request.cross_site || !names_this_machine(request.host)) {
    reply.fail(403, ApiCode::kNotAllowed, "changes are not allowed from another site's page");
    return false;
  }
  return true;
}

Status validate_token(std::string_view token) {
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!token.empty() && printable) return {};
  return {StatusCode::kInvalidArgument, "a token is one word of printable ASCII characters"};
}

Result<std::vector<std::string>> read_token_file(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> tokens;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    if (Status bad = validate_token(line); !bad.ok()) {
      return Status(bad.code(), path + ": " + bad.message());
    }
    tokens.push_back(std::move(line));
  }
  if (!file.is_open() || file.bad()) {
    return Status(StatusCode::kInvalidArgument, path + ": cannot be read");
  }
  if (tokens.empty()) return Status(StatusCode::kInvalidArgument, path + ": holds no token");
  return tokens;
}

}  // namespace featherid
