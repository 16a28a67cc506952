// SPDX-License-Identifier: MIT
#include "featherid/memory_store.h"

#include <functional>
#include <string>
#include <vector>

#include "test/proof/faults/scenario.h"

namespace featherid::test {

TEST_CASE("a store call that gets no memory changes nothing", "[faults][memory_store]") {
  const Fault fault{"no memory", &allocations, nullptr};
  const std::string old_tag(kTagCharsMax, 'o');  // too long for a string's own buffer
  const std::string new_tag(kTagCharsMax, 'n');
  struct Call {
    const char* name;
    std::function<void(MemoryStore&)> run;
  };
  const Call calls[] = {
      {"MemoryStore: create", [&](MemoryStore& s) { static_cast<void>(s.create(new_tag, 7)); }},
      {"MemoryStore: create of an existing tag",
       [&](MemoryStore& s) { static_cast<void>(s.create(old_tag, 7)); }},
      {"MemoryStore: find", [&](MemoryStore& s) { static_cast<void>(s.find(old_tag)); }},
      {"MemoryStore: find of a missing tag",
       [&](MemoryStore& s) { static_cast<void>(s.find(new_tag)); }},
      {"MemoryStore: list", [&](MemoryStore& s) { static_cast<void>(s.list()); }},
      {"MemoryStore: update", [&](MemoryStore& s) { static_cast<void>(s.update(old_tag, 9)); }},
      {"MemoryStore: advance", [&](MemoryStore& s) { static_cast<void>(s.advance(old_tag, 50)); }},
      {"MemoryStore: lease", [&](MemoryStore& s) { static_cast<void>(s.lease(old_tag, 10)); }},
      {"MemoryStore: lease of too many",
       [&](MemoryStore& s) { static_cast<void>(s.lease(old_tag, kLeaseIdsMax + 1)); }},
      {"MemoryStore: give_back",
       [&](MemoryStore& s) {
         static_cast<void>(s.give_back(old_tag, {1, 6}));
       }},
      {"MemoryStore: rewind", [&](MemoryStore& s) { static_cast<void>(s.rewind(old_tag, 5, 1)); }},
      {"MemoryStore: remove of a missing tag",
       [&](MemoryStore& s) { static_cast<void>(s.remove(new_tag)); }},
  };
  for (const Call& call : calls) {
    fail_at_every_call(call.name, fault, [&](const Strike& strike) {
      MemoryStore store;
      REQUIRE(store.create(old_tag, 5).ok());
      REQUIRE(store.lease(old_tag, 5).ok());
      strike.arm();
      const bool served = attempt([&] { call.run(store); });
      strike.disarm();
      if (served) return;
      const std::vector<TagInfo> rows = *store.list();
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].max_id == 5);
      CHECK(rows[0].step == 5);
    });
  }
}

}  // namespace featherid::test
