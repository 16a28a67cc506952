// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_READINESS_H_
#define FEATHERID_SERVER_READINESS_H_

#include <asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/tag_admin.h"
#include "lib/base/mutex.h"

namespace featherid {

// Whether ids can be served: some tag holds ids in memory, or the store would grant a lease. It
// probes the store on the pool, one call at a time. Thread-safe. `allocator` and `pool` must
// outlive it. Join the pool before destroying it.
class Readiness {
 public:
  using Done = std::function<void()>;

  static constexpr std::chrono::milliseconds kFresh{1000};  // how long an answer is fresh

  Readiness(std::shared_ptr<TagAdmin> store, const SegmentAllocator& allocator,
            asio::thread_pool& pool);

  // The store's last answer, if it is fresh: OK, or why the store cannot be used.
  std::optional<Status> store_status() const EXCLUDES(mutex_);

  // Asks the store, or joins a call in progress. `done` is called on a thread of the pool once
  // there is a fresh status.
  void ask_store(Done done) EXCLUDES(mutex_);

  bool holds_ids() const { return allocator_.holds_ids(); }

 private:
  void probe() EXCLUDES(mutex_);

  const std::shared_ptr<TagAdmin> store_;
  const SegmentAllocator& allocator_;
  asio::thread_pool& pool_;

  mutable Mutex mutex_;
  std::vector<Done> waiting_ GUARDED_BY(mutex_);     // not empty: a call is in progress
  std::optional<Status> answer_ GUARDED_BY(mutex_);  // the store's last answer
  std::chrono::steady_clock::time_point answered_at_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_READINESS_H_
