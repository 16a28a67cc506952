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
#include "featherid/segment_store.h"
#include "lib/mutex.h"

namespace featherid {

// Whether ids can be served: the store answers, or some tag still holds ids in memory. It asks the
// store on the pool, one question at a time, and uses up no id. Thread-safe. `allocator` and `pool`
// must outlive it, and the pool must be joined first.
class Readiness {
 public:
  using Done = std::function<void(const Status&)>;

  static constexpr std::chrono::milliseconds kFresh{1000};  // an answer is good for so long

  Readiness(std::shared_ptr<SegmentStore> store, const SegmentAllocator& allocator,
            asio::thread_pool& pool);

  // The last answer, if it is fresh. OK: ready. Else the message says why not.
  std::optional<Status> fresh() const EXCLUDES(mutex_);

  // Asks anew, or joins the question under way; `done` gets the answer on a thread of the pool.
  void refresh(Done done) EXCLUDES(mutex_);

  // What can be said without the store.
  bool holds_ids() const;

 private:
  void probe() EXCLUDES(mutex_);

  const std::shared_ptr<SegmentStore> store_;
  const SegmentAllocator& allocator_;
  asio::thread_pool& pool_;

  mutable Mutex mutex_;
  std::vector<Done> waiting_ GUARDED_BY(mutex_);  // not empty: a question is under way
  std::optional<Status> answer_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point answered_at_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_READINESS_H_
