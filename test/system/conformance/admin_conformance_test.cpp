// SPDX-License-Identifier: MIT
// Tests every store against the contract of tag_admin.h: how tags are listed, made, moved and
// removed.
#include <algorithm>
#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"
#include "test/system/conformance/tag_helpers.h"

using featherid::IdRange;
using featherid::kIdMax;
using featherid::kStepMax;
using featherid::NewTag;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::TagChange;
using featherid::TagInfo;
using featherid::TagQuery;
using featherid::test::capped;
using featherid::test::max_id_of;
using featherid::test::require_ok;
using featherid::test::take;

TEMPLATE_TEST_CASE("create makes a row with max_id 0 and leaves an existing one alone", "[store]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 1000));
  const SegmentRow fresh = take(store.find("order"));
  CHECK(fresh.tag == "order");
  CHECK(fresh.max_id == 0);
  CHECK(fresh.step == 1000);
  take(store.lease("order", 5));
  CHECK(store.create("order", 2000).code() == StatusCode::kAlreadyExists);
  const SegmentRow row = take(store.find("order"));
  CHECK(row.max_id == 5);
  CHECK(row.step == 1000);
  // The store works after the refusal.
  CHECK(take(store.lease("order", 1)) == IdRange{6, 7});
}

TEMPLATE_TEST_CASE("a step is 1 to kStepMax", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{-1}, featherid::kStepMax + 1,
                                  std::numeric_limits<std::int64_t>::min()}) {
    CHECK(store.create("new", step).code() == StatusCode::kInvalidArgument);
    CHECK(store.update("order", step).code() == StatusCode::kInvalidArgument);
  }
  CHECK(store.find("new").status().code() == StatusCode::kNotFound);
  CHECK(take(store.find("order")).step == 10);
  for (const std::int64_t step : {std::int64_t{1}, kStepMax}) {
    require_ok(store.update("order", step));
    CHECK(take(store.find("order")).step == step);
    require_ok(store.update("order", step));  // repeating it is no error
  }
  require_ok(store.create("large", kStepMax));
  CHECK(take(store.find("large")).step == kStepMax);
  CHECK(max_id_of(store, "order") == 0);
}

TEMPLATE_TEST_CASE("list gives all rows in the byte order of their tags", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  CHECK(take(store.list()).empty());
  const std::vector<std::string> tags = {"号段", "b", "Zeta", "a", "_x", "alpha", "10", "9", "é"};
  for (const std::string& tag : tags) require_ok(store.create(tag, 10));
  require_ok(store.update("b", 77));
  require_ok(store.advance("b", 123));
  std::vector<std::string> sorted = tags;
  std::sort(sorted.begin(), sorted.end());
  const std::vector<TagInfo> rows = take(store.list());
  REQUIRE(rows.size() == sorted.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].tag == sorted[i]);
    CHECK(rows[i].step == (sorted[i] == "b" ? 77 : 10));
    CHECK(rows[i].max_id == (sorted[i] == "b" ? 123 : 0));
  }
}

TEMPLATE_TEST_CASE("list gives pages, by bytes", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  // "A" and "a" are one to many collations, and "_" and "%" stand for others in a LIKE.
  std::vector<std::string> tags = {"A", "a", "ab", "aB",   "a_", "a%",
                                   "b", "é", "号", "号段", "😀",  "z"};
  for (const std::string& tag : tags) require_ok(store.create(tag, 10));
  TagChange change;
  change.owner = "ann";
  require_ok(store.update("ab", change));
  std::sort(tags.begin(), tags.end());
  for (const std::int64_t count_max : {1, 2, 5, 100}) {
    std::vector<std::string> seen;
    for (std::vector<TagInfo> page;;) {
      page = take(store.list({"", seen.empty() ? "" : seen.back(), count_max}));
      if (page.empty()) break;
      CHECK(static_cast<std::int64_t>(page.size()) <= count_max);
      for (const TagInfo& row : page) {
        seen.push_back(row.tag);
        CHECK(row.owner == (row.tag == "ab" ? "ann" : ""));
      }
    }
    CHECK(seen == tags);
  }
  const auto names = [&](const TagQuery& query) {
    std::string text;
    for (const TagInfo& row : take(store.list(query))) text += row.tag + " ";
    return text;
  };
  CHECK(names({"a"}) == "a a% aB a_ ab ");
  CHECK(names({"a_"}) == "a_ ");
  CHECK(names({"a", "aB"}) == "a_ ab ");
  CHECK(names({"a", "aB", 1}) == "a_ ");
  CHECK(names({"号"}) == "号 号段 ");
  CHECK(names({"a", "b"}).empty());
  CHECK(names({"", "A", 1}) == "a ");
  CHECK(store.list({"", "", 0}).status().code() == StatusCode::kInvalidArgument);
  CHECK(store.list({"\n"}).status().code() == StatusCode::kInvalidArgument);
  CHECK(store.list({"", "\xFF"}).status().code() == StatusCode::kInvalidArgument);
}

