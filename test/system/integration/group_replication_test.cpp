// SPDX-License-Identifier: MIT
// MySQL's cluster behind three addresses. One member is writable, and another can replace it.
#include "test/support/group_replication.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/frozen.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/leaser.h"

using namespace featherid;
using namespace featherid::test;

namespace {

constexpr char kMaxOfOrder[] = "SELECT max_id FROM id_segments WHERE biz_tag = 'order'";

// The program's only group. Every test leaves it complete and in single-primary mode.
GroupReplication& group() {
  static GroupReplication group;
  return group;
}

// The first member is the primary, and every tag begins at 1.
void fresh_schema() {
  group().make_primary(0);
  RawSql(GroupReplication::url(0)).run("DROP TABLE IF EXISTS id_segments");
  RawSql(GroupReplication::url(0)).run("DROP TABLE IF EXISTS id_leader");
  REQUIRE(init_soci_schema(GroupReplication::urls(), synchronous()).ok());
  group().await_applied();
}

std::vector<std::unique_ptr<Leaser>> two_leasers() {
  auto leasers = leasers_of({GroupReplication::urls(), urls_from(1, GroupReplication::urls())});
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  return leasers;
}

bool all_get_on(const std::vector<std::unique_ptr<Leaser>>& leasers) {
  return std::all_of(leasers.begin(), leasers.end(),
                     [](const auto& leaser) { return leaser->gets_on(); });
}

struct SeveralPrimaries {
  SeveralPrimaries() { group().set_multi_primary(true); }
  ~SeveralPrimaries() { group().set_multi_primary(false); }
};

// `lose` takes the primary away, `bring_back` makes it a member again.
template <typename Lose, typename BringBack>
void lose_the_primary(const std::string& what, Lose lose, BringBack bring_back) {
  fresh_schema();
  const auto leasers = two_leasers();
  lose();
  REQUIRE(all_get_on(leasers));
  CHECK(group().primary() != 0U);
  bring_back();
  REQUIRE(all_get_on(leasers));
  check("Group Replication, " + what, leasers);
}

// The first member serves alone, with an old row. It must make no lease.
void check_refused(const std::string& user, Failover failover) {
  CAPTURE(user, failover);
  SociStoreOptions options = short_options();
  options.failover = failover;
  const std::string url = GroupReplication::url(0, user);
  const auto alone = open_soci_store(url, options).value();
  for (const Status& refused :
       {lease_one(*alone), alone->find("order").status(), alone->create("new", 1),
        alone->advance("order", 5), alone->give_back("order", {1, 2}).status(),
        init_soci_schema(url, options)}) {
    INFO(refused);
    CHECK(refused.code() == StatusCode::kUnavailable);
    CHECK(says(refused, "START GROUP_REPLICATION"));
    CHECK(says(refused, group().address(0)));
  }
}

}  // namespace

TEST_CASE("Group Replication: a primary that is killed leases nothing when it comes back alone",
          "[group_replication]") {
  fresh_schema();
  group().client(0).tell(
      "CREATE USER IF NOT EXISTS modest@'%'; GRANT SELECT, INSERT, UPDATE ON ids.* TO modest@'%'");
  auto leasers = two_leasers();
  group().stop(0, SIGKILL);
  REQUIRE(all_get_on(leasers));
  group().start_alone(0);
  const long long old_row = RawSql(GroupReplication::url(0)).number(kMaxOfOrder);
  for (const char* const user : {"featherid", "modest"}) {
    for (const Failover failover : {Failover::kSynchronous, Failover::kSkip, Failover::kStop}) {
      check_refused(user, failover);
    }
  }
  CHECK(RawSql(GroupReplication::url(0)).number(kMaxOfOrder) == old_row);
  // A new process with all addresses goes to the others, and running ones stay there.
  leasers.push_back(
      std::make_unique<Leaser>(open_soci_store(GroupReplication::urls(), synchronous()).value(),
                               std::chrono::milliseconds(5)));
  REQUIRE(all_get_on(leasers));
  group().client(0).tell("START GROUP_REPLICATION");
  group().await_online(0);
  REQUIRE(all_get_on(leasers));
  check("Group Replication, the primary killed, and back alone", leasers);
}

TEST_CASE("Group Replication: a primary that is stopped by SIGSTOP", "[group_replication]") {
  std::unique_ptr<Frozen> frozen;
  lose_the_primary(
      "the primary stopped (SIGSTOP)", [&] { frozen = std::make_unique<Frozen>(group().pid(0)); },
      [&] {
        frozen.reset();
        group().await_online(0);
      });
}

