// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
#define FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_

#include <chrono>
#include <string>
#include <vector>

#include "featherid/etcd_store.h"
#include "test/support/wait_until.h"

namespace featherid::test {

// Timeouts with which a busy machine is no error, neither in a call nor while it connects.
inline EtcdStoreOptions patient_etcd() {
  EtcdStoreOptions options;
  options.call_timeout = std::chrono::seconds(30);
  options.connect_timeout = options.call_timeout;
  return options;
}

// A member that stood still for more than a second in the answer to /health says that it is not
// healthy. Nothing but that has been sent to it.
inline bool stood_still(const Status& status) {
  return status.message().find("says that it cannot serve: {\"health\"") != std::string::npos;
}

// 10 ids of `order`.
inline Result<IdRange> lease_patiently(Store& store) {
  Result<IdRange> range = store.lease("order", 10);
  wait_until([&] {
    if (!stood_still(range.status())) return true;
    range = store.lease("order", 10);
    return false;
  });
  return range;
}

// init_etcd_store()
inline Status init_patiently(const std::string& url, std::vector<std::string>* made = nullptr) {
  Status status = init_etcd_store(url, patient_etcd(), made);
  wait_until([&] {
    if (!stood_still(status)) return true;
    status = init_etcd_store(url, patient_etcd(), made);
    return false;
  });
  return status;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
