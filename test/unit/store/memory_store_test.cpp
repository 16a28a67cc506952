// SPDX-License-Identifier: MIT
// The contract that it shares with every store is in test/system/conformance/.
#include "featherid/memory_store.h"

#include "test/support/catch.h"

using featherid::IdRange;
using featherid::MemoryStore;

TEST_CASE("overwrite makes and replaces rows unchecked", "[memory_store]") {
  MemoryStore store;
  store.overwrite({"order", 100, 0});
  CHECK(*store.lease("order", 5) == IdRange{101, 106});
  store.overwrite({"order", 40, -3});  // backwards, as after a restore
  CHECK(store.find("order")->step == -3);
  CHECK(*store.lease("order", 5) == IdRange{41, 46});
  CHECK(store.list()->size() == 1);
}
