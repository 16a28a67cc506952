// SPDX-License-Identifier: MIT
#include "test/system/integration/leaser.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "test/support/wait_until.h"

namespace featherid::test {

using Clock = std::chrono::steady_clock;

SociStoreOptions synchronous(std::chrono::seconds call_timeout) {
  SociStoreOptions options;
  options.call_timeout = call_timeout;
  options.failover = Failover::kSynchronous;
  return options;
}

std::vector<std::string> urls_from(std::size_t preferred, std::vector<std::string> urls) {
  std::rotate(urls.begin(), urls.begin() + static_cast<std::ptrdiff_t>(preferred), urls.end());
  return urls;
}

Leaser::Leaser(std::unique_ptr<Store> store, std::chrono::milliseconds pause)
    : pause_(pause), store_(std::move(store)), thread_([this] { run(); }) {}

void Leaser::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

bool Leaser::gets_on() const {
  return wait_until([this, before = leases()] { return leases() > before + 20; });
}

void Leaser::run() {
  Clock::time_point last = Clock::now();
  while (!stopping_) {
    const Result<IdRange> range = store_->lease("order", 3);
    if (!range.ok()) {
      if (says(range.status(), "lost against another transaction")) {
        ++conflicts_;
      } else {
        other_errors_.push_back(range.status());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      continue;
    }
    ranges_.push_back(*range);
    ++leases_;
    const Clock::time_point now = Clock::now();
    longest_gap_ = std::max<std::chrono::duration<double>>(longest_gap_, now - last);
    last = now;
    // No faster, because a returning node would otherwise never catch up on a small machine.
    std::this_thread::sleep_for(pause_);
  }
}

std::vector<std::unique_ptr<Leaser>> leasers_of(const std::vector<std::vector<std::string>>& urls,
                                                std::chrono::milliseconds pause,
                                                const SociStoreOptions& options) {
  std::vector<std::unique_ptr<Leaser>> leasers;
  for (const std::vector<std::string>& each : urls) {
    leasers.push_back(std::make_unique<Leaser>(open_soci_store(each, options).value(), pause));
  }
  return leasers;
}

void check(const std::string& what, const std::vector<std::unique_ptr<Leaser>>& leasers) {
  std::vector<IdRange> ranges;
  for (const auto& leaser : leasers) {
    leaser->stop();
    ranges.insert(ranges.end(), leaser->ranges().begin(), leaser->ranges().end());
    for (const Status& error : leaser->other_errors()) {
      INFO(error);
      CHECK(error.code() == StatusCode::kUnavailable);
    }
    std::cout << what << ": " << leaser->leases() << " leases, " << leaser->conflicts()
              << " conflicts, " << leaser->other_errors().size() << " other errors, longest gap "
              << leaser->longest_gap().count() << " s" << std::endl;
  }
  check_disjoint(std::move(ranges));
}

}  // namespace featherid::test
