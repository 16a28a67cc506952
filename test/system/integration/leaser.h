// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_INTEGRATION_LEASER_H_
#define FEATHERID_TEST_SYSTEM_INTEGRATION_LEASER_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/system/integration/servers.h"

namespace featherid::test {

// Options for a cluster, where no failover loses a commit.
SociStoreOptions synchronous(std::chrono::seconds call_timeout = short_options().call_timeout);

// `urls`, rotated so that `preferred` comes first.
std::vector<std::string> urls_from(std::size_t preferred, std::vector<std::string> urls);

// A process that leases from one tag repeatedly and keeps its ranges.
class Leaser {
 public:
  Leaser(std::unique_ptr<Store> store, std::chrono::milliseconds pause);
  ~Leaser() { stop(); }
  Leaser(const Leaser&) = delete;
  Leaser& operator=(const Leaser&) = delete;

  void stop();
  int leases() const { return leases_; }
  // Whether it makes progress from now on.
  bool gets_on() const;

  // Once it has stopped:
  const std::vector<IdRange>& ranges() const { return ranges_; }
  int conflicts() const { return conflicts_; }
  const std::vector<Status>& other_errors() const { return other_errors_; }
  std::chrono::duration<double> longest_gap() const { return longest_gap_; }

 private:
  void run();

  const std::chrono::milliseconds pause_;
  const std::unique_ptr<Store> store_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> leases_{0};
  std::vector<IdRange> ranges_;
  int conflicts_ = 0;
  std::vector<Status> other_errors_;
  std::chrono::duration<double> longest_gap_{0};
  std::thread thread_;  // last: it uses the members above
};

// One for each list of addresses.
std::vector<std::unique_ptr<Leaser>> leasers_of(
    const std::vector<std::vector<std::string>>& urls,
    std::chrono::milliseconds pause = std::chrono::milliseconds(5),
    const SociStoreOptions& options = synchronous());

// Stops them. Checks that no id came twice and that all errors can be retried. `what` begins the
// line of figures.
void check(const std::string& what, const std::vector<std::unique_ptr<Leaser>>& leasers);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_INTEGRATION_LEASER_H_
