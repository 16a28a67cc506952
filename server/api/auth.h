// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_AUTH_H_
#define FEATHERID_SERVER_API_AUTH_H_

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "server/http/router.h"

namespace featherid {

// What the bearer of a token may do. Every bearer may read and get ids. kLease: also lease.
// kAdmin: everything.
enum class Role { kRead, kLease, kAdmin };

// A token as the server keeps it: never its text.
struct Token {
  using Digest = std::array<unsigned char, 32>;  // SHA-256

  std::string name;
  Role role;
  Digest digest;

  bool operator==(const Token& other) const {
    return name == other.name && role == other.role && digest == other.digest;
  }
};

// Parses TOKEN, whose name and role are then `admin`. TOKEN is a word, or sha256: and the 64
// hexadecimal digits of its digest. kInvalidArgument: the message contains no part of the text.
Result<Token> parse_token(std::string_view text);

// Reads the tokens of a file, one per line: TOKEN, or NAME ROLE TOKEN. Empty lines and lines that
// begin with '#' are skipped. kInvalidArgument: the file cannot be read, contains no token, or has
// a line of another form. The message contains no part of the line.
Result<std::vector<Token>> read_token_file(const std::string& path);

// Decides who may do what. Safe from any thread.
//
// Changes: if there are tokens of administrators, a client requires one of them. Otherwise the
// client must be on this machine, must not come through a proxy, and must not be another site's
// page in a browser. Leases: the same, and tokens with the role `lease` may, too. Reading and ids:
// everyone, unless there is a token with the role `read`. Then a client requires any token, or must
// be one that may make changes without a token.
class Auth {
 public:
  Auth(const std::vector<Token>& tokens, bool tls) { change(tokens, tls); }

  // Takes effect with the next request. `tls`: the server speaks https, so its own pages are https
  // too.
  void change(const std::vector<Token>& tokens, bool tls) EXCLUDES(mutex_);

  // False if the exchange may not have this effect, which is not kNone. Its reply then says why
  // (401 or 403). Otherwise its `who` says who asked.
  bool permits(Exchange& exchange, Effect effect) const EXCLUDES(mutex_);

  // The same for a client whose protocol has none of HTTP's headers, and no changes: whether it may
  // read and use ids. `token`: the digest of what it has presented, if it has.
  bool permits_reading(const std::optional<Token::Digest>& token, bool peer_is_loopback) const
      EXCLUDES(mutex_);
  // The digest of a token that is in use. Nothing: the text is no such token.
  std::optional<Token::Digest> recognize(std::string_view token) const EXCLUDES(mutex_);
  bool has_tokens() const EXCLUDES(mutex_);

  // Whether reading and ids require permission.
  const std::atomic<bool>& closed() const { return closed_; }

 private:
  const Token* find(const Token::Digest& presented) const REQUIRES(mutex_);
  bool permits_without_token(Exchange& exchange) const REQUIRES(mutex_);

  std::atomic<bool> closed_{false};
  mutable Mutex mutex_;
  std::vector<Token> tokens_ GUARDED_BY(mutex_);
  bool admins_ GUARDED_BY(mutex_) = false;  // there are tokens of administrators
  bool tls_ GUARDED_BY(mutex_) = false;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_AUTH_H_
