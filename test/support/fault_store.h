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

// A MemoryStore whose lease, find, advance and give_back can be made to fail, answer wrongly or
// hang: each hook that is set is called instead, and may call memory() itself. Set hooks before
// threads use the store.
class FaultStore final : public SegmentStore {
 public:
  std::function<Result<IdRange>(std::string_view, std::int64_t)> on_lease;
  std::function<Result<SegmentRow>(std::string_view)> on_find;
  std::function<Status(std::string_view, std::int64_t)> on_advance;
  std::function<Result<bool>(std::string_view, IdRange)> on_give_back;

  MemoryStore& memory() { return memory_; }
  int leases() const { return leases_; }
  int finds() const { return finds_; }
  int advances() const { return advances_; }

  Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) override {
    ++leases_;
    return on_lease ? on_lease(tag, count_ids) : memory_.lease(tag, count_ids);
  }
  Result<SegmentRow> find(std::string_view tag) override {
    ++finds_;
    return on_find ? on_find(tag) : memory_.find(tag);
  }
  Result<std::vector<SegmentRow>> list() override { return memory_.list(); }
  Status create(std::string_view tag, std::int64_t step) override {
    return memory_.create(tag, step);
  }
  Status set_step(std::string_view tag, std::int64_t step) override {
    return memory_.set_step(tag, step);
  }
  Status advance(std::string_view tag, std::int64_t max_id) override {
    ++advances_;
    return on_advance ? on_advance(tag, max_id) : memory_.advance(tag, max_id);
  }
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return on_give_back ? on_give_back(tag, tail) : memory_.give_back(tag, tail);
  }

 private:
  MemoryStore memory_;
  std::atomic<int> leases_{0};
  std::atomic<int> finds_{0};
  std::atomic<int> advances_{0};
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FAULT_STORE_H_
