// SPDX-License-Identifier: MIT
// Real threads, real faults, exact bookkeeping. Also run under ThreadSanitizer.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"

namespace featherid {

namespace {

constexpr int kThreads = 4;
constexpr int kTags = 3;
constexpr std::size_t kRangesMax = 100000;  // of one thread in one run, to bound the memory
constexpr int kProcesses = 3;               // allocators that share the store, like processes

std::string tag_name(int tag) { return "tag" + std::to_string(tag); }

// A store that sometimes fails before the commit or after it, or answers late.
std::shared_ptr<test::FaultStore> faulty_store(unsigned seed) {
  auto store = std::make_shared<test::FaultStore>();
  for (int tag = 0; tag < kTags; ++tag) REQUIRE(store->create(tag_name(tag), 50).ok());
  struct Dice {
    std::mutex mutex;
    std::minstd_rand random;
  };
  auto dice = std::make_shared<Dice>();
  dice->random.seed(seed);
  store->on_lease = [dice, memory = &store->memory()](std::string_view tag,
                                                      std::int64_t count) -> Result<IdRange> {
    unsigned roll = 0;
    {
      const std::lock_guard<std::mutex> lock(dice->mutex);
      roll = static_cast<unsigned>(dice->random() % 100);
    }
    if (roll < 10) return Status(StatusCode::kUnavailable, "failed before the commit");
    Result<IdRange> range = memory->lease(tag, count);
    if (roll < 20) return Status(StatusCode::kUnavailable, "failed after the commit");
    if (roll < 25) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return range;
  };
  return store;
}

// What one thread got of one tag.
struct Got {
  int thread;
  int tag;
  IdRange range;
};

// Sorts all ranges of all threads. Two that overlap are the unforgivable bug.
void check_unique(std::vector<Got> got, unsigned seed) {
  std::sort(got.begin(), got.end(), [](const Got& a, const Got& b) {
    return std::pair(a.tag, a.range.first) < std::pair(b.tag, b.range.first);
  });
  std::int64_t ids = 0;
  int duplicates = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ids += got[i].range.size();
    if (i == 0 || got[i - 1].tag != got[i].tag) continue;
    if (got[i - 1].range.end <= got[i].range.first) continue;
    ++duplicates;
    WARN("seed " << seed << ": id " << got[i].range.first << " of tag " << got[i].tag
                 << " went to thread " << got[i - 1].thread << " in [" << got[i - 1].range.first
                 << ", " << got[i - 1].range.end << ") and to thread " << got[i].thread << " in ["
                 << got[i].range.first << ", " << got[i].range.end << ")");
  }
  WARN("seed " << seed << ": " << ids << " ids in " << got.size() << " ranges checked, "
               << duplicates << " duplicates");
  CHECK(duplicates == 0);
}

// Callbacks, beside the threads' own calls.
struct Aside {
  std::atomic<int> disorders{0};
  std::atomic<int> wrong_sizes{0};  // of consecutive ids
  std::atomic<int> registered{0};   // callbacks
  std::atomic<int> heard{0};
  std::mutex mutex;
  std::vector<Got> got;  // by callbacks

  void call_back(Sequence sequence, int tag) {
    const std::chrono::milliseconds timeout(tag);  // 0 for one of them
    sequence.next_range_async(5, timeout, [this, tag](const Result<std::vector<IdRange>>& ids) {
      if (ids.ok()) {
        const std::lock_guard<std::mutex> lock(mutex);
        for (const IdRange range : *ids) {
          if (got.size() < kRangesMax) got.push_back({-1, tag, range});
        }
      }
      ++heard;
    });
    ++registered;
    sequence.next_consecutive_async(3, timeout,
                                    [this, tag](const Result<std::vector<IdRange>>& ids) {
                                      if (ids.ok()) {
                                        if (ids->size() != 1 || ids->front().size() != 3)
                                          ++wrong_sizes;
                                        const std::lock_guard<std::mutex> lock(mutex);
                                        if (got.size() < kRangesMax)
                                          got.push_back({-1, tag, ids->front()});
                                      }
                                      ++heard;
                                    });
    ++registered;
  }
};

// Takes ids in every way until `done`, and checks that each thread sees them increase.
void use(SegmentAllocator& ids, int thread, const std::atomic<bool>& done, std::vector<Got>& got,
         Aside& aside) {
  std::minstd_rand random(static_cast<unsigned>(thread) + 1);
  std::vector<Sequence> sequences;
  std::vector<LocalBlock> blocks;
  std::vector<std::int64_t> last(kTags, 0);
  for (int tag = 0; tag < kTags; ++tag) {
    sequences.push_back(*ids.sequence(tag_name(tag)));
    blocks.push_back(sequences.back().local(8));
  }
  const auto note = [&](int tag, IdRange range, bool ordered) {
    got.push_back({thread, tag, range});
    if (!ordered) return;
    if (range.first <= last[static_cast<std::size_t>(tag)]) ++aside.disorders;
    last[static_cast<std::size_t>(tag)] = range.last();
  };
  while (!done && got.size() < kRangesMax) {
    const int tag = static_cast<int>(random() % kTags);
    Sequence& sequence = sequences[static_cast<std::size_t>(tag)];
    const unsigned way = static_cast<unsigned>(random() % 16);
    if (way == 0) {
      if (auto ranges = sequence.next_range(static_cast<std::int64_t>(random() % 200) + 1)) {
        for (const IdRange range : *ranges) note(tag, range, true);
      }
    } else if (way == 1) {
      if (auto id = blocks[static_cast<std::size_t>(tag)].next()) note(tag, {*id, *id + 1}, false);
    } else if (way == 2) {
      if (auto id = ids.try_next_id(tag_name(tag))) note(tag, {*id, *id + 1}, true);
    } else if (way == 3) {
      if (auto id = sequence.next(std::chrono::milliseconds(0))) note(tag, {*id, *id + 1}, true);
    } else if (way == 4) {
      if (auto ranges = sequence.try_next_range(static_cast<std::int64_t>(random() % 20) + 1)) {
        for (const IdRange range : *ranges) note(tag, range, true);
      }
    } else if (way == 5) {
      aside.call_back(sequence, tag);
    } else if (way == 6) {
      const auto count_ids = static_cast<std::int64_t>(random() % 100) + 1;
      const bool wait = random() % 2 == 0;
      if (auto range = wait ? sequence.next_consecutive(count_ids)
                            : sequence.try_next_consecutive(count_ids)) {
        if (range->size() != count_ids) ++aside.wrong_sizes;
        note(tag, *range, true);
      }
    } else if (way == 7 && random() % 16 == 0) {
      static_cast<void>(ids.stats());
      static_cast<void>(ids.next_id("no such tag").ok());
    } else {
      if (auto id = sequence.next()) note(tag, {*id, *id + 1}, true);
    }
  }
}

}  // namespace

