// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_AUTH_H_
#define FEATHERID_SERVER_API_AUTH_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "server/http/exchange.h"

namespace featherid {

// Decides who may change anything. If tokens are configured, a client requires one of them.
// Otherwise the client must be on this machine, must not come through a proxy, and must not be
// another site's page in a browser. Safe from any thread. Holds only the digests of tokens.
class Auth {
 public:
  Auth(const std::vector<std::string>& tokens, bool tls) { change(tokens, tls); }

  // Takes effect with the next request. `tls`: the server speaks https, so its own pages are https
  // too.
  void change(const std::vector<std::string>& tokens, bool tls) EXCLUDES(mutex_);

  // False if the exchange may not change anything. Its reply then says why (401 or 403).
  bool may_change(Exchange& exchange) const EXCLUDES(mutex_);

 private:
  using Digest = std::array<unsigned char, 32>;  // SHA-256
  static Digest digest(std::string_view token);

  bool is_token(std::string_view presented) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::vector<Digest> tokens_ GUARDED_BY(mutex_);
  bool tls_ GUARDED_BY(mutex_) = false;
};

// Reads the tokens of a file, one per line. Empty lines and lines that begin with '#' are skipped.
// kInvalidArgument: the file cannot be read, contains no token, or contains a token with a space or
// an unprintable character. The message contains no token.
Result<std::vector<std::string>> read_token_file(const std::string& path);

// OK if `token` can be sent in an Authorization header.
Status validate_token(std::string_view token);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_AUTH_H_
