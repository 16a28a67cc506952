// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_ALTERNATIVES_H_
#define FEATHERID_TEST_BENCH_ALTERNATIVES_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "featherid/tag_admin.h"

// Obvious implementations, to compare with FeatherID. Each is correct and no slower than necessary.
// Each leases `step` ids at a time.
namespace featherid::bench {

// A mutex around a segment. It is held during store calls, so other callers wait.
class MutexSegment {
 public:
  MutexSegment(Store& store, std::string tag, std::int64_t step)
      : store_(store), tag_(std::move(tag)), step_(step) {}
  Result<std::int64_t> next();

 private:
  Store& store_;
  const std::string tag_;
  const std::int64_t step_;
  std::mutex mutex_;
  IdRange segment_;
};

// Tags by name: a map under a shared_mutex, with a MutexSegment for each tag.
class MutexPerTag {
 public:
  MutexPerTag(Store& store, std::int64_t step) : store_(store), step_(step) {}
  Result<std::int64_t> next_id(const std::string& tag);

 private:
  MutexSegment& segment_of(const std::string& tag);

  Store& store_;
  const std::int64_t step_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<MutexSegment>> segments_;
};

// Two buffers with a read-write lock: ids come from one by an atomic add under the shared lock, and
// a thread fills the other when a tenth of the first is used. Well-known services do this.
class TwoBuffers {
 public:
  TwoBuffers(Store& store, std::string tag, std::int64_t step);
  ~TwoBuffers();
  Result<std::int64_t> next();

 private:
  struct Buffer {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  void fill();
  void ask_for_filling();

  Store& store_;
  const std::string tag_;
  const std::int64_t step_;

  std::shared_mutex mutex_;  // exclusive: to swap the buffers and to record that one is filled
  Buffer buffers_[2];
  int current_ = 0;
  bool other_filled_ = false;
  Status error_;  // of the last lease

  std::atomic<bool> filling_{false};
  std::mutex fill_mutex_;
  std::condition_variable fill_changed_;  // filling_ or stopping_ was set, or a lease has ended
  bool stopping_ = false;
  std::uint64_t fills_ended_ = 0;
  std::thread filler_;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_ALTERNATIVES_H_
