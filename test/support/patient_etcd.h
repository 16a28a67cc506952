// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
#define FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_

#include <string>
#include <vector>

#include "featherid/etcd_store.h"
#include "test/support/patient.h"
#include "test/support/wait_until.h"

namespace featherid::test {

inline EtcdStoreOptions patient_etcd() { return patient_client<EtcdStoreOptions>(); }

// A member that stood still for more than a second in the answer to /health says that it is not
// healthy. Nothing but that has been sent to it.
inline bool stood_still(const Status& status) {
  return status.message().find("says that it cannot serve: {\"health\"") != std::string::npos;
}

// Makes the call again as long as a member stood still.
template <typename Call>
Status patiently(Call call) {
  Status status;
  wait_until([&] {
    status = call();
    return !stood_still(status);
  });
  return status;
}

// 10 ids of `order`.
inline Result<IdRange> lease_patiently(Store& store) {
  Result<IdRange> range = IdRange{};
  static_cast<void>(patiently([&] {
    range = store.lease("order", 10);
    return range.status();
  }));
  return range;
}

// init_etcd_store()
inline Status init_patiently(const std::string& url, std::vector<std::string>* made = nullptr) {
  return patiently([&] { return init_etcd_store(url, patient_etcd(), made); });
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
