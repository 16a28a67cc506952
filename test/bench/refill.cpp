// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "featherid/segment_allocator.h"
#include "test/bench/alternatives.h"
#include "test/bench/figures.h"
#include "test/bench/latencies.h"
#include "test/bench/parts.h"
#include "test/bench/probes.h"
#include "test/support/fault_store.h"

namespace featherid::bench {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

// The shortest allowed hold has the smallest stock, so it is the hardest for the refill.
constexpr seconds kHold{1};
constexpr std::int64_t kStep = 1000;
// From the first id to a lease that fits the burn. A lease doubles from kStep with each answer.
constexpr seconds kWarmUp{4};
constexpr seconds kMeasured{4};

// A store whose answers each take `latency`.
std::shared_ptr<test::FaultStore> late_store(milliseconds latency) {
  auto store = std::make_shared<test::FaultStore>();
  if (!store->create("order", kStep).ok()) throw std::runtime_error("no tag to measure");
  store->on_lease = [latency, memory = &store->memory()](std::string_view tag, std::int64_t count) {
    std::this_thread::sleep_for(latency);
    return memory->lease(tag, count);
  };
  store->on_find = [latency, memory = &store->memory()](std::string_view tag) {
    std::this_thread::sleep_for(latency);
    return memory->find(tag);
  };
  return store;
}

// One thread that takes ids at a steady rate, in bursts 10 µs apart, and times each id. It does not
// make up for ids that it misses during a stall or a wait, so the rate stays the same.
template <typename Take>
Latencies burn(std::int64_t ids_per_second, SteadyClock::duration duration, Take take) {
  constexpr microseconds kSlot{10};
  const std::int64_t ids_per_slot = ids_per_second * kSlot.count() / 1000000;
  Latencies latencies;
  auto slot = SteadyClock::now();
  const auto end = slot + duration;
  while (slot < end) {
    auto before = SteadyClock::now();
    for (std::int64_t i = 0; i < ids_per_slot; ++i) {
      const Result<std::int64_t> id = take();
      if (!id.ok()) throw std::runtime_error("the burn stopped: " + id.status().to_string());
      keep(*id);
      const auto after = SteadyClock::now();
      latencies.add(nanoseconds(after - before).count());
      before = after;
    }
    slot = std::max(slot + kSlot, before);
    while (SteadyClock::now() < slot) {
    }
  }
  return latencies;
}

// The fewest and the most ids that a tag holds, sampled every few milliseconds while it lives.
class HeldIds {
 public:
  explicit HeldIds(const SegmentAllocator& ids) : ids_(ids), watcher_([this] { watch(); }) {}
  ~HeldIds() {
    done_ = true;
    watcher_.join();
  }
  HeldIds(const HeldIds&) = delete;
  HeldIds& operator=(const HeldIds&) = delete;

  double least() const { return static_cast<double>(least_.load()); }
  double most() const { return static_cast<double>(most_.load()); }

