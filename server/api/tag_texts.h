// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_TAG_TEXTS_H_
#define FEATHERID_SERVER_API_TAG_TEXTS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/mutex.h"
#include "server/api/tag_text.h"
#include "server/ops/store_calls.h"

namespace featherid {

// The TagTexts of a server: reads the options of a tag when a request needs them, off the event
// loops, and keeps them. A change is obeyed within a minute. If the store cannot be asked, what was
// read last goes on. Thread-safe. Must outlive the calls.
class TagTexts {
 public:
  static constexpr std::chrono::seconds kFresh{20};
  static constexpr std::size_t kTagsMax = 10000;  // kept

  TagTexts(std::shared_ptr<Store> store, StoreCalls& calls, std::optional<ScrambleKeys> keys);

  // Null: call ask() first. `any_age`: what was read long ago will do. Otherwise what becomes old
  // is read again in the background.
  std::shared_ptr<const TagText> find(const std::string& tag, bool any_age = false)
      EXCLUDES(mutex_);

  // Reads the tag's options and then calls `done`, on another thread or at once. Many who ask for
  // one tag share one call of the store.
  using Done = std::function<void(const Status&)>;
  void ask(const std::string& tag, Done done) EXCLUDES(mutex_);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Kept {
    std::shared_ptr<const TagText> text;
    TimePoint read_at;
  };
  void read(const std::string& tag) EXCLUDES(mutex_);
  Status keep(const std::string& tag, const Result<TagText>& text) REQUIRES(mutex_);

  const std::shared_ptr<Store> store_;
  StoreCalls& calls_;
  const std::optional<ScrambleKeys> keys_;

  Mutex mutex_;
  std::map<std::string, Kept> kept_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<Done>> asking_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAG_TEXTS_H_
