// SPDX-License-Identifier: MIT
#include "featherid/memory_store.h"

#include <string>
#include <vector>

#include "test/faults/scenario.h"

namespace featherid::test {

TEST_CASE("a store call that finds no memory has changed nothing", "[faults][memory_store]") {
  const Fault fault{"no memory", &allocations, nullptr};
  const std::string old_tag(kTagCharsMax, 'o');  // too long for a string's own buffer
  const std::string new_tag(kTagCharsMax, 'n');
  const std::function<void(MemoryStore&)> calls[] = {
      [&](MemoryStore& store) { static_cast<void>(store.create(new_tag, 7)); },
      [&](MemoryStore& store) { static_cast<void>(store.create(old_tag, 7)); },
      [&](MemoryStore& store) { static_cast<void>(store.find(old_tag)); },
      [&](MemoryStore& store) { static_cast<void>(store.find(new_tag)); },
      [&](MemoryStore& store) { static_cast<void>(store.list()); },
      [&](MemoryStore& store) { static_cast<void>(store.set_step(old_tag, 9)); },
      [&](MemoryStore& store) { static_cast<void>(store.advance(old_tag, 50)); },
      [&](MemoryStore& store) { static_cast<void>(store.lease(old_tag, 10)); },
      [&](MemoryStore& store) { static_cast<void>(store.lease(old_tag, kLeaseIdsMax + 1)); },
      [&](MemoryStore& store) {
        static_cast<void>(store.give_back(old_tag, {1, 6}));
      },
  };
  for (const auto& call : calls) {
    fail_at_every_call("a call of MemoryStore", fault, [&](const Strike& strike) {
      MemoryStore store;
      REQUIRE(store.create(old_tag, 5).ok());
      REQUIRE(store.lease(old_tag, 5).ok());
      strike.arm();
      const bool served = attempt([&] { call(store); });
      strike.disarm();
      if (served) return;
      const std::vector<SegmentRow> rows = *store.list();
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].max_id == 5);
      CHECK(rows[0].step == 5);
    });
  }
}

}  // namespace featherid::test
