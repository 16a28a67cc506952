// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_AUTHORITY_H_
#define FEATHERID_TEST_SUPPORT_AUTHORITY_H_

#include <string>

#include "test/support/scratch_dir.h"

namespace featherid::test {

// A certificate authority that nobody else knows, made by the openssl program.
class Authority {
 public:
  Authority();

  struct Issued {
    std::string cert_file;
    std::string key_file;
  };
  // `names` in a certificate's syntax: "DNS:db.example,IP:127.0.0.1".
  enum class Term { kValid, kExpired };
  Issued issue(const std::string& names, Term term = Term::kValid);

  std::string ca_file() const { return scratch_.file("ca.crt"); }
  std::string key_file() const { return scratch_.file("ca.key"); }

 private:
  ScratchDir scratch_;
  int issued_ = 0;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_AUTHORITY_H_
