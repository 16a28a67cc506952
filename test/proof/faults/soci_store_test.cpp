// SPDX-License-Identifier: MIT
// The real store over SQLite, with no memory at allocation 1, 2, 3, … of each call.
#include "featherid/soci_store.h"

#include <functional>
#include <memory>
#include <string>

#include "test/proof/faults/scenario.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

namespace {

// A call under test. Its answer goes into the record of leased ids.
using Call = std::function<Result<IdRange>(Store&)>;

Status as_error(const Status& status) {
  return status.ok() ? Status(StatusCode::kNotFound, "leased nothing") : status;
}

void sweep(const char* name, const Call& call) {
  const Fault fault{"no memory", &allocations, nullptr};
  const ScratchDir folder;
  const std::string url = "sqlite3:" + folder.file("ids.db");
  const std::string tag(kTagCharsMax, 't');
  {
    auto first = open_soci_store(url);
    REQUIRE(first.ok());
    REQUIRE((*first)->create(tag, 5).ok());
  }
  std::int64_t last_id = 0;
  fail_at_every_call(name, fault, [&](const Strike& strike) {
    std::unique_ptr<Store> store;
    Status error;
    strike.arm();
    attempt([&] {
      Result<std::unique_ptr<Store>> opened = open_soci_store(url);
      error = opened.status();
      if (!opened.ok()) return;
      store = *std::move(opened);
      const Result<IdRange> answer = call(*store);
      if (answer.ok()) last_id = answer->last();
      error = answer.status();
    });
    strike.disarm();
    INFO("it answered: " << error);
    if (!store) store = std::move(open_soci_store(url)).value();
    // The next call finds nothing broken and gets no id that was given before.
    const Result<IdRange> leased = store->lease(tag, 3);
    REQUIRE(leased.ok());
    REQUIRE(leased->size() == 3);
    REQUIRE(leased->first > last_id);
    last_id = leased->last();
    REQUIRE(store->find(tag)->max_id == last_id);
  });
}

}  // namespace

TEST_CASE("SociStore serves after a call that got no memory", "[faults][soci_store]") {
  const std::string tag(kTagCharsMax, 't');
  sweep("SociStore: lease", [&](Store& store) { return store.lease(tag, 10); });
  sweep("SociStore: find",
        [&](Store& store) -> Result<IdRange> { return as_error(store.find(tag).status()); });
  sweep("SociStore: list",
        [&](Store& store) -> Result<IdRange> { return as_error(store.list().status()); });
  sweep("SociStore: create",
        [&](Store& store) -> Result<IdRange> { return as_error(store.create("new", 7)); });
  sweep("SociStore: advance",
        [&](Store& store) -> Result<IdRange> { return as_error(store.advance(tag, 1)); });
  sweep("SociStore: lease and give back", [&](Store& store) -> Result<IdRange> {
    const Result<IdRange> leased = store.lease(tag, 10);
    if (!leased.ok()) return leased.status();
    // Its first two ids are used. The others may come again after they were given back.
    const Result<bool> given = store.give_back(tag, {leased->first + 2, leased->end});
    return given.ok() && *given ? IdRange{leased->first, leased->first + 2} : *leased;
  });
}

TEST_CASE("SociStore answers if the machine gives no thread to connect on",
          "[faults][threads][soci_store]") {
  const auto store = open_soci_store("mysql://u@127.0.0.1:1/ids").value();  // nobody listens there
  thread_starts.arm(1, true);
  for (int i = 0; i < 10; ++i) {  // more often than there may be attempts
    const Status status = store->find("order").status();
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK_THAT(status.message(), Contains("cannot start a thread"));
  }
  thread_starts.disarm();
  CHECK_THAT(store->find("order").status().message(), Contains("127.0.0.1"));
}

}  // namespace featherid::test
