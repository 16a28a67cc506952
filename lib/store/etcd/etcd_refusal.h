// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_REFUSAL_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_REFUSAL_H_

#include <string>

#include "featherid/status.h"
#include "lib/store/http_client/http_connection.h"

namespace featherid {

// What an answer of etcd's gateway says that is not 200.
struct EtcdRefusal {
  Status status;  // OK: it is no refusal
  // The call needs a login, or another one. Nothing was changed, so it may be sent again.
  bool needs_login = false;
};
EtcdRefusal refusal_of(const HttpAnswer& answer, const std::string& url);

// Whether the member cannot serve. Then others are asked first for a while. kDataLoss: the cluster
// has found out that its members differ.
Status cannot_serve(const HttpAnswer& answer, const std::string& url);

// Whether the answer proves that the member has passed nothing on to the cluster: it is a learner,
// or has too much to do.
bool proves_undone(const HttpAnswer& answer);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_REFUSAL_H_
