// SPDX-License-Identifier: MIT
// A cluster of three nodes behind three addresses: what one node commits all have, so that any of
// them may go.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/integration/servers.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

using namespace featherid;
using namespace featherid::test;

namespace {

using Clock = std::chrono::steady_clock;

SociStoreOptions synchronous(std::chrono::seconds call_timeout = short_options().call_timeout) {
  SociStoreOptions options;
  options.call_timeout = call_timeout;
  options.failover = Failover::kSynchronous;
  return options;
}

// All addresses, `preferred` first.
std::vector<std::string> urls_from(std::size_t preferred) {
  std::vector<std::string> urls = galera().urls();
  std::rotate(urls.begin(), urls.begin() + static_cast<std::ptrdiff_t>(preferred), urls.end());
  return urls;
}

void fresh_schema() {
  for (const char* table : {"id_segments", "id_leader", "id_mark"}) {
    RawSql(galera().url(0)).run("DROP TABLE IF EXISTS " + std::string(table));
  }
  REQUIRE(init_soci_schema(galera().urls(), synchronous()).ok());
  galera().await_applied();  // or another node would still say that there is no such table
}

// How many sessions of stores there are at a node.
long long sessions_at(std::size_t node) {
  return RawSql(galera().url(node))
      .number(
          "SELECT count(*) FROM information_schema.processlist "
          "WHERE user = 'featherid' AND id <> CONNECTION_ID()");
}

// A process that leases from one tag again and again, and keeps what it got.
class Leaser {
 public:
  Leaser(const std::vector<std::string>& urls, std::chrono::milliseconds pause,
         const SociStoreOptions& options)
      : pause_(pause), store_(open_soci_store(urls, options).value()), thread_([this] { run(); }) {}
  ~Leaser() { stop(); }

  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int leases() const { return leases_; }
  // Whether it gets on, from now on.
  bool gets_on() const {
    return wait_until([this, before = leases()] { return leases() > before + 20; });
  }

  // Once it has stopped:
  const std::vector<IdRange>& ranges() const { return ranges_; }
  int conflicts() const { return conflicts_; }
  const std::vector<Status>& other_errors() const { return other_errors_; }
  std::chrono::duration<double> longest_gap() const { return longest_gap_; }

