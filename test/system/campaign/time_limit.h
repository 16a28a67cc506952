// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_TIME_LIMIT_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_TIME_LIMIT_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace featherid::campaign {

// Ends the program with exit code 1, and with a line that says what it was doing, if this object
// lives longer than the limit. What the program has started dies with it. Thread-safe.
class TimeLimit {
 public:
  explicit TimeLimit(std::chrono::seconds limit);
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  // What the program does from now on: "heals 'restart of a server'".
  void note(const std::string& step);

 private:
  using Clock = std::chrono::steady_clock;

  void watch();

  const std::chrono::seconds limit_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::string step_ = "begins";
  Clock::time_point step_at_ = Clock::now();
  std::thread thread_;  // last: it uses the others
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_TIME_LIMIT_H_