TEMPLATE_TEST_CASE("advance moves forward only", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  require_ok(store.advance("order", 0));
  CHECK(max_id_of(store, "order") == 0);
  require_ok(store.advance("order", 500));
  CHECK(max_id_of(store, "order") == 500);
  require_ok(store.advance("order", 500));
  require_ok(store.advance("order", 499));
  require_ok(store.advance("order", 0));
  CHECK(max_id_of(store, "order") == 500);
  CHECK(take(store.lease("order", 1)) == IdRange{501, 502});
  for (const std::int64_t max_id : {std::int64_t{-1}, kIdMax + 1}) {
    CHECK(store.advance("order", max_id).code() == StatusCode::kInvalidArgument);
  }
  require_ok(store.advance("order", kIdMax));
  CHECK(max_id_of(store, "order") == kIdMax);
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
}

TEMPLATE_TEST_CASE("who moves a tag is on record, if it says so", "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag(10);
  tag.by = "ann";
  tag.options.owner = "shop";
  require_ok(store.create("order", tag));
  const auto changed_by = [&] { return take(store.info("order")).changed_by; };
  require_ok(store.advance("order", 50));
  CHECK(changed_by() == "ann");
  require_ok(store.advance("order", 50, "bob"));  // it is there already
  CHECK(changed_by() == "ann");
  require_ok(store.advance("order", 60, "bob"));
  CHECK(changed_by() == "bob");
  CHECK(max_id_of(store, "order") == 60);
  CHECK(take(store.rewind("order", 60, 5, "eve")));
  CHECK(changed_by() == "eve");
  CHECK(max_id_of(store, "order") == 5);
  CHECK(take(store.info("order")).owner == "shop");
  CHECK(take(store.info("order")).created_by == "ann");
  CHECK(store.advance("missing", 60, "bob").code() == StatusCode::kNotFound);
  CHECK(store.advance("order", 60, "a\nb").code() == StatusCode::kInvalidArgument);
  CHECK(store.rewind("order", 5, 1, "a\nb").status().code() == StatusCode::kInvalidArgument);
}

TEMPLATE_TEST_CASE("rewind is a compare-and-set on max_id", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  require_ok(store.create("user", 10));
  require_ok(store.advance("order", 500));
  require_ok(store.advance("user", 500));
  CHECK(take(store.rewind("order", 499, 100)) == false);
  CHECK(take(store.rewind("order", 501, 100)) == false);
  CHECK(max_id_of(store, "order") == 500);
  CHECK(take(store.rewind("order", 500, 100)));
  CHECK(take(store.rewind("order", 500, 100)) == false);  // not twice
  CHECK(take(store.lease("order", 1)) == IdRange{101, 102});
  CHECK(take(store.rewind("order", 101, 0)));
  CHECK(max_id_of(store, "order") == 0);
  CHECK(max_id_of(store, "user") == 500);
  // Also from past the last id.
  constexpr std::int64_t kPast = std::numeric_limits<std::int64_t>::max();
  fixture.put_row("order", kPast, 10);
  CHECK(take(store.rewind("order", kPast, 5)));
  CHECK(max_id_of(store, "order") == 5);
  CHECK(store.rewind("order", 5, 5).status().code() == StatusCode::kInvalidArgument);
  CHECK(store.rewind("order", 5, 6).status().code() == StatusCode::kInvalidArgument);
  CHECK(store.rewind("order", 5, -1).status().code() == StatusCode::kInvalidArgument);
}

TEMPLATE_TEST_CASE("remove deletes one row", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  require_ok(store.create("user", 10));
  take(store.lease("order", 5));
  take(store.lease("user", 5));
  require_ok(store.remove("order"));
  CHECK(store.lease("order", 1).status().code() == StatusCode::kNotFound);
  CHECK(store.remove("order").code() == StatusCode::kNotFound);
  CHECK(max_id_of(store, "user") == 5);
  require_ok(store.create("order", 10));
  CHECK(take(store.lease("order", 1)) == IdRange{6, 7});
}

TEMPLATE_TEST_CASE("a tag that is created again starts past all that was leased",
                   "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", capped(1000)));
  take(store.lease("order", 20));
  require_ok(store.remove("order", "ann"));
  CHECK(store.info("order").status().code() == StatusCode::kNotFound);
  CHECK(take(store.list()).empty());
  // Not by a program that does not know why it is gone.
  NewTag automatic(10);
  automatic.automatic = true;
  const Status refused = store.create("order", automatic);
  INFO(refused);
  CHECK(refused.code() == StatusCode::kNotFound);
  CHECK(refused.message().find("was removed") != std::string::npos);
  CHECK(store.create("order", capped(19)).code() == StatusCode::kInvalidArgument);
  CHECK(store.find("order").status().code() == StatusCode::kNotFound);
  require_ok(store.create("order", 10));
  const TagInfo info = take(store.info("order"));
  CHECK(info.max_id == 20);
  CHECK(info.cap == kIdMax);
  CHECK(info.created_by.empty());
  CHECK(take(store.lease("order", 5)) == IdRange{21, 26});
  // Again, after a rewind to the beginning: only what is still known counts.
  CHECK(take(store.rewind("order", 25, 3)));
  require_ok(store.remove("order"));
  require_ok(store.create("order", 10));
  CHECK(max_id_of(store, "order") == 3);
}

