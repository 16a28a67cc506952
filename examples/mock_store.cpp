// SPDX-License-Identifier: MIT
// A store for your own tests: three methods. Run check_store() on a store that must do more.
#include <featherid/segment_allocator.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace {

class MockStore final : public featherid::SegmentStore {
 public:
  featherid::Result<featherid::IdRange> lease(std::string_view,
                                              featherid::LeaseSize size) override {
    const std::int64_t first = next_.fetch_add(size.most_ids);
    return featherid::IdRange{first, first + size.most_ids};
  }
  featherid::Result<featherid::SegmentRow> find(std::string_view tag) override {
    return featherid::SegmentRow{std::string(tag), next_ - 1, 100};
  }
  featherid::Result<bool> give_back(std::string_view, featherid::IdRange) override { return false; }

 private:
  std::atomic<std::int64_t> next_{1};
};

}  // namespace

int main() {
  featherid::SegmentAllocator ids(std::make_shared<MockStore>());
  for (int i = 0; i < 3; ++i) std::cout << ids.next_id("order").value() << '\n';
}
