// SPDX-License-Identifier: MIT
// featherid_stress_ids [--ids N] [--seed S]   takes N ids on real threads, in every way that the
// API offers, and checks each against all others.
//
// Several allocators, like processes, share a store that sometimes fails or is late. Each is
// repeatedly shut down, gives its tail back and is created again, half of the time while its
// threads use it. Each thread keeps its ids as one bit each in its own sets, which are compared at
// the end.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/version.h"
#include "test/proof/stress/id_set.h"
#include "test/support/fault_store.h"

namespace featherid::stress {

namespace {

constexpr int kProcesses = 3;
constexpr int kThreads = 3;  // of each process
constexpr int kRuns = 20;    // of each process
constexpr const char* kTags[] = {"order", "user", "a-tag-with-a-longer-name"};
constexpr std::size_t kTagCount = std::size(kTags);

// Many threads draw from it, so which thread draws what is not repeatable.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t roll(std::uint64_t sides) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return random_() % sides;
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 random_;
};

std::shared_ptr<test::FaultStore> faulty_store(Dice& dice) {
  auto store = std::make_shared<test::FaultStore>();
  for (const char* const tag : kTags) {
    if (!store->create(tag, 1000).ok()) std::abort();
  }
  MemoryStore* const memory = &store->memory();
  store->on_lease = [&dice, memory](std::string_view tag, std::int64_t count) -> Result<IdRange> {
    const std::uint64_t roll = dice.roll(100);
    if (roll < 5) return Status(StatusCode::kUnavailable, "failed before the commit");
    Result<IdRange> range = memory->lease(tag, count);
    if (roll < 10) return Status(StatusCode::kUnavailable, "failed after the commit");
    if (roll < 12) throw std::runtime_error("threw after the commit");
    if (roll < 16) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return range;
  };
  store->on_give_back = [&dice, memory](std::string_view tag, IdRange tail) -> Result<bool> {
    const std::uint64_t roll = dice.roll(100);
    if (roll < 5) return Status(StatusCode::kUnavailable, "failed before the commit");
    Result<bool> given = memory->give_back(tag, tail);
    if (roll < 10) return Status(StatusCode::kUnavailable, "failed after the commit");
    return given;
  };
  return store;
}

// One thread of one process, over all runs of the process.
class Worker {
 public:
  explicit Worker(std::uint64_t seed) : random_(seed) {}

  // Takes at least `ids` ids, or as many as it gets until the allocator is shut down.
  void run(SegmentAllocator& allocator, std::int64_t ids) {
    const std::int64_t goal = received_ + ids;
    std::vector<Sequence> sequences;
    for (const char* const tag : kTags) {
      Result<Sequence> sequence = allocator.sequence(tag);
      if (!sequence.ok()) return;
      sequences.push_back(*std::move(sequence));
    }
    for (std::int64_t& last : last_) last = 0;  // this is another process
    for (open_ = true; open_ && received_ < goal;) {
      const std::size_t tag = random_() % kTagCount;
      take(allocator, sequences[tag], tag);
    }
  }

  std::int64_t received() const { return received_; }
  std::int64_t disorders() const { return disorders_; }
  std::int64_t wrong_sizes() const { return wrong_sizes_; }
  const IdSet& got(std::size_t tag) const { return got_[tag]; }

 private:
  // Takes ids in one way for a while.
  void take(SegmentAllocator& allocator, Sequence& sequence, std::size_t tag) {
    switch (random_() % 10) {
      case 0:
        return repeat(tag, 500, [&] { return allocator.next_id(kTags[tag]); });
      case 1:
        return repeat(tag, 500, [&] { return allocator.try_next_id(kTags[tag]); });
      case 2:
        return repeat(tag, 1000, [&] { return sequence.try_next(); });
      case 3:
        return note(tag, sequence.next_range(1 + static_cast<std::int64_t>(random_() % 2000)));
      case 4:
        return note(tag, allocator.try_next_range(kTags[tag], 100));
      case 5:
        return note_consecutive(tag, 1 + static_cast<std::int64_t>(random_() % 2000),
                                [&](auto n) { return sequence.next_consecutive(n); });
      case 6:
        return note_consecutive(tag, 1 + static_cast<std::int64_t>(random_() % 300),
                                [&](auto n) { return sequence.try_next_consecutive(n); });
      case 7: {
        const std::int64_t last = last_[tag];
        LocalBlock block = sequence.local(1 + static_cast<std::int64_t>(random_() % 300));
        repeat(tag, 1000, [&] { return block.next(); });
        last_[tag] = last;  // blocks keep no order with other ids
        return;
      }
      default:
        return repeat(tag, 4000, [&] { return sequence.next(); });
    }
  }

  template <typename Next>
  void repeat(std::size_t tag, int times, Next next) {
    for (int i = 0; i < times && open_; ++i) {
      const Result<std::int64_t> id = next();
      if (id.ok()) add(tag, {*id, *id + 1});
      if (!id.ok()) heed(id.status());
    }
  }

  void note(std::size_t tag, const Result<std::vector<IdRange>>& ranges) {
    if (!ranges.ok()) return heed(ranges.status());
    for (const IdRange range : *ranges) add(tag, range);
  }

  template <typename Next>
  void note_consecutive(std::size_t tag, std::int64_t count_ids, Next next) {
    const Result<IdRange> range = next(count_ids);
    if (!range.ok()) return heed(range.status());
    if (range->size() != count_ids) ++wrong_sizes_;
    add(tag, *range);
  }

