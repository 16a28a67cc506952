// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PATIENT_H_
#define FEATHERID_TEST_SUPPORT_PATIENT_H_

#include <chrono>

#include "featherid/options.h"

namespace featherid::test {

// Options for calls that must succeed even if the machine stalls for a while.
constexpr std::chrono::seconds kPatience{30};

inline AllocatorOptions patient() {
  AllocatorOptions options;
  options.wait_timeout = kPatience;
  return options;
}

// For SociStoreOptions.
template <typename StoreOptions>
StoreOptions patient_store() {
  StoreOptions options;
  options.call_timeout = kPatience;
  return options;
}

// For the options of a client of HTTP or etcd, which also limit the time to connect.
template <typename ClientOptions>
ClientOptions patient_client() {
  auto options = patient_store<ClientOptions>();
  options.connect_timeout = kPatience;
  return options;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PATIENT_H_