 private:
  void run() {
    Clock::time_point last = Clock::now();
    while (!stopping_) {
      const Result<IdRange> range = store_->lease("order", 3);
      if (!range.ok()) {
        if (says(range.status(), "1213")) {
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
      // No faster, or a node that was away would never catch up on a small machine.
      std::this_thread::sleep_for(pause_);
    }
  }

  const std::chrono::milliseconds pause_;
  const std::unique_ptr<SegmentStore> store_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> leases_{0};
  std::vector<IdRange> ranges_;
  int conflicts_ = 0;
  std::vector<Status> other_errors_;
  std::chrono::duration<double> longest_gap_{0};
  std::thread thread_;  // last: it uses what stands above
};

// Stops them; no id twice, all errors are ones to try again after.
void check(const char* what, const std::vector<std::unique_ptr<Leaser>>& leasers) {
  std::vector<IdRange> ranges;
  for (const auto& leaser : leasers) {
    leaser->stop();
    ranges.insert(ranges.end(), leaser->ranges().begin(), leaser->ranges().end());
    for (const Status& error : leaser->other_errors()) {
      INFO(error);
      CHECK(error.code() == StatusCode::kUnavailable);
    }
    std::cout << "Galera, " << what << ": " << leaser->leases() << " leases, "
              << leaser->conflicts() << " conflicts, " << leaser->other_errors().size()
              << " other errors, longest gap " << leaser->longest_gap().count() << " s"
              << std::endl;
  }
  check_disjoint(std::move(ranges));
}

std::vector<std::unique_ptr<Leaser>> leasers_preferring(
    const std::vector<std::size_t>& nodes,
    std::chrono::milliseconds pause = std::chrono::milliseconds(5),
    const SociStoreOptions& options = synchronous()) {
  std::vector<std::unique_ptr<Leaser>> leasers;
  for (const std::size_t node : nodes)
    leasers.push_back(std::make_unique<Leaser>(urls_from(node), pause, options));
  return leasers;
}

}  // namespace

TEST_CASE("Galera: writers at two nodes lose against one another, and no id comes twice",
          "[galera]") {
  fresh_schema();
  // Nothing is to fail but what loses: a slow disk is no error here.
  constexpr std::chrono::seconds kPatience(30);
  const SociStoreOptions patient = synchronous(kPatience);
  auto leasers = leasers_preferring({0, 1, 2}, std::chrono::milliseconds(0), patient);
  for (const auto& leaser : leasers) {
    REQUIRE(wait_until([&] { return leaser->leases() >= 300; }));
  }
  // Through it all, callers see none of it: a lease that lost is tried again.
  AllocatorOptions options;
  options.wait_timeout = kPatience;
  SegmentAllocator ids(open_soci_store(urls_from(1), patient).value(), options);
  std::vector<IdRange> taken;
  for (int i = 0; i < 20; ++i) {
    const auto ranges = ids.next_range("order", 1500);  // more than a step: each takes a lease
    INFO(ranges.status());
    REQUIRE(ranges.ok());
    taken.insert(taken.end(), ranges->begin(), ranges->end());
  }
  for (const auto& leaser : leasers) {
    leaser->stop();
    CHECK(leaser->other_errors().empty());
    taken.insert(taken.end(), leaser->ranges().begin(), leaser->ranges().end());
  }
  check_disjoint(taken);
  check("three writers on one tag", leasers);
}

TEST_CASE("Galera: a node that is killed is left, and used again once it is back", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 0});
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(sessions_at(0) > 0);
  CHECK(sessions_at(1) == 0);
  galera().stop(0, SIGKILL);
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(sessions_at(1) > 0);
  // It lost where it was: one of the others is its donor, which cannot be written meanwhile.
  galera().start(0);
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(wait_until([] { return sessions_at(0) > 0 && sessions_at(1) == 0; }));
  check("a node killed, and back by a whole state transfer", leasers);
}

TEST_CASE("Galera: a minority refuses, the others go on", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 1});
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  const auto alone = open_soci_store(galera().url(0), synchronous()).value();
  REQUIRE(wait_until([&] { return lease_one(*alone).ok(); }));  // it may lose to the others
  galera().isolate(0);
  // Until the nodes have noticed, a lease at any of them waits; none is made at the minority.
  Status status;
  REQUIRE(wait_until([&] {
    status = lease_one(*alone);
    REQUIRE(status.code() == StatusCode::kUnavailable);
    return says(status, "1047");
  }));
  CHECK(says(status, "no connection; see that the server runs"));
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  CHECK(lease_one(*alone).code() == StatusCode::kUnavailable);
  galera().rejoin(0);
  galera().await_synced(0);
  CHECK(wait_until([&] { return lease_one(*alone).ok(); }));
  CHECK(wait_until([] { return sessions_at(0) > 1; }));
  check("a node cut off, and back", leasers);
}

TEST_CASE("Galera: a rolling restart of all nodes under load", "[galera]") {
  fresh_schema();
  auto leasers = leasers_preferring({0, 0});
  for (std::size_t node = 0; node < GaleraCluster::kNodes; ++node) {
    for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
    galera().stop(node);
    for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
    galera().start(node);
  }
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  check("all nodes restarted in turn", leasers);
  // Each node was given the mark of the others in time: none of it is a crash of the cluster.
  const auto fresh = open_soci_store(urls_from(2), synchronous()).value();
  CHECK(wait_until([&] { return lease_one(*fresh).ok(); }));
  CHECK(RawSql(galera().url(0)).number("SELECT term >> 32 FROM id_leader") == 1);
  CHECK(RawSql(galera().url(0)).number("SELECT max(max_id) FROM id_segments") < 100000000);
}
