// SPDX-License-Identifier: MIT
// A real midnight: tags whose offset from UTC makes the end of the present minute one.
#include "test/support/midnight.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "featherid/segment_allocator.h"
#include "lib/segment/period_stock.h"
#include "lib/store/time_floor_rules.h"
#include "test/support/scratch_dir.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

// Days that end with the present minute, of which more than `left` is left.
PeriodRule days_that_end_soon(milliseconds left) {
  for (;;) {
    const auto now = system_time().time_since_epoch();
    const milliseconds rest = minutes(1) - (now - std::chrono::floor<minutes>(now));
    if (rest > left) break;
    std::this_thread::sleep_for(rest + milliseconds(10));
  }
  return days_that_end_with_minute(system_time());
}

NewTag daily(const PeriodRule& rule) {
  NewTag tag(100);
  tag.options.period = rule;
  return tag;
}

// What several processes got.
struct Got {
  void add(const PeriodId& id, const PeriodRule& rule, WallTime before, WallTime after,
           milliseconds waited) {
    const std::lock_guard<std::mutex> lock(mutex);
    twice += !ids.emplace(id.period.number(), id.id).second;
    early += after < begin_of(rule, id.period);
    late += before > end_of(rule, id.period) + PeriodStock::kLateMax;
    longest = std::max(longest, waited);
  }
  std::mutex mutex;
  std::set<std::pair<int, std::int64_t>> ids;
  int twice = 0;
  int early = 0;
  int late = 0;
  int failed = 0;
  milliseconds longest{0};
};

// One process, whose clock differs from the database's: takes ids until `end`.
void use(const std::string& url, milliseconds clock_ahead, const PeriodRule& rule, WallTime end,
         Got* got) {
  SociStoreOptions options;
  options.clock = [clock_ahead] { return system_time() + clock_ahead; };
  std::shared_ptr<Store> store = *open_soci_store(url, options);
  SegmentAllocator ids(store);
  Result<Sequence> sequence = ids.sequence("daily");
  bool first = true;
  while (system_time() < end) {
    const WallTime before = system_time();
    const Result<PeriodId> id = sequence->next_in_period();
    const WallTime after = system_time();
    if (id.ok()) {
      got->add(*id, rule, before, after, first ? milliseconds(0) : after - before);
      first = false;
    } else {
      const std::lock_guard<std::mutex> lock(got->mutex);
      std::cerr << id.status() << "\n";
      ++got->failed;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
}

}  // namespace

TEST_CASE("processes with clocks minutes apart agree on midnight, and none of them waits",
          "[period][midnight]") {
  const std::string urls[] = {mariadb().url(), postgresql().url()};
  for (const std::string& url : urls) REQUIRE(init_soci_schema(url).ok());
  const PeriodRule rule = days_that_end_soon(seconds(5));
  const Period before = period_at(rule, system_time());
  const WallTime end = end_of(rule, before) + seconds(3);
  Got got[2];
  std::vector<std::thread> processes;
  for (int i = 0; i < 2; ++i) {
    REQUIRE((*open_soci_store(urls[i]))->create("daily", daily(rule)).ok());
    for (const minutes ahead : {minutes(-10), minutes(0), minutes(10)}) {
      processes.emplace_back([&, i, ahead] { use(urls[i], ahead, rule, end, &got[i]); });
    }
  }
  for (std::thread& process : processes) process.join();
  for (const Got& each : got) {
    CHECK(each.failed == 0);
    CHECK(each.twice == 0);
    CHECK(each.early == 0);
    CHECK(each.late == 0);
    int days[2] = {0, 0};
    for (const auto& [number, id] : each.ids) ++days[number == before.number() ? 0 : 1];
    CHECK(days[0] > 100);
    CHECK(days[1] > 100);
    CHECK(each.ids.count({next_period(before).number(), 1}) == 1);
    // Far less than a lease from a busy machine may take, were there one at midnight.
    WARN("ids before and after midnight: " << days[0] << ", " << days[1] << "; the longest call: "
                                           << each.longest.count() << " ms");
  }
}

// The process is stopped 1 s before midnight and continues 3 s after it.
TEST_CASE("a process that is stopped over midnight returns no id of the old day after it",
          "[period][midnight]") {
  const ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  const PeriodRule rule = days_that_end_soon(seconds(4));
  const WallTime midnight = end_of(rule, period_at(rule, system_time()));
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::shared_ptr<Store> store = *open_soci_store(url);
    if (!store->create("daily", daily(rule)).ok()) _exit(101);
    SegmentAllocator ids(store);
    Result<Sequence> sequence = ids.sequence("daily");
    int late = 0;  // the stop may fall between a call's return and the look at the clock, once
    int failed = 0;
    bool next_day = false;
    // A busy machine may need longer for the first id of the new day.
    const auto ends = [&] {
      return system_time() >= midnight + (next_day ? seconds(5) : seconds(60));
    };
    while (!ends()) {
      const Result<PeriodId> id = sequence->next_in_period();
      // The call that was stopped has passed its deadline.
      if (!id.ok() && ++failed > 1) _exit(102);
      if (!id.ok()) continue;
      late += system_time() > end_of(rule, id->period) + PeriodStock::kLateMax;
      next_day = begin_of(rule, id->period) == midnight;
    }
    _exit(next_day ? late : 103);
  }
  std::this_thread::sleep_for(midnight - system_time() - seconds(1));
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  std::this_thread::sleep_for(seconds(4));
  REQUIRE(::kill(pid, SIGCONT) == 0);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) <= 1);
}
