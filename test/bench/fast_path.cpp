// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "featherid/memory_store.h"
#include "test/bench/alternatives.h"
#include "test/bench/figures.h"
#include "test/bench/parts.h"
#include "test/bench/plot.h"
#include "test/bench/probes.h"

namespace featherid::bench {

namespace {

constexpr std::int64_t kBatch = 1000;           // ids, between two checks of the benchmark's state
constexpr int kRepetitions = 25;                // of each loop, in random order with the others
constexpr double kSecondsPerRepetition = 0.02;  // at least
// Ids; also the lease of the alternatives. At full speed a lease lasts seconds, so the refill is in
// time even if its thread has to wait for a processor.
constexpr std::int64_t kStep = kLeaseIdsMax;
const std::vector<int> kThreads = {1, 2, 4};

// Takes this many ids. False if one did not come.
using Loop = std::function<bool(std::int64_t count)>;

// Nanoseconds per id (wall time / ids of all threads) of every repetition, by loop and threads.
class Costs : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      ns_[{run.run_name.function_name, static_cast<int>(run.threads)}].push_back(
          run.GetAdjustedRealTime());
    }
  }

  double of(const std::string& loop, int threads) const { return median(ns_.at({loop, threads})); }

 private:
  std::map<std::pair<std::string, int>, std::vector<double>> ns_;
};

// Not State::SkipWithError(): the library aborts when it computes the statistics of a repetition
// that was cut short.
[[noreturn]] void give_up(const std::string& name) {
  std::cerr << "featherid_bench_core: " << name << ": an id did not come\n";
  std::_Exit(1);
}

// Each thread of each repetition calls `make_loop` once.
void add(const std::string& name, std::function<Loop()> make_loop) {
  auto* added = benchmark::RegisterBenchmark(
      name.c_str(), [name, make_loop = std::move(make_loop)](benchmark::State& state) {
        const Loop loop = make_loop();
        while (state.KeepRunningBatch(kBatch)) {
          if (!loop(kBatch)) give_up(name);
        }
      });
  added->UseRealTime()->MinTime(kSecondsPerRepetition)->Repetitions(kRepetitions);
  for (const int count : kThreads) added->Threads(count);
}

// One tag that has handed out its first id, and an allocator for it with default options.
struct OneTag {
  OneTag() {
    if (!sequence.next().ok()) throw std::runtime_error("the tag has no ids");
  }

  std::shared_ptr<MemoryStore> store = store_with_tag();
  SegmentAllocator ids{store};
  Sequence sequence = *ids.sequence("order");
  const std::vector<std::string> names = {"order"};

  static std::shared_ptr<MemoryStore> store_with_tag() {
    auto store = std::make_shared<MemoryStore>();
    if (!store->create("order", kStep).ok()) throw std::runtime_error("no tag to measure");
    return store;
  }
};

// Many tags that are in use, and their names in random order.
struct ManyTags {
  explicit ManyTags(int count) {
    for (int i = 0; i < count; ++i) {
      names.push_back("order." + std::to_string(i));
      if (!store->create(names.back(), kStep).ok()) throw std::runtime_error("no tag to measure");
    }
    std::shuffle(names.begin(), names.end(), std::minstd_rand(1));
    bring_into_use(ids, names);
  }

  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  SegmentAllocator ids{store};
  std::vector<std::string> names;
};

// The bare counter, alone on its cache line like a cursor's word.
struct alignas(64) Word {
  std::atomic<std::int64_t> word{0};
};

// The cost of an id in one loop of each kind.
struct Contenders {
  OneTag tag;
  ManyTags tags_100{100};
  ManyTags tags_10000{10000};
  Word bare;
  MutexSegment mutex_segment{*tag.store, "order", kStep};
  MutexPerTag mutex_per_tag{*tag.store, kStep};
  TwoBuffers two_buffers{*tag.store, "order", kStep};

  void add_all();
  void add_by_name(const std::string& name, SegmentAllocator& ids,
                   const std::vector<std::string>& names);
};

template <typename Take>
bool take_ids(std::int64_t count, Take take) {
  for (; count > 0; --count) {
    const Result<std::int64_t> id = take();
    if (!id.ok()) return false;
    keep(*id);
  }
  return true;
}

void Contenders::add_by_name(const std::string& name, SegmentAllocator& ids,
                             const std::vector<std::string>& names) {
  add(name, [&ids, &names]() -> Loop {
    return [&ids, &names, at = std::size_t{0}](std::int64_t count) mutable {
      return probe_next_id(ids, names, at, count);
    };
  });
}

void Contenders::add_all() {
  add("fetch_add", [this]() -> Loop {
    return [this](std::int64_t n) { return probe_fetch_add(bare.word, n); };
  });
  add("next",
      [this]() -> Loop { return [this](std::int64_t n) { return probe_next(tag.sequence, n); }; });
  add("try_next", [this]() -> Loop {
    return [this](std::int64_t n) { return probe_try_next(tag.sequence, n); };
  });
  add("increment", []() -> Loop {
    return [last = std::int64_t{0}](std::int64_t n) mutable { return probe_increment(last, n); };
  });
  add("local_next", [this]() -> Loop {
    // std::function requires a copyable target, and a LocalBlock is not copyable.
    auto block = std::make_shared<LocalBlock>(tag.sequence.local(100000));
    return [block](std::int64_t n) { return probe_local_next(*block, n); };
  });
  add_by_name("next_id", tag.ids, tag.names);
  add_by_name("next_id_100", tags_100.ids, tags_100.names);
  add_by_name("next_id_10000", tags_10000.ids, tags_10000.names);

  add("mutex_segment", [this]() -> Loop {
    return [this](std::int64_t n) { return take_ids(n, [&] { return mutex_segment.next(); }); };
  });
  add("mutex_per_tag", [this]() -> Loop {
    return [this](std::int64_t n) {
      return take_ids(n, [&] { return mutex_per_tag.next_id(tag.names[0]); });
    };
  });
  add("two_buffers", [this]() -> Loop {
    return [this](std::int64_t n) { return take_ids(n, [&] { return two_buffers.next(); }); };
  });
}