  void add(std::size_t tag, IdRange range) {
    if (range.first <= last_[tag]) ++disorders_;
    last_[tag] = range.last();
    got_[tag].add(range);
    received_ += range.size();
  }

  void heed(const Status& status) {
    open_ = status.code() != StatusCode::kFailedPrecondition;
    if (status.code() == StatusCode::kUnavailable) std::this_thread::yield();
  }

  std::minstd_rand random_;
  bool open_ = true;
  std::int64_t received_ = 0;
  std::int64_t disorders_ = 0;
  std::int64_t wrong_sizes_ = 0;  // of consecutive ids
  std::int64_t last_[kTagCount] = {};
  IdSet got_[kTagCount];
};

using Workers = std::vector<std::unique_ptr<Worker>>;

// A process that starts and shuts down kRuns times.
void run_process(const std::shared_ptr<Store>& store, Worker* const* workers, std::int64_t ids,
                 std::atomic<std::int64_t>& returned_ids) {
  const std::int64_t share = ids / (kRuns * kThreads) + 1;
  for (int run = 0; run < kRuns; ++run) {
    AllocatorOptions options;
    options.hold = std::chrono::seconds(1);
    options.lease_max_ids = 300000;
    options.backoff_min = options.backoff_max = std::chrono::milliseconds(1);
    SegmentAllocator allocator(store, options);
    std::atomic<int> running{kThreads};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      // The last run makes up for what earlier ones did not finish.
      const std::int64_t due = share * (run + 1) - workers[t]->received();
      threads.emplace_back([&, t, due] {
        workers[t]->run(allocator, std::max<std::int64_t>(0, due));
        --running;
      });
    }
    const bool early = run % 2 == 0;  // while threads still use it
    while (running > (early ? kThreads - 1 : 0)) {
      static_cast<void>(allocator.stats());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    returned_ids += allocator.shutdown();
    for (std::thread& thread : threads) thread.join();
  }
}

// Prints how many ids came more than once, and who got the first of them.
std::int64_t count_duplicates(const Workers& workers) {
  std::int64_t duplicates = 0;
  for (std::size_t tag = 0; tag < kTagCount; ++tag) {
    IdSet all;
    std::int64_t received_of_sets = 0;
    for (std::size_t w = 0; w < workers.size(); ++w) {
      const std::int64_t common = all.merge(workers[w]->got(tag));
      received_of_sets += workers[w]->got(tag).size();
      for (std::size_t v = 0; common != 0 && v < w; ++v) {
        if (!workers[v]->got(tag).contains(common)) continue;
        std::cout << "DUPLICATE: id " << common << " of tag " << kTags[tag] << " went to thread "
                  << v % kThreads << " of process " << v / kThreads << " and to thread "
                  << w % kThreads << " of process " << w / kThreads << std::endl;
      }
    }
    duplicates += received_of_sets - all.size();
  }
  // And ids that one thread got twice.
  for (const auto& worker : workers) {
    duplicates += worker->received();
    for (std::size_t tag = 0; tag < kTagCount; ++tag) duplicates -= worker->got(tag).size();
  }
  return duplicates;
}

int run(std::int64_t ids, std::uint64_t seed) {
  std::cout << "featherid_stress_ids " << FEATHERID_VERSION << " --ids " << ids << " --seed "
            << seed << ": " << kProcesses << " allocators x " << kThreads << " threads x "
            << kTagCount << " tags x " << kRuns << " runs" << std::endl;
  Dice dice(seed);
  auto store = faulty_store(dice);
  Workers workers;
  std::vector<Worker*> pointers;
  for (int w = 0; w < kProcesses * kThreads; ++w) {
    workers.push_back(std::make_unique<Worker>(dice.roll(UINT64_MAX)));
    pointers.push_back(workers.back().get());
  }
  std::atomic<std::int64_t> returned_ids{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> processes;
  for (int p = 0; p < kProcesses; ++p) {
    processes.emplace_back([&, p] {
      run_process(store, &pointers[static_cast<std::size_t>(p) * kThreads], ids / kProcesses + 1,
                  returned_ids);
    });
  }
  for (std::thread& process : processes) process.join();
  const double elapsed_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  std::int64_t received = 0;
  std::int64_t disorders = 0;
  std::int64_t wrong_sizes = 0;
  for (const auto& worker : workers) {
    received += worker->received();
    disorders += worker->disorders();
    wrong_sizes += worker->wrong_sizes();
  }
  const std::int64_t duplicates = count_duplicates(workers);
  std::cout << received << " ids checked, " << duplicates << " duplicates, " << disorders
            << " out of order, " << wrong_sizes << " consecutive ranges of another size, "
            << static_cast<double>(received) / elapsed_seconds / 1e6 << "M ids/s, "
            << store->leases() << " leases, " << returned_ids << " ids given back" << std::endl;
  return duplicates + disorders + wrong_sizes == 0 && received >= ids ? 0 : 1;
}

}  // namespace

}  // namespace featherid::stress

int main(int argc, char** argv) {
  std::int64_t ids = 100000000;
  std::uint64_t seed = std::random_device()();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--ids") {
      ids = std::strtoll(argv[i + 1], nullptr, 10);
    } else if (name == "--seed") {
      seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      std::cerr << "featherid_stress_ids: unknown flag " << name << "; use --ids N --seed S\n";
      return 2;
    }
  }
  return featherid::stress::run(ids, seed);
}
