// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PATIENT_H_
#define FEATHERID_TEST_SUPPORT_PATIENT_H_

#include <chrono>

#include "featherid/options.h"

namespace featherid::test {

// For an allocator whose calls get ids even if the machine stalls for a while.
inline AllocatorOptions patient() {
  AllocatorOptions options;
  options.wait_timeout = std::chrono::seconds(30);
  return options;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PATIENT_H_