std::string by_threads(const std::string& name, int threads) {
  return name + ".threads_" + std::to_string(threads);
}

void print_figures(const Costs& costs) {
  for (const int threads : kThreads) {
    const double floor = costs.of("fetch_add", threads);
    figure(by_threads("next.vs_fetch_add", threads), costs.of("next", threads) / floor, "ratio");
    figure(by_threads("try_next.vs_fetch_add", threads), costs.of("try_next", threads) / floor,
           "ratio");
  }
  for (const int threads : kThreads) {
    figure(by_threads("local_next.vs_increment", threads),
           costs.of("local_next", threads) / costs.of("increment", threads), "ratio");
  }
  figure("next_id.tags_1", costs.of("next_id", 1), "ns");
  for (const int threads : kThreads) {
    figure(by_threads("next_id.tags_100", threads), costs.of("next_id_100", threads), "ns");
    figure(by_threads("next_id.tags_10000", threads), costs.of("next_id_10000", threads), "ns");
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  for (const int threads : kThreads) {
    // The time of one thread, not of all that run side by side.
    const double more = costs.of("next_id", threads) - costs.of("next", threads);
    figure(by_threads("next_id.beyond_next", threads), more * std::min(threads, cores), "ns");
  }
  for (const char* alternative : {"mutex_segment", "mutex_per_tag", "two_buffers"}) {
    for (const int threads : kThreads) {
      figure(by_threads(std::string(alternative) + ".vs_next", threads),
             costs.of(alternative, threads) / costs.of("next", threads), "ratio");
    }
  }
}

void print_costs(const Costs& costs, const std::string& plot_file) {
  const std::pair<const char*, const char*> loops[] = {
      {"increment", "plain increment, not shared"},
      {"local_next", "LocalBlock::next()"},
      {"fetch_add", "bare fetch_add(1)"},
      {"next", "Sequence::next()"},
      {"next_id", "next_id(\"order\")"},
      {"mutex_segment", "mutex around a segment"},
      {"mutex_per_tag", "shared_mutex map, mutex per tag"},
      {"two_buffers", "two buffers, read-write lock"},
  };
  Plot plot("Cost of an id by threads", "threads", "ns per id (wall time / ids of all threads)");
  for (const auto& [loop, title] : loops) {
    std::vector<Plot::Point> points;
    for (const int threads : kThreads) {
      const double ns = costs.of(loop, threads);
      figure(by_threads(std::string("cost.") + loop, threads), ns, "ns");
      points.push_back({static_cast<double>(threads), ns});
    }
    plot.add(title, std::move(points));
  }
  if (!plot_file.empty()) plot.write(plot_file);
}

// Ranges of very different sizes, each in short bursts from memory that holds enough.
void measure_ranges() {
  constexpr int kRounds = 100;
  constexpr std::int64_t kCalls = 200;
  const std::vector<std::int64_t> sizes = {1, 10, 100, 1000, 10000, 100000, 1000000};
  auto store = std::make_shared<MemoryStore>();
  if (!store->create("order", kLeaseIdsMax).ok()) throw std::runtime_error("no tag to measure");
  SegmentAllocator ids(store);
  Sequence sequence = *ids.sequence("order");
  std::map<std::int64_t, std::vector<double>> ns;
  for (int round = 0; round < kRounds; ++round) {
    for (const std::int64_t size : sizes) {
      while (!sequence.next().ok() || ids.stats().front().held_ids < 2 * kCalls * sizes.back()) {
        std::this_thread::yield();
      }
      const auto start = std::chrono::steady_clock::now();
      if (!probe_next_range(sequence, size, kCalls)) throw std::runtime_error("a range is missing");
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      ns[size].push_back(took.count() / kCalls);
    }
  }
  figure("cost.next_range.n_1", median(ns[1]), "ns");
  for (const std::int64_t size : sizes) {
    if (size == 1) continue;
    figure("next_range.vs_n_1.n_" + std::to_string(size), median(ns[size]) / median(ns[1]),
           "ratio");
  }
}

}  // namespace

void measure_fast_path(const std::string& plot_file) {
  Contenders contenders;
  contenders.add_all();
  char program[] = "featherid_bench_core";
  char interleaving[] = "--benchmark_enable_random_interleaving=true";
  char* argv[] = {program, interleaving, nullptr};
  int argc = 2;
  benchmark::Initialize(&argc, argv);
  Costs costs;
  benchmark::RunSpecifiedBenchmarks(&costs);
  print_figures(costs);
  print_costs(costs, plot_file);
  measure_ranges();
}

}  // namespace featherid::bench
