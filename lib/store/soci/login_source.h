// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_LOGIN_SOURCE_H_
#define FEATHERID_LIB_STORE_SOCI_LOGIN_SOURCE_H_

#include <cstddef>
#include <string>

#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "lib/store/soci/database_url.h"

namespace featherid {

// The login of one address, read again from its file whenever a session opens, so that it can be
// changed without a restart. Thread-safe.
class LoginSource {
 public:
  struct Login {
    std::string user;
    std::string password;
  };

  // `database_file`: the file that the address came from, as the URL number `index`; empty: none.
  LoginSource(const DatabaseUrl& url, std::string database_file, std::size_t index);

  // May wait for the file system. The login of the option password-file, else that of the database
  // file, else the URL's own. If the database file now names another place than at first, the login
  // that was read last stays. Errors as read_secret_file().
  Result<Login> read() EXCLUDES(mutex_);

  // A warning about the file; or empty.
  std::string risk() const;

 private:
  Result<Login> read_database_file() EXCLUDES(mutex_);

  const DatabaseUrl url_;
  const std::string database_file_;
  const std::size_t index_;

  Mutex mutex_;
  Login last_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_LOGIN_SOURCE_H_
