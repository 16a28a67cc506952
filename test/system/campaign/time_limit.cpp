// SPDX-License-Identifier: MIT
#include "test/system/campaign/time_limit.h"

#include <unistd.h>

#include <iostream>

namespace featherid::campaign {

TimeLimit::TimeLimit(std::chrono::seconds limit) : limit_(limit), thread_([this] { watch(); }) {}

TimeLimit::~TimeLimit() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
    ended_.notify_all();
  }
  thread_.join();
}

void TimeLimit::note(const std::string& step) {
  const std::lock_guard<std::mutex> lock(mutex_);
  step_ = step;
  step_at_ = Clock::now();
}

void TimeLimit::watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (ended_.wait_for(lock, limit_, [this] { return over_; })) return;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - step_at_);
  std::cout << "VIOLATION: the campaign has not ended after " << limit_.count()
            << " s; for the last " << since.count() << " s: " << step_ << std::endl;
  ::_exit(1);  // the main thread hangs, so nothing is tidied up
}

}  // namespace featherid::campaign
