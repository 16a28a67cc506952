// SPDX-License-Identifier: MIT
// Strict order: what one caller gets, and what many callers get who share each lease.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "test/bench/figures.h"
#include "test/bench/parts.h"
#include "test/support/mariadb_server.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

namespace {

using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr seconds kMeasured{2};
constexpr int kRounds = 3;

// Threads that each take one id after another.
double blocked_ids_per_second(Sequence order, int callers) {
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> ids{0};
  std::vector<std::thread> threads;
  const auto begin = SteadyClock::now();
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&, order]() mutable {
      for (; !done; ++ids) {
        if (!order.next().ok()) throw std::runtime_error("a strict tag gives no id");
      }
    });
  }
  std::this_thread::sleep_for(kMeasured);
  done = true;
  const double counted = static_cast<double>(ids);
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  for (std::thread& thread : threads) thread.join();
  return counted / took.count();
}

// Callbacks that each ask for the next id, as requests to a server do.
double async_ids_per_second(Sequence order, int callers) {
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> ids{0};
  std::atomic<int> left{callers};
  IdsCallback again = [&](const Result<std::vector<IdRange>>& got) {
    if (!got.ok() || done) {
      --left;
      return;
    }
    ++ids;
    order.next_range_async(1, seconds(10), again);
  };
  const auto begin = SteadyClock::now();
  for (int i = 0; i < callers; ++i) order.next_range_async(1, seconds(10), again);
  std::this_thread::sleep_for(kMeasured);
  const bool served = left == callers;
  const double counted = static_cast<double>(ids);
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  done = true;
  while (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (!served) throw std::runtime_error("a strict tag gives no id");
  return counted / took.count();
}

void measure_on(const std::string& name, const std::string& url) {
  if (Status status = init_soci_schema(url); !status.ok()) {
    throw std::runtime_error(status.to_string());
  }
  const std::shared_ptr<Store> store = *open_soci_store(url);
  NewTag tag(1000);
  tag.options.order = TagOrder::kStrict;
  if (!store->create("strict", tag).ok()) throw std::runtime_error("no tag to measure");
  SegmentAllocator ids(store);
  const Sequence order = *ids.sequence("strict");

  std::vector<double> one;
  std::vector<double> many;
  std::vector<double> threads;
  std::vector<double> many_vs_one;
  std::vector<double> threads_vs_one;
  for (int round = 0; round < kRounds; ++round) {
    one.push_back(blocked_ids_per_second(order, 1));
    many.push_back(async_ids_per_second(order, 1000));
    threads.push_back(blocked_ids_per_second(order, 1000));
    many_vs_one.push_back(many.back() / one.back());
    threads_vs_one.push_back(threads.back() / one.back());
  }
  figure("strict." + name + ".callers_1", median(one), "ids/s");
  figure("strict." + name + ".callers_1000", median(many), "ids/s");
  figure("strict." + name + ".callers_1000.vs_1", median(many_vs_one), "x");
  figure("strict." + name + ".threads_1000", median(threads), "ids/s");
  figure("strict." + name + ".threads_1000.vs_1", median(threads_vs_one), "x");
}

}  // namespace

void measure_strict() {
  const test::MariadbServer server;
  measure_on("mariadb", server.url());
  const test::ScratchDir scratch;
  measure_on("sqlite", "sqlite3:" + scratch.file("ids.db"));
}

}  // namespace featherid::bench
