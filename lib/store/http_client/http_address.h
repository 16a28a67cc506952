// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_ADDRESS_H_
#define FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_ADDRESS_H_

#include <string>
#include <string_view>
#include <vector>

#include "featherid/internal/export.h"
#include "featherid/status.h"

namespace featherid {

// The address of a server.
struct HttpAddress {
  std::string url;   // http://HOST:PORT or https://HOST:PORT, with the port, without a path
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;
};

// Splits a list of addresses, with commas or blanks between them. Empty if the text is.
std::vector<std::string> split_http_addresses(std::string_view text);

// kInvalidArgument: it is not http://HOST[:PORT] or https://HOST[:PORT]. The message does not
// contain it, because somebody may have put a password into it.
FEATHERID_EXPORT Result<HttpAddress> parse_http_address(const std::string& text);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_CLIENT_HTTP_ADDRESS_H_
