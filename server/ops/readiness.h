// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_READINESS_H_
#define FEATHERID_SERVER_OPS_READINESS_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/tag_admin.h"
#include "lib/base/mutex.h"
#include "server/ops/store_calls.h"

namespace featherid {

// Whether ids can be served: some tag holds ids in memory, or the store would grant a lease. It
// probes the store by one call at a time. Thread-safe. `allocator` and `calls` must outlive it.
// Join the calls before destroying it.
class Readiness {
 public:
  using Done = std::function<void(const Status& answer)>;

  static constexpr std::chrono::milliseconds kFresh{1000};  // how long an answer is fresh

  Readiness(std::shared_ptr<TagAdmin> store, const SegmentAllocator& allocator, StoreCalls& calls);

  // The store's last answer, if it is fresh: OK, or why the store cannot be used.
  std::optional<Status> store_status() const EXCLUDES(mutex_);

  // For who wants no fresh answer, but one at once.
  struct Last {
    std::optional<Status> answer;          // the last one, however old
    std::chrono::milliseconds waiting{0};  // how long the call in progress has taken; 0: none is
  };
  Last last() const EXCLUDES(mutex_);

  // Asks the store, or joins a call in progress. `done` is called with the answer on another
  // thread.
  void ask_store(Done done) EXCLUDES(mutex_);

  bool holds_ids() const { return allocator_.holds_ids(); }

 private:
  void probe() EXCLUDES(mutex_);

  const std::shared_ptr<TagAdmin> store_;
  const SegmentAllocator& allocator_;
  StoreCalls& calls_;

  mutable Mutex mutex_;
  std::vector<Done> waiting_ GUARDED_BY(mutex_);     // not empty: a call is in progress
  std::optional<Status> answer_ GUARDED_BY(mutex_);  // the store's last answer
  std::chrono::steady_clock::time_point answered_at_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point asked_at_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_READINESS_H_
