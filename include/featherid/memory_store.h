// SPDX-License-Identifier: MIT
#ifndef FEATHERID_MEMORY_STORE_H_
#define FEATHERID_MEMORY_STORE_H_

#include <memory>
#include <string_view>
#include <vector>

#include "featherid/segment_store.h"

namespace featherid {

// A store in this process's memory: for tests and trials. Its ids are unique among the allocators
// that share it and are forgotten with it. Thread-safe; no call blocks.
class FEATHERID_EXPORT MemoryStore final : public SegmentStore {
 public:
  MemoryStore();
  ~MemoryStore() override;

  Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<std::vector<SegmentRow>> list() override;
  Status create(std::string_view tag, std::int64_t step) override;
  Status set_step(std::string_view tag, std::int64_t step) override;
  Status advance(std::string_view tag, std::int64_t max_id) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;

  // Replaces the row as an operator's hand would, unchecked: backwards, step 0, anything. Does
  // nothing in a child after fork().
  void overwrite(SegmentRow row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_MEMORY_STORE_H_
