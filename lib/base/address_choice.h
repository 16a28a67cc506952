// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_ADDRESS_CHOICE_H_
#define FEATHERID_LIB_BASE_ADDRESS_CHOICE_H_

#include <chrono>
#include <cstddef>
#include <vector>

#include "featherid/internal/export.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// Which of several addresses of one store to try next: the first that has not failed recently.
// Thread-safe.
class FEATHERID_EXPORT AddressChoice {
 public:
  // For this long after a failure, an address comes after the others. Then one caller tries it
  // again.
  static constexpr std::chrono::seconds kShunned{5};

  explicit AddressChoice(std::size_t addresses) : shunned_until_(addresses) {}

  // Every address once, in the order in which to try them.
  std::vector<std::size_t> order(TimePoint now) EXCLUDES(mutex_);

  void failed(std::size_t address, TimePoint now) EXCLUDES(mutex_);
  void worked(std::size_t address) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::vector<TimePoint> shunned_until_ GUARDED_BY(mutex_);  // by address; TimePoint(): it works
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_ADDRESS_CHOICE_H_
