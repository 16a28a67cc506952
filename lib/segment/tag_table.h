// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_TAG_TABLE_H_
#define FEATHERID_LIB_SEGMENT_TAG_TABLE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/segment/tag_state.h"

namespace featherid {

// A hash table of tags that only grows, so a look-up writes no shared memory and takes no
// lock. A table that has become too small is replaced by one twice as large. The old one is kept
// for look-ups that still use it; all the old ones together are no larger than the new one.
//
// Threads: find() and for_each() from any thread; reserve() and insert() from one at a time (the
// owner's mutex).
class TagTable {
 public:
  TagTable();

  // Null if there is none. The tag lives as long as the table.
  TagState* find(std::string_view tag) const;

  // Makes room for `tags` in total. May throw std::bad_alloc; then nothing has changed.
  void reserve(std::size_t tags);

  // Never throws if there is room.
  void insert(std::shared_ptr<TagState> tag);

  std::size_t size() const { return tags_.size(); }

  // Calls visit(TagState&) for every tag that was inserted before the call.
  template <typename Visit>
  void for_each(Visit visit) const {
    const Buckets& buckets = *current_.load(std::memory_order_acquire);  // pairs with insert()
    for (std::size_t i = 0; i <= buckets.mask; ++i) {
      if (TagState* tag = buckets.slots[i].load(std::memory_order_acquire)) visit(*tag);
    }
  }

 private:
  struct Buckets {
    explicit Buckets(std::size_t size) : mask(size - 1), slots(size) {}
    std::size_t mask;
    std::vector<std::atomic<TagState*>> slots;  // linear probing; at most half full
  };
  static void put(Buckets& buckets, TagState* tag);

  std::atomic<const Buckets*> current_;

  // Written only by reserve() and insert().
  std::vector<std::unique_ptr<Buckets>> generations_;
  std::vector<std::shared_ptr<TagState>> tags_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_TAG_TABLE_H_
