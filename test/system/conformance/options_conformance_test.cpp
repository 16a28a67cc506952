// SPDX-License-Identifier: MIT
// Tests every store against the contract of tag_admin.h: a tag's options, and how processes learn
// of changes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"
#include "test/system/conformance/tag_helpers.h"

using featherid::IdRange;
using featherid::kIdMax;
using featherid::kLeaseIdsMax;
using featherid::NewTag;
using featherid::Result;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::TagChange;
using featherid::TagChanges;
using featherid::TagInfo;
using featherid::TagOrder;
using featherid::test::cap_change;
using featherid::test::capped;
using featherid::test::max_id_of;
using featherid::test::repeated;
using featherid::test::require_ok;
using featherid::test::take;

TEMPLATE_TEST_CASE("the options of a tag come back as they went in", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const auto before = std::chrono::system_clock::now() - std::chrono::minutes(1);
  NewTag tag(1000);
  tag.options.description = "it's \"new\"; :tag -- 号 \\ 😀";
  tag.options.owner = repeated("号", featherid::kOptionCharsMax);
  tag.options.cap = 2147483647;
  tag.by = "ann";
  require_ok(store.create("order", tag));
  require_ok(store.create("plain", 10));
  const TagInfo made = take(store.info("order"));
  CHECK(made.tag == "order");
  CHECK(made.max_id == 0);
  CHECK(made.step == 1000);
  CHECK(made.cap == 2147483647);
  CHECK(made.description == tag.options.description);
  CHECK(made.owner == tag.options.owner);
  CHECK(made.created_by == "ann");
  CHECK(made.changed_by == "ann");
  CHECK(made.created_at == made.changed_at);
  CHECK(made.created_at > before);
  CHECK(made.created_at < before + std::chrono::minutes(3));
  CHECK(take(store.find("order")).cap == 2147483647);
  CHECK(take(store.find("plain")).cap == kIdMax);
  CHECK(take(store.info("plain")).description.empty());
  CHECK(store.info("none").status().code() == StatusCode::kNotFound);
  const std::vector<TagInfo> rows = take(store.list());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].description == tag.options.description);
  CHECK(rows[0].cap == 2147483647);
  CHECK(rows[1].cap == kIdMax);
}

TEMPLATE_TEST_CASE("update changes what it sets, and no more", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag(1000);
  tag.options = {"first", "ann", 5000};
  tag.by = "ann";
  require_ok(store.create("order", tag));
  take(store.lease("order", 7));
  TagChange change;
  change.description = "second";
  change.by = "bob";
  require_ok(store.update("order", change));
  TagInfo info = take(store.info("order"));
  CHECK(info.description == "second");
  CHECK(info.owner == "ann");
  CHECK(info.cap == 5000);
  CHECK(info.step == 1000);
  CHECK(info.max_id == 7);
  CHECK(info.created_by == "ann");
  CHECK(info.changed_by == "bob");
  change = TagChange(20);
  change.owner = "";
  change.cap = kIdMax;
  require_ok(store.update("order", change));
  info = take(store.info("order"));
  CHECK(info.description == "second");
  CHECK(info.owner.empty());
  CHECK(info.cap == kIdMax);
  CHECK(info.step == 20);
  CHECK(info.changed_by.empty());
  // A row that another program has made.
  fixture.put_row("foreign", 3, 10);
  CHECK(take(store.info("foreign")).created_at == std::chrono::system_clock::time_point());
  require_ok(store.update("foreign", cap_change(100)));
  CHECK(take(store.info("foreign")).cap == 100);
  CHECK(store.update("none", cap_change(100)).code() == StatusCode::kNotFound);
  CHECK(store.update("none", TagChange()).code() == StatusCode::kNotFound);
}

TEMPLATE_TEST_CASE("an option out of its bounds is refused", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  for (const std::int64_t cap : {std::int64_t{0}, std::int64_t{-1}, kIdMax + 1}) {
    CHECK(store.create("new", capped(cap)).code() == StatusCode::kInvalidArgument);
    CHECK(store.update("order", cap_change(cap)).code() == StatusCode::kInvalidArgument);
  }
  for (const std::string& text : {std::string("a\nb"), std::string("a\0b", 3),
                                  std::string("\xC3\x28"), std::string(256, 'a')}) {
    NewTag tag(10);
    TagChange change;
    tag.options.description = text;
    change.description = text;
    CHECK(store.create("new", tag).code() == StatusCode::kInvalidArgument);
    CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
    tag.options = {"", text};
    change.description.reset();
    change.owner = text;
    CHECK(store.create("new", tag).code() == StatusCode::kInvalidArgument);
    CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
    tag.options = {};
    tag.by = text;
    change = TagChange(5);
    change.by = text;
    CHECK(store.create("new", tag).code() == StatusCode::kInvalidArgument);
    CHECK(store.update("order", change).code() == StatusCode::kInvalidArgument);
    CHECK(store.remove("order", text).code() == StatusCode::kInvalidArgument);
  }
  CHECK(store.find("new").status().code() == StatusCode::kNotFound);
  const TagInfo info = take(store.info("order"));
  CHECK(info.step == 10);
  CHECK(info.cap == kIdMax);
}

