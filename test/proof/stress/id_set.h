// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_STRESS_ID_SET_H_
#define FEATHERID_TEST_PROOF_STRESS_ID_SET_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "featherid/id_range.h"

namespace featherid::stress {

// A set of ids, one bit each, in pages that are allocated when first needed. One thread writes it
// without synchronisation, so that the bookkeeping does not order the threads.
class IdSet {
 public:
  void add(IdRange range) {
    for (std::int64_t id = range.first; id < range.end; ++id) {
      const auto place = static_cast<std::size_t>(id);
      page_at(place / kPageIds).set(place % kPageIds);
    }
  }

  bool contains(std::int64_t id) const {
    const auto place = static_cast<std::size_t>(id);
    const std::size_t page = place / kPageIds;
    return page < pages_.size() && pages_[page] && pages_[page]->test(place % kPageIds);
  }

  std::int64_t size() const {
    std::size_t ids = 0;
    for (const auto& page : pages_) {
      if (page) ids += page->count();
    }
    return static_cast<std::int64_t>(ids);
  }

  // Adds the ids of `other`. Returns an id that both held, or 0.
  std::int64_t merge(const IdSet& other) {
    std::int64_t common = 0;
    for (std::size_t index = 0; index < other.pages_.size(); ++index) {
      if (!other.pages_[index]) continue;
      Page& page = page_at(index);
      if (const Page both = page & *other.pages_[index]; common == 0 && both.any()) {
        std::size_t first = 0;
        while (!both.test(first)) ++first;
        common = static_cast<std::int64_t>(index * kPageIds + first);
      }
      page |= *other.pages_[index];
    }
    return common;
  }

 private:
  static constexpr std::size_t kPageIds = std::size_t{1} << 16;
  using Page = std::bitset<kPageIds>;

  Page& page_at(std::size_t index) {
    if (index >= pages_.size()) pages_.resize(index + 1);
    if (!pages_[index]) pages_[index] = std::make_unique<Page>();
    return *pages_[index];
  }

  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace featherid::stress

#endif  // FEATHERID_TEST_PROOF_STRESS_ID_SET_H_