TEMPLATE_TEST_CASE("a row that somebody makes for a removed tag does not begin its series again",
                   "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  take(store.lease("order", 20));
  require_ok(store.remove("order", "ann"));
  fixture.put_row("order", 5, 10);
  const Status refused = store.lease("order", {1, 10}).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(refused.message().find("was removed at 20") != std::string::npos);
  CHECK(max_id_of(store, "order") == 5);
  require_ok(store.advance("order", 20));
  CHECK(take(store.lease("order", 5)) == IdRange{21, 26});
}

TEMPLATE_TEST_CASE("ids from before a rewind are not given back after it", "[store][options]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::shared_ptr<Store> other = fixture.open();
  require_ok(store.create("order", 10));
  CHECK(take(store.lease("order", 100)) == IdRange{1, 101});
  CHECK(take(other->rewind("order", 100, 0)));
  CHECK(take(other->lease("order", 100)) == IdRange{1, 101});
  CHECK(take(store.give_back("order", {51, 101})) == false);
  // Whoever has applied the change holds nothing from before it.
  const std::int64_t version = take(other->changes(-1)).version;
  CHECK(take(other->give_back("order", {51, 101})) == false);
  CHECK(take(other->changes(version)).limits.empty());
  // With receipts there is one try for each lease.
  CHECK(take(other->give_back("order", {51, 101})) == !TestType::kNeedsReceipts);
  const IdRange next = take(other->lease("order", 10));
  CHECK(next.first == (TestType::kNeedsReceipts ? 101 : 51));
  CHECK(take(other->give_back("order", {next.first + 4, next.end})));
}

TEMPLATE_TEST_CASE("a new tag starts past the ids that its creator knows to be taken",
                   "[store][options]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag tag = capped(5000);
  for (const std::int64_t max_id : {std::int64_t{-1}, kIdMax + 1, std::int64_t{5001}}) {
    tag.max_id = max_id;
    CHECK(store.create("order", tag).code() == StatusCode::kInvalidArgument);
  }
  tag.max_id = 4000;
  require_ok(store.create("order", tag));
  CHECK(max_id_of(store, "order") == 4000);
  CHECK(take(store.lease("order", 5)) == IdRange{4001, 4006});
  require_ok(store.remove("order"));
  tag.max_id = 4004;  // less than where it was
  require_ok(store.create("order", tag));
  CHECK(max_id_of(store, "order") == 4005);
  require_ok(store.remove("order"));
  tag.max_id = 5000;
  require_ok(store.create("order", tag));
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
  tag = NewTag(10);
  tag.max_id = kIdMax;
  require_ok(store.create("full", tag));
  CHECK(max_id_of(store, "full") == kIdMax);
}

TEMPLATE_TEST_CASE("a tag is created automatically if there never was one", "[store][options]",
                   STORES) {
  TestType fixture;
  Store& store = fixture.store();
  NewTag automatic(10);
  automatic.automatic = true;
  automatic.options.cap = 100;
  require_ok(store.create("order", automatic));
  CHECK(store.create("order", automatic).code() == StatusCode::kAlreadyExists);
  CHECK(take(store.lease("order", {1, 200})) == IdRange{1, 101});
}

TEMPLATE_TEST_CASE("of several creations and removals at once, each finds what it needs",
                   "[store][options]", STORES) {
  TestType fixture;
  require_ok(fixture.store().create("order", 10));
  const std::shared_ptr<Store> stores[] = {fixture.open(), fixture.open()};
  std::atomic<std::int64_t> highest{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Store& store = *stores[thread % 2];
      for (int i = 0; i < 10; ++i) {
        const std::int64_t before = highest;
        if (const Result<IdRange> range = store.lease("order", 5); range.ok()) {
          wrong += range->first <= before;  // it never starts again
          for (std::int64_t known = highest; known < range->last();) {
            if (highest.compare_exchange_weak(known, range->last())) break;
          }
        }
        const StatusCode removed = store.remove("order").code();
        wrong += removed != StatusCode::kOk && removed != StatusCode::kNotFound &&
                 removed != StatusCode::kUnavailable;
        const StatusCode created = store.create("order", 10).code();
        wrong += created != StatusCode::kOk && created != StatusCode::kAlreadyExists &&
                 created != StatusCode::kUnavailable;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(highest > 0);
}
