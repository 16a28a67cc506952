// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_FAULT_STORE_H_
#define FEATHERID_TEST_SUPPORT_FAULT_STORE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "featherid/memory_store.h"

namespace featherid::test {

// A MemoryStore whose calls can fail, answer wrongly or hang. A hook that is set is called instead,
// and it may call memory(). Set hooks before threads use the store.
class FaultStore final : public Store {
 public:
  std::function<Result<IdRange>(std::string_view, std::int64_t most_ids)> on_lease;
  std::function<Result<SegmentRow>(std::string_view)> on_find;
  std::function<Result<bool>(std::string_view, IdRange)> on_give_back;
  std::function<Result<TagChanges>(std::int64_t)> on_changes;
  std::function<Result<std::vector<TagInfo>>()> on_list;
  std::function<Result<TagInfo>(std::string_view)> on_info;
  std::function<Status(std::string_view, const NewTag&)> on_create;
  std::function<Status(std::string_view, const TagChange&)> on_update;
  std::function<Status(std::string_view)> on_remove;
  std::function<Status(std::string_view, std::int64_t)> on_advance;
  std::function<Result<bool>(std::string_view, std::int64_t, std::int64_t)> on_rewind;
  std::function<Status()> on_probe;
  std::function<Result<StoreIdentity>()> on_identity;

  MemoryStore& memory() { return memory_; }
  int leases() const { return leases_; }
  int finds() const { return finds_; }
  int probes() const { return probes_; }

  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override {
    ++leases_;
    return on_lease ? on_lease(tag, size.most_ids) : memory_.lease_in_period(tag, period, size);
  }
  Result<IdRange> lease(std::string_view tag, LeaseSize size) override {
    ++leases_;
    return on_lease ? on_lease(tag, size.most_ids) : memory_.lease(tag, size);
  }
  Result<SegmentRow> find(std::string_view tag) override {
    ++finds_;
    return on_find ? on_find(tag) : memory_.find(tag);
  }
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return on_give_back ? on_give_back(tag, tail) : memory_.give_back(tag, tail);
  }
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override {
    return on_give_back ? on_give_back(tag, tail) : memory_.give_back_for_other(tag, tail, applied);
  }
  Result<TagChanges> changes_for_other(std::int64_t version) override {
    return on_changes ? on_changes(version) : memory_.changes_for_other(version);
  }
  Result<StoreIdentity> identity() override {
    return on_identity ? on_identity() : memory_.identity();
  }
  Result<TagChanges> changes(std::int64_t version) override {
    return on_changes ? on_changes(version) : memory_.changes(version);
  }
  Result<std::vector<TagInfo>> list(const TagQuery& query = {}) override {
    return on_list ? on_list() : memory_.list(query);
  }
  Result<TagInfo> info(std::string_view tag) override {
    return on_info ? on_info(tag) : memory_.info(tag);
  }
  Status create(std::string_view tag, const NewTag& tag_to_make) override {
    return on_create ? on_create(tag, tag_to_make) : memory_.create(tag, tag_to_make);
  }
  Status update(std::string_view tag, const TagChange& change) override {
    return on_update ? on_update(tag, change) : memory_.update(tag, change);
  }
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by = "") override {
    return on_advance ? on_advance(tag, max_id) : memory_.advance(tag, max_id, by);
  }
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by = "") override {
    return on_rewind ? on_rewind(tag, from, to) : memory_.rewind(tag, from, to, by);
  }
  Status remove(std::string_view tag, std::string_view by = "") override {
    return on_remove ? on_remove(tag) : memory_.remove(tag, by);
  }
  Status probe() override {
    ++probes_;
    return on_probe ? on_probe() : memory_.probe();
  }

 private:
  MemoryStore memory_;
  std::atomic<int> leases_{0};
  std::atomic<int> finds_{0};
  std::atomic<int> probes_{0};
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FAULT_STORE_H_