 private:
  void watch() {
    while (!done_) {
      for (const TagStats& tag : ids_.stats()) {
        least_ = std::min<std::int64_t>(least_, tag.held_ids);
        most_ = std::max<std::int64_t>(most_, tag.held_ids);
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
  }

  const SegmentAllocator& ids_;
  std::atomic<std::int64_t> least_{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> most_{0};
  std::atomic<bool> done_{false};
  std::thread watcher_;
};

void print_latencies(const std::string& name, const Latencies& latencies) {
  figure(name + ".p50", latencies.quantile_ns(0.5), "ns");
  figure(name + ".p99_9", latencies.quantile_ns(0.999), "ns");
  figure(name + ".p99_99", latencies.quantile_ns(0.9999), "ns");
  figure(name + ".max", latencies.max_ns(), "ns");
}

AllocatorOptions options() {
  AllocatorOptions options;
  options.hold = kHold;
  return options;
}

std::string burn_name(std::int64_t ids_per_second, milliseconds latency) {
  return "burn." + std::to_string(ids_per_second / 1000000) + "M." +
         std::to_string(latency.count()) + "ms";
}

void measure_burn(std::int64_t ids_per_second, milliseconds latency) {
  SegmentAllocator ids(late_store(latency), options());
  Sequence sequence = *ids.sequence("order");
  const auto take = [&] { return sequence.next(); };
  burn(ids_per_second, kWarmUp, take);

  const TagStats before = ids.stats().front();
  const HeldIds held(ids);
  const Latencies latencies = burn(ids_per_second, kMeasured, take);
  const TagStats after = ids.stats().front();

  const std::string name = burn_name(ids_per_second, latency);
  const double burned_in_hold =
      static_cast<double>(latencies.count()) * (kHold / std::chrono::duration<double>(kMeasured));
  const auto leases = static_cast<double>(after.leases - before.leases);
  figure(name + ".waits", static_cast<double>(after.waits - before.waits), "calls");
  figure(name + ".leases", leases / static_cast<double>(kMeasured.count()), "leases/s");
  figure(name + ".leases_per_half_hold",
         leases * (kHold / std::chrono::duration<double>(kMeasured)) / 2, "leases");
  figure(name + ".held_least", held.least() / burned_in_hold, "holds");
  figure(name + ".held_most", held.most() / burned_in_hold, "holds");
  figure(name + ".rate", burned_in_hold / static_cast<double>(kHold.count()) / 1e6, "Mids/s");
  print_latencies(name, latencies);
}

// The machine's effect on a loop that waits for nothing. A reader subtracts it from the other
// figures.
void measure_bare_burn(std::int64_t ids_per_second) {
  std::atomic<std::int64_t> word{0};
  const Latencies latencies =
      burn(ids_per_second, kMeasured, [&]() -> Result<std::int64_t> { return word.fetch_add(1); });
  print_latencies("burn." + std::to_string(ids_per_second / 1000000) + "M.bare", latencies);
}

// The alternatives lease one hold at a time, as FeatherID's policy tends to do.
template <typename Take>
void measure_alternative(const std::string& name, Take take) {
  burn(1000000, seconds(1), take);
  print_latencies("burn.1M.5ms." + name, burn(1000000, kMeasured, take));
}

void measure_alternatives() {
  constexpr std::int64_t kLease = 1000000 * kHold.count();
  const auto store = late_store(milliseconds(5));
  const std::string tag = "order";
  MutexSegment segment(*store, tag, kLease);
  measure_alternative("mutex_segment", [&] { return segment.next(); });
  MutexPerTag segments(*store, kLease);
  measure_alternative("mutex_per_tag", [&] { return segments.next_id(tag); });
  TwoBuffers buffers(*store, tag, kLease);
  measure_alternative("two_buffers", [&] { return buffers.next(); });
}

// From idle to a full burn of `duration` and back to idle. The most ids held, in holds of that
// burn.
void measure_step(const std::string& name, SteadyClock::duration duration) {
  constexpr std::int64_t kIdsPerSecond = 1000000;
  SegmentAllocator ids(late_store(milliseconds(5)), options());
  Sequence sequence = *ids.sequence("order");
  if (!sequence.next().ok()) throw std::runtime_error("no first id");
  std::this_thread::sleep_for(kHold);
  const HeldIds held(ids);
  burn(kIdsPerSecond, duration, [&] { return sequence.next(); });
  std::this_thread::sleep_for(kHold);
  figure(name + ".held_most", held.most() / static_cast<double>(kIdsPerSecond * kHold.count()),
         "holds");
}

}  // namespace

void measure_refill() {
  for (const std::int64_t ids_per_second : {1000000, 10000000}) {
    measure_bare_burn(ids_per_second);
    for (const int latency_ms : {1, 5, 50}) measure_burn(ids_per_second, milliseconds(latency_ms));
  }
  measure_alternatives();
  measure_step("step.full", 4 * kHold);
  measure_step("step.spike", milliseconds(kHold) / 10);
}

}  // namespace featherid::bench
