// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONSOLE_TAG_WATCH_H_
#define FEATHERID_SERVER_CONSOLE_TAG_WATCH_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "lib/base/mutex.h"
#include "server/console/samples.h"
#include "server/console/status_json.h"

namespace featherid {

// Looks at every tag, on a thread of its own, because ten thousand tags take milliseconds: every
// 10 s for the samples, and when somebody asks. Many who ask share one look a second. Thread-safe.
// `allocator` must outlive it.
class TagWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Done = std::function<void()>;

  // What was seen at one moment.
  struct View {
    TimePoint at;
    std::vector<TagStats> tags;  // in the order of their names
    TagTotals totals;
    std::array<std::string, 2> json;  // all tags, by IdsAs; empty unless it was asked for

    const TagStats* find(const std::string& tag) const;
    const std::string& json_of(IdsAs as) const { return json[as == IdsAs::kText ? 1 : 0]; }
    std::string& json_of(IdsAs as) { return json[as == IdsAs::kText ? 1 : 0]; }
  };

  static constexpr std::chrono::milliseconds kFresh{1000};
  static constexpr std::size_t kAskersMax = 1000;  // who wait at once

  // Keeps samples of the first `tags_max` tags.
  TagWatch(const SegmentAllocator& allocator, std::size_t tags_max);
  ~TagWatch();  // stop()
  TagWatch(const TagWatch&) = delete;
  TagWatch& operator=(const TagWatch&) = delete;

  // Null: nothing has been seen lately, or not what is needed. `json`: with the text of all tags.
  std::shared_ptr<const View> view() const { return fresh(false, IdsAs::kNumber); }
  std::shared_ptr<const View> view_with_json(IdsAs as) const { return fresh(true, as); }

  // Looks soon. `done` is called on another thread, once there is a fresh view. False: too many
  // wait already, or the watch has stopped, and it is never called.
  bool look(Done done) { return ask({false, IdsAs::kNumber, std::move(done)}); }
  bool look_with_json(IdsAs as, Done done) { return ask({true, as, std::move(done)}); }

  const Samples& samples() const { return samples_; }

  // Ends the thread. Nobody is called any more.
  void stop() EXCLUDES(mutex_);

 private:
  struct Asker {
    bool json;
    IdsAs as;
    Done done;
  };
  std::shared_ptr<const View> fresh(bool json, IdsAs as) const EXCLUDES(mutex_);
  bool ask(Asker asker) EXCLUDES(mutex_);
  void run() EXCLUDES(mutex_);
  void sample() EXCLUDES(mutex_);
  void serve(const std::vector<Asker>& askers) EXCLUDES(mutex_);

  const SegmentAllocator& allocator_;
  Samples samples_;

  mutable Mutex mutex_;
  CondVar changed_;  // somebody asks, or stopping_
  std::vector<Asker> askers_ GUARDED_BY(mutex_);
  std::shared_ptr<const View> view_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONSOLE_TAG_WATCH_H_
