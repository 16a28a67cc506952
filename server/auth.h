// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_AUTH_H_
#define FEATHERID_SERVER_AUTH_H_

#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "server/http/exchange.h"

namespace featherid {

// Who may change anything. With tokens configured: who bears one of them. Without: a client on this
// very machine that did not come through a proxy and is no other site's page in a browser here.
// Constant after construction; safe from any thread.
class Auth {
 public:
  explicit Auth(std::vector<std::string> tokens);

  // False when the exchange may change nothing; its reply then says why (401 or 403).
  bool may_change(Exchange& exchange) const;

 private:
  bool is_token(std::string_view presented) const;

  const std::vector<std::string> tokens_;
};

// The tokens of a file, one a line; empty lines and lines that begin with '#' are skipped.
// kInvalidArgument: the file cannot be read, holds no token, or one with a blank or unprintable
// character. The message holds no token.
Result<std::vector<std::string>> read_token_file(const std::string& path);

// OK when `token` can stand in an Authorization header.
Status validate_token(std::string_view token);

}  // namespace featherid

#endif  // FEATHERID_SERVER_AUTH_H_
