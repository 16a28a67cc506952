// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_URL_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_URL_H_

#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"
#include "lib/store/http_client/http_address.h"

namespace featherid {

// A URL of a cluster taken apart, percent-escapes decoded.
struct EtcdUrl {
  std::vector<HttpAddress> members;
  std::string prefix;  // of all keys: "/featherid", without a slash at its end
  std::string user;
  std::string password;
  std::string password_file;
  std::string ca;  // these three: files in PEM; empty: none
  std::string cert;
  std::string key;
  std::string place;  // all that comes after the login, as it was written
};

// The keys: which cluster they are of, what the store is called, and the value of each tag.
inline std::string cluster_key(const EtcdUrl& url) { return url.prefix + "/cluster"; }
inline std::string store_key(const EtcdUrl& url) { return url.prefix + "/store"; }
inline std::string tags_key(const EtcdUrl& url) { return url.prefix + "/tags/"; }

// kInvalidArgument for a malformed URL; the message does not quote it, because it may contain a
// password.
Result<EtcdUrl> parse_etcd_url(std::string_view text);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_URL_H_
