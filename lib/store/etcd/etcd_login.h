// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_LOGIN_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_LOGIN_H_

#include <sstream>
#include <string>
#include <utility>

#include "featherid/status.h"
#include "lib/base/secret_file.h"
#include "lib/store/etcd/etcd_url.h"

namespace featherid {

struct EtcdLogin {
  std::string user;  // empty: none is needed
  std::string password;
};

// The login of the option password-file, else that of the file that the URL came from, else the
// URL's own. Read again each time, so that it can be changed without a restart. If the file now
// names another place, the URL's own stays. Errors as read_secret_file().
inline Result<EtcdLogin> read_login(const EtcdUrl& url, const std::string& database_file) {
  if (!url.password_file.empty()) {
    Result<std::string> password = read_secret_file(url.password_file);
    if (!password.ok()) return password.status();
    return EtcdLogin{url.user, *std::move(password)};
  }
  if (!database_file.empty()) {
    const Result<std::string> text = read_secret_file(database_file, /*several_lines=*/true);
    if (!text.ok()) return text.status();
    std::istringstream words(*text);
    std::string word;
    words >> word;
    const Result<EtcdUrl> now = parse_etcd_url(word);
    if (now.ok() && now->place == url.place) return EtcdLogin{now->user, now->password};
  }
  return EtcdLogin{url.user, url.password};
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_LOGIN_H_