TEMPLATE_TEST_CASE("no lease passes the cap", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", capped(100)));
  CHECK(take(store.lease("order", 90)) == IdRange{1, 91});
  Status refused = store.lease("order", 11).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kExhausted);
  CHECK(refused.message().find("has 10 ids left up to its cap 100") != std::string::npos);
  CHECK(max_id_of(store, "order") == 90);
  CHECK(take(store.lease("order", {1, 4})) == IdRange{91, 95});
  CHECK(take(store.lease("order", {2, kLeaseIdsMax})) == IdRange{95, 101});
  refused = store.lease("order", {1, 1000}).status();
  CHECK(refused.code() == StatusCode::kExhausted);
  CHECK(refused.message().find("has reached its cap 100; raise the cap") != std::string::npos);
  CHECK(max_id_of(store, "order") == 100);
  // It is the tag's own.
  require_ok(store.create("user", 10));
  CHECK(take(store.lease("user", 1000)) == IdRange{1, 1001});
  require_ok(store.update("order", cap_change(101)));
  CHECK(take(store.lease("order", {1, 1000})) == IdRange{101, 102});
  require_ok(store.update("order", cap_change(kIdMax)));
  CHECK(take(store.lease("order", {1, 1000})) == IdRange{102, 1102});
  // advance() is an operator's, who knows that ids are gone.
  require_ok(store.update("order", cap_change(2000)));
  require_ok(store.advance("order", 3000));
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
}

TEMPLATE_TEST_CASE("another process's lease obeys a cap at once", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::shared_ptr<Store> other = fixture.open();
  require_ok(store.create("order", 10));
  CHECK(take(other->lease("order", 50)) == IdRange{1, 51});
  require_ok(store.update("order", cap_change(60)));
  CHECK(take(other->lease("order", {1, 50})) == IdRange{51, 61});
  CHECK(other->lease("order", 1).status().code() == StatusCode::kExhausted);
  require_ok(store.update("order", cap_change(61)));
  CHECK(take(other->lease("order", {1, 50})) == IdRange{61, 62});
}