TEST_CASE("no id is handed out twice by threads, allocators, faults and restarts", "[stress]") {
  const unsigned seed = std::random_device()();
  auto store = faulty_store(seed);
  std::vector<Got> all;
  std::mutex all_mutex;
  Aside aside;
  std::vector<std::thread> processes;
  for (int process = 0; process < kProcesses; ++process) {
    processes.emplace_back([&, process] {
      for (int run = 0; run < 5; ++run) {  // each ends with a shutdown that gives tails back
        AllocatorOptions options;
        options.backoff_min = options.backoff_max = std::chrono::milliseconds(1);
        SegmentAllocator ids(store, options);
        std::atomic<bool> done{false};
        std::vector<std::vector<Got>> got(kThreads);
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
          threads.emplace_back([&, t] {
            use(ids, process * kThreads + t, done, got[static_cast<std::size_t>(t)], aside);
          });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        if (run % 2 == 0) ids.shutdown();  // while threads still use it
        done = true;
        for (std::thread& thread : threads) thread.join();
        const std::lock_guard<std::mutex> lock(all_mutex);
        for (const auto& part : got) all.insert(all.end(), part.begin(), part.end());
      }
    });
  }
  for (std::thread& process : processes) process.join();
  all.insert(all.end(), aside.got.begin(), aside.got.end());
  check_unique(std::move(all), seed);
  CHECK(aside.disorders == 0);
  CHECK(aside.wrong_sizes == 0);
  CHECK(aside.heard == aside.registered);
}

TEST_CASE("handles that outlive their allocator stop at once and repeat nothing", "[stress]") {
  const unsigned seed = std::random_device()();
  auto store = faulty_store(seed);
  std::vector<Got> all;
  for (int run = 0; run < 20; ++run) {
    auto ids = std::make_unique<SegmentAllocator>(store);
    std::vector<std::vector<Got>> got(kThreads);
    std::atomic<int> issued_after_refusal{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t, sequence = *ids->sequence(tag_name(t % kTags))]() mutable {
        std::vector<Got>& mine = got[static_cast<std::size_t>(t)];
        LocalBlock block = sequence.local(16);
        Status status;
        while (status.code() != StatusCode::kFailedPrecondition && mine.size() < kRangesMax) {
          const Result<std::int64_t> id = mine.size() % 3 == 0 ? block.next() : sequence.next();
          status = id.status();
          if (id.ok()) mine.push_back({t, t % kTags, {*id, *id + 1}});
        }
        for (int i = 0; i < 100; ++i) {
          // A thread that has finished its ids has not been refused yet.
          const bool refused = sequence.next().status().code() == StatusCode::kFailedPrecondition;
          if (status.code() == StatusCode::kFailedPrecondition && !refused) ++issued_after_refusal;
        }
      });
    }
    while (ids->stats().size() < kTags) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(run % 5));
    ids.reset();  // gives the tails back while threads use it
    for (std::thread& thread : threads) thread.join();
    CHECK(issued_after_refusal == 0);
    for (const auto& part : got) all.insert(all.end(), part.begin(), part.end());
  }
  check_unique(std::move(all), seed);
}

TEST_CASE("children forked during traffic refuse at once", "[stress][fork]") {
  auto store = faulty_store(1);
  SegmentAllocator ids(store);
  std::atomic<bool> done{false};
  Aside aside;
  std::vector<std::vector<Got>> got(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { use(ids, t, done, got[static_cast<std::size_t>(t)], aside); });
  }
  Sequence sequence = *ids.sequence(tag_name(0));
  for (int i = 0; i < 200; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      int issued = 0;
      for (int n = 0; n < 100; ++n) issued += sequence.next().ok() ? 1 : 0;
      _exit(issued == 0 ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    REQUIRE(status == 0);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  ids.shutdown();  // ends the callbacks
  std::vector<Got> all = std::move(aside.got);
  for (const auto& part : got) all.insert(all.end(), part.begin(), part.end());
  check_unique(std::move(all), 1);
}

}  // namespace featherid
