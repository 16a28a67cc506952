// SPDX-License-Identifier: MIT
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "test/bench/figures.h"
#include "test/bench/parts.h"
#include "test/bench/probes.h"
#include "test/support/mariadb_server.h"
#include "test/support/raw_sql.h"

namespace featherid::bench {

namespace {

constexpr int kTags = 10000;

std::vector<std::string> tag_names() {
  std::vector<std::string> names;
  for (int i = 0; i < kTags; ++i) names.push_back("order." + std::to_string(i));
  return names;
}

double heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double threads() {
  return static_cast<double>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Calls visit(name) for every name, divided among this many threads. Throws if one returns false.
template <typename Visit>
void for_each_name(const std::vector<std::string>& names, int thread_count, Visit visit) {
  std::atomic<std::size_t> next{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < names.size(); at = next++) {
        if (!visit(names[at])) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failures > 0) throw std::runtime_error(std::to_string(failures) + " tags gave no id");
}

// The URL of a fresh table with kTags rows.
std::string fill_table(const test::MariadbServer& server, const std::vector<std::string>& names) {
  std::string url = server.url();
  if (Status status = init_soci_schema(url); !status.ok()) {
    throw std::runtime_error(status.to_string());
  }
  std::string rows;
  for (const std::string& name : names) {
    rows += (rows.empty() ? "" : ",") + std::string("('") + name + "')";
  }
  test::RawSql(url).run("INSERT INTO id_segments (biz_tag) VALUES " + rows);
  return url;
}

}  // namespace

void measure_tags() {
  const std::vector<std::string> names = tag_names();
  auto store = std::make_shared<MemoryStore>();
  for (const std::string& name : names) {
    if (!store->create(name, 1000).ok()) throw std::runtime_error("no tag to measure");
  }
  SegmentAllocator ids(store);
  bring_into_use(ids, {names.front()});
  const double bytes_before = heap_bytes();
  const double threads_before = threads();
  bring_into_use(ids, names);
  double name_bytes = 0;
  for (const std::string& name : names) name_bytes += static_cast<double>(name.size());
  figure("tags_10000.bytes_per_tag", (heap_bytes() - bytes_before - name_bytes) / kTags, "bytes");
  figure("tags_10000.threads_more", threads() - threads_before, "threads");
}

void measure_start() {
  constexpr int kCallers = 32;  // threads of an application that starts
  const AllocatorOptions options;
  const std::vector<std::string> names = tag_names();
  const test::MariadbServer server;
  const std::shared_ptr<Store> store = *open_soci_store(fill_table(server, names));

  // The store's time for the same rows, read and leased by the same number of threads. The first
  // round only warms the server up.
  double store_seconds = 0;
  for (int round = 0; round < 2; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for_each_name(names, options.refill_threads, [&](const std::string& name) {
      return store->find(name).ok() && store->lease(name, 1000).ok();
    });
    store_seconds = seconds_since(begin);
  }

  const auto begin = std::chrono::steady_clock::now();
  SegmentAllocator ids(store, options);
  for_each_name(names, kCallers, [&](const std::string& name) { return ids.next_id(name).ok(); });
  const double start_seconds = seconds_since(begin);

  figure("start_10000.seconds", start_seconds, "s");
  figure("start_10000.vs_store", start_seconds / store_seconds, "ratio");
}

}  // namespace featherid::bench
