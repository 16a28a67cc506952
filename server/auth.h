// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_AUTH_H_
#define FEATHERID_SERVER_AUTH_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "server/http/exchange.h"

namespace featherid {

// Who may change anything. With tokens configured: who bears one of them. Without: a client on this
// very machine that did not come through a proxy and is no other site's page in a browser here.
// Safe from any thread. Holds no token, only their digests.
class Auth {
 public:
  Auth(const std::vector<std::string>& tokens, bool tls) { change(tokens, tls); }

  // From the next request on. `tls`: the server speaks https, and so do its own pages.
  void change(const std::vector<std::string>& tokens, bool tls) EXCLUDES(mutex_);

  // False when the exchange may change nothing; its reply then says why (401 or 403).
  bool may_change(Exchange& exchange) const EXCLUDES(mutex_);

 private:
  using Digest = std::array<unsigned char, 32>;  // SHA-256
  static Digest digest(std::string_view token);

  bool is_token(std::string_view presented) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::vector<Digest> tokens_ GUARDED_BY(mutex_);
  bool tls_ GUARDED_BY(mutex_) = false;
};

// The tokens of a file, one a line; empty lines and lines that begin with '#' are skipped.
// kInvalidArgument: the file cannot be read, holds no token, or one with a blank or unprintable
// character. The message holds no token.
Result<std::vector<std::string>> read_token_file(const std::string& path);

// OK when `token` can stand in an Authorization header.
Status validate_token(std::string_view token);

}  // namespace featherid

#endif  // FEATHERID_SERVER_AUTH_H_
