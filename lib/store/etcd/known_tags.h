// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_KNOWN_TAGS_H_
#define FEATHERID_LIB_STORE_ETCD_KNOWN_TAGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/mutex.h"
#include "lib/store/etcd/stored_tag.h"

namespace featherid {

// A tag's key as it was read or written.
struct KnownTag {
  StoredTag stored;
  std::int64_t revision = 0;  // of its last change; 0: there is no such key
};

// What this process knows of the tags' keys, so that a lease needs no read before it: it states the
// revision, and changes nothing if the key has another one by now. Thread-safe.
class KnownTags {
 public:
  void learn(const KnownTag& tag) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (tag.revision == 0) {
      tags_.erase(tag.stored.tag);
      return;
    }
    Entry& entry = tags_[tag.stored.tag];
    if (tag.revision >= entry.tag.revision) entry = {tag, true};
  }

  // After an error: whether the key was written is open. Its revision stays known.
  void doubt(const std::string& name) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = tags_.find(name);
    if (found != tags_.end()) found->second.current = false;
  }

  // Nothing: the key must be read first.
  std::optional<KnownTag> find(std::string_view name) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = tags_.find(name);
    if (found == tags_.end() || !found->second.current) return std::nullopt;
    return found->second.tag;
  }

  // The highest revision that the key has had; 0: none is known.
  std::int64_t revision(std::string_view name) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = tags_.find(name);
    return found == tags_.end() ? 0 : found->second.tag.revision;
  }

 private:
  struct Entry {
    KnownTag tag;
    bool current = false;
  };
  mutable Mutex mutex_;
  std::map<std::string, Entry, std::less<>> tags_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_KNOWN_TAGS_H_