TEST_CASE("Group Replication: a primary that is cut off refuses, the others go on",
          "[group_replication]") {
  std::unique_ptr<Store> alone;
  lose_the_primary(
      "the primary cut off",
      [&] {
        alone = open_soci_store(GroupReplication::url(0), synchronous()).value();
        REQUIRE(wait_until([&] { return lease_one(*alone).ok(); }));
        group().isolate(0);
        // Until it notices, a lease waits and none is made.
        CHECK(wait_until([&] {
          const Status status = lease_one(*alone);
          INFO(status);
          REQUIRE(status.code() == StatusCode::kUnavailable);
          return says(status, "START GROUP_REPLICATION");
        }));
      },
      [&] {
        CHECK(lease_one(*alone).code() == StatusCode::kUnavailable);
        group().reconnect(0);
        group().await_online(0);
      });
}

TEST_CASE("Group Replication: a rolling restart of all members under load", "[group_replication]") {
  fresh_schema();
  const auto leasers = two_leasers();
  for (std::size_t member = 0; member < GroupReplication::kMembers; ++member) {
    group().stop(member);
    REQUIRE(all_get_on(leasers));
    group().start(member);
  }
  REQUIRE(all_get_on(leasers));
  check("Group Replication, all members restarted in turn", leasers);
}

TEST_CASE("Group Replication: conflicts of several primaries are one line a minute",
          "[group_replication]") {
  fresh_schema();
  const SeveralPrimaries several;
  constexpr std::chrono::seconds kPatience(30);
  std::mutex mutex;
  std::vector<std::string> lines;  // of the process under test
  const auto note = [&](std::string_view line) {
    const std::lock_guard<std::mutex> lock(mutex);
    lines.emplace_back(line);
  };
  SociStoreOptions patient = synchronous(kPatience);
  auto leasers = leasers_of({GroupReplication::urls(), urls_from(1, GroupReplication::urls())},
                            std::chrono::milliseconds(0), patient);
  for (const auto& leaser : leasers) REQUIRE(leaser->gets_on());
  patient.log = [&](LogLevel, std::string_view line) { note(line); };
  AllocatorOptions options;
  options.wait_timeout = kPatience;
  options.refill_threads = 1;
  options.lease_max_ids = 1500;  // otherwise leases would become rare
  options.log = [&](LogLevel level, std::string_view line) {
    if (level >= LogLevel::kInfo) note(line);
  };
  std::vector<IdRange> taken;
  {
    SegmentAllocator ids(open_soci_store(urls_from(2, GroupReplication::urls()), patient).value(),
                         options);
    const auto take = [&] {
      const auto ranges = ids.next_range("order", 1500);
      INFO(ranges.status());
      REQUIRE(ranges.ok());
      taken.insert(taken.end(), ranges->begin(), ranges->end());
      const std::lock_guard<std::mutex> lock(mutex);
      return !lines.empty();
    };
    CHECK(wait_until(take));  // a lease has lost
    for (int i = 0; i < 30; ++i) take();
  }
  for (const auto& leaser : leasers) {
    leaser->stop();
    CHECK(leaser->other_errors().empty());
    taken.insert(taken.end(), leaser->ranges().begin(), leaser->ranges().end());
  }
  check_disjoint(taken);
  check("Group Replication, three primaries on one tag", leasers);
  for (const std::string& line : lines) UNSCOPED_INFO(line);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("lost against another transaction") != std::string::npos);
}

TEST_CASE("Group Replication: a failover message has the address of the leading server",
          "[group_replication]") {
  fresh_schema();
  std::vector<std::string> lines;
  SociStoreOptions options = short_options();
  options.failover = Failover::kSkip;
  options.log = [&](LogLevel, std::string_view line) { lines.emplace_back(line); };
  const auto store = open_soci_store(GroupReplication::urls(), options).value();
  REQUIRE(store->lease("order", 1).ok());
  group().make_primary(1);
  REQUIRE(wait_until([&] { return store->lease("order", 1).ok(); }));
  const auto failover = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("FAILOVER") != std::string::npos;
  });
  REQUIRE(failover != lines.end());
  INFO(*failover);
  CHECK(failover->find(group().address(1) + ": FAILOVER") != std::string::npos);
  CHECK(failover->find(group().address(0)) == std::string::npos);
}

TEST_CASE("Group Replication: a schema made while the first address lags names its tags",
          "[group_replication]") {
  fresh_schema();
  RawSql(GroupReplication::url(0)).run("DROP TABLE id_segments");
  group().await_applied();
  const auto urls = urls_from(1, GroupReplication::urls());
  std::vector<std::string> made;
  {
    RawSql applies_nothing(urls[0], "FLUSH TABLES WITH READ LOCK");
    REQUIRE(init_soci_schema(urls, synchronous(), &made).ok());
    CHECK(made == std::vector<std::string>{"health", "order", "user"});
    REQUIRE(init_soci_schema(urls, synchronous(), &made).ok());
    CHECK(made.empty());
  }
  group().await_applied();
}
