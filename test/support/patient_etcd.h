// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
#define FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_

#include <chrono>

#include "featherid/etcd_store.h"

namespace featherid::test {

// Timeouts with which a busy machine is no error, neither in a call nor while it connects.
inline EtcdStoreOptions patient_etcd_options() {
  EtcdStoreOptions options;
  options.call_timeout = std::chrono::seconds(30);
  options.connect_timeout = options.call_timeout;
  return options;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PATIENT_ETCD_H_
