// SPDX-License-Identifier: MIT
#ifndef FEATHERID_MEMORY_STORE_H_
#define FEATHERID_MEMORY_STORE_H_

#include <memory>
#include <string_view>
#include <vector>

#include "featherid/tag_admin.h"

namespace featherid {

// A store in the memory of this process, for tests and trials. Its ids are unique among the
// allocators that share it. They are lost with it. Thread-safe; no call blocks.
class FEATHERID_EXPORT MemoryStore final : public Store {
 public:
  // `clock`: the clock of time floors and periods. Empty: the clock of the system.
  explicit MemoryStore(WallClock clock = {});
  ~MemoryStore() override;

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

  Result<std::vector<TagInfo>> list(const TagQuery& query = {}) override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& change) override;
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by = "") override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by = "") override;
  Status remove(std::string_view tag, std::string_view by = "") override;
  Status probe() override;

  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override;

  // Replaces the row without any check, as an operator could: backwards, step 0, anything. Does
  // nothing in a child after fork().
  void overwrite(const SegmentRow& row);

 private:
  struct FEATHERID_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace featherid

#endif  // FEATHERID_MEMORY_STORE_H_
