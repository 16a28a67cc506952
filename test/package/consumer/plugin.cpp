// SPDX-License-Identifier: MIT
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>
#include <featherid/soci_store.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using std::chrono::milliseconds;

namespace {

// Its look-ups hang as long as the host decides.
class HangingStore final : public featherid::SegmentStore {
 public:
  explicit HangingStore(void (*hang)()) : hang_(hang) {}
  featherid::Result<featherid::IdRange> lease(std::string_view tag,
                                              featherid::LeaseSize size) override {
    return memory_.lease(tag, size);
  }
  featherid::Result<featherid::SegmentRow> find(std::string_view tag) override {
    hang_();
    hang_();  // the host sees that it is back
    return memory_.find(tag);
  }
  featherid::Result<bool> give_back(std::string_view tag, featherid::IdRange tail) override {
    return memory_.give_back(tag, tail);
  }

 private:
  void (*const hang_)();
  featherid::MemoryStore memory_;
};

featherid::AllocatorOptions impatient() {
  featherid::AllocatorOptions options;
  options.wait_timeout = milliseconds(100);
  options.shutdown_timeout = milliseconds(1);
  return options;
}

std::unique_ptr<featherid::SegmentAllocator> ends_with_the_plugin;

}  // namespace

// Asks for an id until a call hangs, and fails, as `hangs` specifies. 0 if everything was as
// expected.
extern "C" [[gnu::visibility("default")]] int ask(const char* hangs, void (*hang)(),
                                                  bool (*is_hanging)()) {
  std::shared_ptr<featherid::SegmentStore> store = std::make_shared<HangingStore>(hang);
  if (hangs == std::string("resolver")) {
    auto opened = featherid::open_soci_store("postgresql://u:p@database.invalid/ids");
    if (!opened.ok()) return 1;
    store = *std::move(opened);
  }
  auto ids = std::make_unique<featherid::SegmentAllocator>(std::move(store), impatient());
  do {  // its refill thread may get no time at first
    if (ids->next_id("order").ok()) return 2;
  } while (!is_hanging());
  if (hangs == std::string("store_at_exit")) ends_with_the_plugin = std::move(ids);
  return 0;
}
