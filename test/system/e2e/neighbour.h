// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_NEIGHBOUR_H_
#define FEATHERID_TEST_SYSTEM_E2E_NEIGHBOUR_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "test/support/stopwatch.h"

namespace featherid::test {

// A well-behaved client beside an attack. It asks for an id every two milliseconds over one
// connection, and measures the time, without the machine's stalls. If it connects before the
// attack, both use the same event loop: the first one.
class Neighbour {
 public:
  struct Figures {
    int answers = 0;
    int errors = 0;  // no answer, no id, or an id that is not above the one before
    std::chrono::microseconds median{0};
    std::chrono::microseconds p90{0};
    std::chrono::microseconds slowest{0};
  };

  explicit Neighbour(int port, std::string tag = "user");
  ~Neighbour();
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  // Answers since the last call of figures().
  int answers();

  // The figures since the last call, from at least `answers_min` answers.
  Figures figures(int answers_min = 100);

 private:
  void ask(int port, const std::string& tag);

  const Stopwatch watch_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::chrono::microseconds> latencies_;
  int errors_ = 0;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_NEIGHBOUR_H_