TEMPLATE_TEST_CASE("leases at once share what is left up to the cap", "[store][options]", STORES) {
  TestType fixture;
  constexpr std::int64_t kCap = 500;
  require_ok(fixture.store().create("order", capped(kCap)));
  const std::shared_ptr<Store> stores[] = {fixture.open(), fixture.open()};
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> leased{0};
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (;;) {
        const Result<IdRange> range =
            stores[thread % 2]->lease("order", {1, std::int64_t{7} + thread});
        if (range.status().code() == StatusCode::kUnavailable) continue;
        if (!range.ok()) {
          wrong += range.status().code() != StatusCode::kExhausted;
          return;
        }
        leased += range->size();
        wrong += range->last() > kCap;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(leased == kCap);
  CHECK(max_id_of(fixture.store(), "order") == kCap);
}

TEMPLATE_TEST_CASE("a cap below max_id is refused and changes nothing", "[store][options]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  require_ok(store.advance("order", 500));
  TagChange change(77);
  change.cap = 499;
  change.description = "new";
  const Status refused = store.update("order", change);
  INFO(refused);
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK(refused.message().find("499") != std::string::npos);
  CHECK(refused.message().find("max_id 500") != std::string::npos);
  const TagInfo info = take(store.info("order"));
  CHECK(info.step == 10);
  CHECK(info.cap == kIdMax);
  CHECK(info.description.empty());
  require_ok(store.update("order", cap_change(500)));
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
}

TEMPLATE_TEST_CASE("a tag has strict order if it is told so, and processes drop what they hold",
                   "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::shared_ptr<Store> other = fixture.open();
  NewTag strict(10);
  strict.options.order = TagOrder::kStrict;
  require_ok(store.create("order", strict));
  require_ok(store.create("user", 10));
  fixture.put_row("foreign", 3, 10);
  const auto order_of = [&](const char* tag) { return take(other->find(tag)).order; };
  CHECK(order_of("order") == TagOrder::kStrict);
  CHECK(take(store.info("order")).order == TagOrder::kStrict);
  CHECK(take(store.list())[1].order == TagOrder::kStrict);
  CHECK(order_of("user") == TagOrder::kPlain);
  CHECK(order_of("foreign") == TagOrder::kPlain);

  std::int64_t known = take(other->changes(-1)).version;
  const auto recalled = [&] {
    const TagChanges changes = take(other->changes(known));
    known = changes.version;
    return changes.limits.size() == 1 && changes.limits[0].max_id == 0 ? changes.limits[0].tag : "";
  };
  TagChange change;
  change.order = TagOrder::kStrict;
  for (const char* tag : {"user", "foreign"}) {
    CHECK(take(store.lease(tag, 10)).size() == 10);
    require_ok(store.update(tag, change));
    CHECK(order_of(tag) == TagOrder::kStrict);
    // A process that held ids of the tag before gives none back, until it has dropped them.
    const std::int64_t last = take(store.info(tag)).max_id;
    CHECK_FALSE(take(other->give_back(tag, {last, last + 1})));
    CHECK(recalled() == tag);
  }
  require_ok(store.update("user", cap_change(100)));
  CHECK(take(store.find("user")).order == TagOrder::kStrict);
  CHECK(take(store.lease("user", {1, 1000})).size() == 90);
  change.order = TagOrder::kPlain;
  require_ok(store.update("user", change));
  CHECK(order_of("user") == TagOrder::kPlain);
  CHECK(take(store.info("user")).cap == 100);
  require_ok(store.remove("order"));
  require_ok(store.create("order", 10));
  CHECK(order_of("order") == TagOrder::kPlain);
}

TEMPLATE_TEST_CASE("a tag keeps its format and scramble, if they fit together", "[store][options]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag made = capped(999999999);
  made.options.format = "INV-{id width=9}-{check damm}";
  made.options.scramble = "9digits";
  require_ok(store.create("invoice", made));
  const TagInfo info = take(fixture.open()->info("invoice"));
  CHECK(info.format == made.options.format);
  CHECK(info.scramble == "9digits");

  const auto refused = [&](const TagChange& change) {
    CHECK(store.update("invoice", change).code() == StatusCode::kInvalidArgument);
    CHECK(take(store.info("invoice")).format == made.options.format);
    CHECK(take(store.info("invoice")).scramble == "9digits");
    CHECK(take(store.info("invoice")).cap == 999999999);
  };
  refused(cap_change(1000000000));
  TagChange change;
  for (const char* const pattern : {"INV", "{id", "{year}-{id}", "{id radix=11}"}) {
    change.format = pattern;
    refused(change);
  }
  change = {};
  for (const char* const domain :
       {"8digits", "5digits", "19digits", "digits", "09digits", "9", "x"}) {
    change.scramble = domain;
    refused(change);
  }
  change.scramble = "";
  change.format = "";
  change.cap = kIdMax;
  require_ok(store.update("invoice", change));
  CHECK(take(store.info("invoice")).format.empty());
  CHECK(take(store.info("invoice")).scramble.empty());

  change = {};  // a date requires a time floor
  change.format = "{year}-{id}";
  change.floor.rate = 1000;
  require_ok(store.update("invoice", change));
  CHECK(take(store.info("invoice")).format == "{year}-{id}");
  NewTag misfit(10);
  misfit.options.format = "{year}-{id}";
  CHECK(store.create("order", misfit).code() == StatusCode::kInvalidArgument);
  misfit.options.format = "";
  misfit.options.scramble = "9digits";
  CHECK(store.create("order", misfit).code() == StatusCode::kInvalidArgument);
  CHECK(store.info("order").status().code() == StatusCode::kNotFound);
}

TEMPLATE_TEST_CASE("changes name the tags of which held ids may have to be dropped",
                   "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::shared_ptr<Store> other = fixture.open();
  std::int64_t known = take(other->changes(-1)).version;
  // The limits since the last look, as "tag max_id".
  const auto look = [&]() {
    const TagChanges changes = take(other->changes(known));
    CHECK(changes.version >= known);
    known = changes.version;
    std::vector<std::string> limits;
    for (const TagChanges::Limit& limit : changes.limits) {
      limits.push_back(limit.tag + " " + std::to_string(limit.max_id));
    }
    std::sort(limits.begin(), limits.end());
    return limits;
  };
  using Limits = std::vector<std::string>;
  CHECK(take(other->changes(-1)).limits.empty());
  CHECK(look().empty());
  require_ok(store.create("order", 10));
  const std::int64_t made = known;
  CHECK(look().empty());
  CHECK(known > made);
  CHECK(take(store.lease("order", 100)) == IdRange{1, 101});
  CHECK(take(store.give_back("order", {51, 101})));
  CHECK(look().empty());
  require_ok(store.update("order", cap_change(60)));
  require_ok(store.create("user", capped(70)));
  CHECK(look() == Limits{"order 60", "user 70"});
  CHECK(look().empty());
  require_ok(store.update("order", cap_change(kIdMax)));
  CHECK(look().empty());
  CHECK(store.update("order", cap_change(1)).code() == StatusCode::kInvalidArgument);
  const std::int64_t refused = known;
  CHECK(look().empty());
  CHECK(known == refused);
  CHECK(take(store.rewind("order", 50, 10)));
  CHECK(look() == Limits{"order 0"});
  CHECK(take(store.rewind("order", 50, 10)) == false);
  CHECK(look().empty());
  require_ok(store.remove("order"));
  CHECK(look() == Limits{"order 0"});
  require_ok(store.create("order", 10));
  CHECK(look().empty());
  // Removed and created again between two looks.
  require_ok(store.remove("order"));
  require_ok(store.create("order", capped(90)));
  CHECK(look() == Limits{"order 0"});
  // A number from before the store went backwards.
  known += 1000;
  const TagChanges all = take(other->changes(known));
  CHECK(all.version < known);
  CHECK(all.limits.size() == 2);
}
