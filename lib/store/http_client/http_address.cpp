// SPDX-License-Identifier: MIT
#include "lib/store/http_client/http_address.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace featherid {

namespace {

constexpr std::string_view kSeparators = ", \t\r\n";

Status malformed() {
  return {StatusCode::kInvalidArgument,
          "the address of a server must be http://HOST:PORT or https://HOST:PORT, without a path, "
          "a user or options"};
}

// 0: it is not a port.
int parse_port(std::string_view text) {
  int port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool good = error == std::errc() && stop == text.data() + text.size();
  return good && port > 0 && port < 65536 ? port : 0;
}

bool is_host_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_' || c == ':';
}

}  // namespace

std::vector<std::string> split_http_addresses(std::string_view text) {
  std::vector<std::string> addresses;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
    if (text.empty()) return addresses;
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    addresses.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

Result<HttpAddress> parse_http_address(const std::string& text) {
  std::string_view rest = text;
  const bool tls = rest.substr(0, 8) == "https://";
  if (!tls && rest.substr(0, 7) != "http://") return malformed();
  rest.remove_prefix(tls ? 8 : 7);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  HttpAddress address;
  const bool bracketed = !rest.empty() && rest.front() == '[';
  const std::size_t host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (host_end == std::string_view::npos) return malformed();
  address.host = rest.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  rest.remove_prefix(host_end + (bracketed ? 1 : 0));
  const bool good_host =
      !address.host.empty() && std::all_of(address.host.begin(), address.host.end(), is_host_char);
  if (!good_host) return malformed();
  address.port = tls ? 443 : 80;
  if (!rest.empty()) {
    if (rest.front() != ':') return malformed();
    address.port = parse_port(rest.substr(1));
    if (address.port == 0) return malformed();
  }
  address.url = std::string(tls ? "https://" : "http://") +
                (bracketed ? "[" + address.host + "]" : address.host) + ":" +
                std::to_string(address.port);
  return address;
}

}  // namespace featherid
