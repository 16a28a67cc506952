// SPDX-License-Identifier: MIT
#include "lib/segment/tag_table.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace featherid {

namespace {
constexpr std::size_t kFirstBuckets = 64;  // a power of two, as all sizes are

std::size_t hash(std::string_view tag) { return std::hash<std::string_view>()(tag); }
}  // namespace

TagTable::TagTable() {
  generations_.push_back(std::make_unique<Buckets>(kFirstBuckets));
  // relaxed: nobody else sees the table yet.
  current_.store(generations_.back().get(), std::memory_order_relaxed);
}

TagState* TagTable::find(std::string_view tag) const {
  const Buckets& buckets = *current_.load(std::memory_order_acquire);  // pairs with insert()
  for (std::size_t i = hash(tag);; ++i) {
    // acquire: pairs with the release in put(), so the tag is seen whole.
    TagState* const found = buckets.slots[i & buckets.mask].load(std::memory_order_acquire);
    if (found == nullptr || found->tag() == tag) return found;
  }
}

void TagTable::put(Buckets& buckets, TagState* tag) {
  std::size_t i = hash(tag->tag());
  // relaxed: only the one thread in insert() writes slots.
  while (buckets.slots[i & buckets.mask].load(std::memory_order_relaxed) != nullptr) ++i;
  buckets.slots[i & buckets.mask].store(tag, std::memory_order_release);
}

void TagTable::reserve(std::size_t tags) {
  if (tags_.capacity() < tags) tags_.reserve(std::max(tags, 2 * tags_.capacity()));
  std::size_t size = generations_.back()->mask + 1;
  while (size < 2 * tags) size *= 2;
  if (size == generations_.back()->mask + 1) return;
  auto larger = std::make_unique<Buckets>(size);
  for (const std::shared_ptr<TagState>& each : tags_) put(*larger, each.get());
  generations_.push_back(std::move(larger));
  // release: pairs with the acquire in find() and for_each().
  current_.store(generations_.back().get(), std::memory_order_release);
}

void TagTable::insert(std::shared_ptr<TagState> tag) {
  reserve(tags_.size() + 1);
  tags_.push_back(std::move(tag));
  put(*generations_.back(), tags_.back().get());
}

}  // namespace featherid
