// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_WAIT_UNTIL_H_
#define FEATHERID_TEST_SUPPORT_WAIT_UNTIL_H_

#include <chrono>
#include <thread>

namespace featherid::test {

// Waits until `condition()` holds. False if it does not within `bound`.
template <typename Condition>
bool wait_until(Condition condition, std::chrono::milliseconds bound = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_WAIT_UNTIL_H_
