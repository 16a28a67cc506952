// SPDX-License-Identifier: MIT
// Tests every store against the contract of segment_store.h, sentence by sentence.
#include <limits>
#include <map>
#include <string>

#include "featherid/store_check.h"
#include "test/support/catch.h"
#include "test/support/in_fork.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"
#include "test/system/conformance/tag_helpers.h"

using featherid::check_store;
using featherid::IdRange;
using featherid::kIdMax;
using featherid::kLeaseIdsMax;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::StoreIdentity;
using featherid::TagChange;
using featherid::TagChanges;
using featherid::TagOrder;
using featherid::test::cap_change;
using featherid::test::failures_in_fork;
using featherid::test::max_id_of;
using featherid::test::repeated;
using featherid::test::require_ok;
using featherid::test::take;

namespace {

// The status of every method that takes a tag.
std::map<std::string, Status> call_all(Store& store, std::string_view tag) {
  return {{"lease", store.lease(tag, 1).status()},
          {"find", store.find(tag).status()},
          {"info", store.info(tag).status()},
          {"create", store.create(tag, 10)},
          {"update", store.update(tag, 10)},
          {"advance", store.advance(tag, 10)},
          {"give_back", store.give_back(tag, {1, 2}).status()},
          {"rewind", store.rewind(tag, 2, 1).status()},
          {"remove", store.remove(tag)}};
}

}  // namespace

TEMPLATE_TEST_CASE("the store passes the check that users run on their own", "[store]", STORES) {
  TestType fixture;
  require_ok(fixture.store().create("order", 1000));
  for (const std::string& wrong : check_store([&] { return fixture.open(); }, "order")) {
    FAIL_CHECK(wrong);
  }
}

TEMPLATE_TEST_CASE("a new tag starts at id 1 and leases follow one another", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 1000));
  CHECK(take(store.lease("order", 1000)) == IdRange{1, 1001});
  CHECK(take(store.lease("order", 1)) == IdRange{1001, 1002});
  CHECK(take(store.lease("order", 7)) == IdRange{1002, 1009});
  CHECK(max_id_of(store, "order") == 1008);
}

TEMPLATE_TEST_CASE("a lease depends on max_id and count, never on step", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  fixture.put_row("order", 41, 0);
  CHECK(take(store.lease("order", 3)) == IdRange{42, 45});
  fixture.put_row("order", 41, -7);
  CHECK(take(store.lease("order", 3)) == IdRange{42, 45});
  CHECK(take(store.find("order")).step == -7);
}

TEMPLATE_TEST_CASE("a lease takes 1 to kLeaseIdsMax ids", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 1));
  for (const std::int64_t count :
       {std::int64_t{0}, std::int64_t{-1}, kLeaseIdsMax + 1,
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK(store.lease("order", count).status().code() == StatusCode::kInvalidArgument);
  }
  CHECK(max_id_of(store, "order") == 0);
  CHECK(take(store.lease("order", kLeaseIdsMax)) == IdRange{1, kLeaseIdsMax + 1});
}

TEMPLATE_TEST_CASE("a missing tag is kNotFound and stays missing", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("other", 10));
  CHECK(store.lease("order", 1).status().code() == StatusCode::kNotFound);
  CHECK(store.find("order").status().code() == StatusCode::kNotFound);
  CHECK(store.update("order", 5).code() == StatusCode::kNotFound);
  CHECK(store.advance("order", 5).code() == StatusCode::kNotFound);
  CHECK(take(store.give_back("order", {1, 2})) == false);
  CHECK(take(store.rewind("order", 2, 1)) == false);
  CHECK(store.remove("order").code() == StatusCode::kNotFound);
  CHECK(take(store.list()).size() == 1);
  CHECK(max_id_of(store, "other") == 0);
}

TEMPLATE_TEST_CASE("a malformed tag is kInvalidArgument everywhere", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  for (const std::string& tag :
       {std::string(), std::string(65, 'a'), repeated("号", 65), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\xC3\x28"), std::string("\xED\xA0\x80"),
        std::string(" order"), std::string("order ")}) {
    for (const auto& [method, status] : call_all(store, tag)) {
      INFO(method << " of tag '" << tag << "': " << status);
      CHECK(status.code() == StatusCode::kInvalidArgument);
    }
  }
  CHECK(take(store.list()).empty());
}

TEMPLATE_TEST_CASE("any well-formed tag comes back as it went in", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  for (const std::string& tag :
       {std::string("号段"), repeated("号", 64), repeated("😀", 64), std::string(64, 'z'),
        std::string("it's"), std::string("a\\b"), std::string("a\"b`c"), std::string("%_:tag"),
        std::string("'; DROP TABLE id_segments; --"), std::string("a  b"),
        std::string("?1 $1 :n")}) {
    INFO(tag);
    require_ok(store.create(tag, 20));
    CHECK(take(store.find(tag)).tag == tag);
    CHECK(take(store.lease(tag, 5)) == IdRange{1, 6});
    require_ok(store.update(tag, 30));
    require_ok(store.advance(tag, 80));
    CHECK(take(store.lease(tag, 20)) == IdRange{81, 101});
    CHECK(take(store.give_back(tag, {91, 101})));
    const SegmentRow row = take(store.find(tag));
    CHECK(row.max_id == 90);
    CHECK(row.step == 30);
    CHECK(take(store.rewind(tag, 90, 7)));
    CHECK(max_id_of(store, tag) == 7);
    require_ok(store.remove(tag));
    CHECK(store.find(tag).status().code() == StatusCode::kNotFound);
    require_ok(store.create(tag, 20));
  }
  CHECK(take(store.list()).size() == 11);
}

TEMPLATE_TEST_CASE("tags differ by their bytes, whatever the collation", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  for (const char* other : {"Order", "ORDER", "ördér", "order\u200B", "orde"}) {
    INFO(other);
    CHECK(store.lease(other, 1).status().code() == StatusCode::kNotFound);
    CHECK(store.find(other).status().code() == StatusCode::kNotFound);
    CHECK(store.update(other, 99).code() == StatusCode::kNotFound);
    CHECK(store.advance(other, 99).code() == StatusCode::kNotFound);
    CHECK(take(store.give_back(other, {1, 2})) == false);
    CHECK(take(store.rewind(other, 2, 1)) == false);
    CHECK(store.remove(other).code() == StatusCode::kNotFound);
  }
  const SegmentRow row = take(store.find("order"));
  CHECK(row.max_id == 0);
  CHECK(row.step == 10);
}

TEMPLATE_TEST_CASE("give_back is a compare-and-set on max_id", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  take(store.lease("order", 100));
  CHECK(take(store.give_back("order", {61, 101})));
  CHECK(max_id_of(store, "order") == 60);
  CHECK(take(store.give_back("order", {61, 101})) == false);  // not twice
  CHECK(take(store.lease("order", 10)) == IdRange{61, 71});
  CHECK(take(store.give_back("order", {31, 61})) == false);  // somebody has leased since
  CHECK(max_id_of(store, "order") == 70);
  // Down to nothing. Not with receipts, because these are the ends of two leases.
  CHECK(take(store.give_back("order", {1, 71})) == !TestType::kNeedsReceipts);
  CHECK(max_id_of(store, "order") == (TestType::kNeedsReceipts ? 70 : 0));
  for (const IdRange tail :
       {IdRange{0, 0}, IdRange{5, 5}, IdRange{6, 5}, IdRange{0, 1}, IdRange{-5, 3}}) {
    INFO(tail);
    CHECK(store.give_back("order", tail).status().code() == StatusCode::kInvalidArgument);
  }
}

TEMPLATE_TEST_CASE("near 2^63 a lease fails and changes nothing", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  const std::int64_t max_id = std::numeric_limits<std::int64_t>::max() - 5;  // 2^63 - 6
  fixture.put_row("order", max_id, 1000);
  CHECK(max_id_of(store, "order") == max_id);
  CHECK(take(store.list()).front().max_id == max_id);
  for (const std::int64_t count : {std::int64_t{5}, std::int64_t{6}, kLeaseIdsMax}) {
    const Status status = store.lease("order", count).status();
    INFO(status);
    CHECK(status.code() == StatusCode::kExhausted);
    CHECK(status.message().find("has 4 ids left, fewer than a lease of " + std::to_string(count)) !=
          std::string::npos);
    CHECK(max_id_of(store, "order") == max_id);
  }
  CHECK(take(store.lease("order", 4)) == IdRange{max_id + 1, kIdMax + 1});
  CHECK(max_id_of(store, "order") == kIdMax);
  const Status at_end = store.lease("order", 1).status();
  CHECK(at_end.code() == StatusCode::kExhausted);
  CHECK(at_end.message().find("has reached the end of its ids") != std::string::npos);
  CHECK(take(store.give_back("order", {max_id + 1, kIdMax + 1})));
  CHECK(max_id_of(store, "order") == max_id);
  // Not even a row past the cap makes it wrap.
  fixture.put_row("order", std::numeric_limits<std::int64_t>::max(), 1000);
  CHECK(store.lease("order", 1).status().code() == StatusCode::kExhausted);
  CHECK(max_id_of(store, "order") == std::numeric_limits<std::int64_t>::max());
}

TEMPLATE_TEST_CASE("a lease grants what is left if that is enough", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  fixture.put_row("order", kIdMax - 10, 1000);
  CHECK(take(store.lease("order", {1, 4})) == IdRange{kIdMax - 9, kIdMax - 5});
  const Status too_few = store.lease("order", {7, 100}).status();
  INFO(too_few);
  CHECK(too_few.code() == StatusCode::kExhausted);
  CHECK(too_few.message().find("has 6 ids left, fewer than a lease of 7") != std::string::npos);
  CHECK(max_id_of(store, "order") == kIdMax - 6);
  CHECK(take(store.lease("order", {6, kLeaseIdsMax})) == IdRange{kIdMax - 5, kIdMax + 1});
  CHECK(store.lease("order", {1, 5}).status().code() == StatusCode::kExhausted);
  for (const featherid::LeaseSize wrong :
       {featherid::LeaseSize{0, 5}, {6, 5}, {1, kLeaseIdsMax + 1}, {-1, -1}}) {
    INFO(wrong.least_ids << " to " << wrong.most_ids);
    CHECK(store.lease("order", wrong).status().code() == StatusCode::kInvalidArgument);
  }
}

TEMPLATE_TEST_CASE("probe is OK without a tag, and changes nothing", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.probe());
  require_ok(store.create("health", 10));
  require_ok(store.advance("health", 7));
  require_ok(store.probe());
  CHECK(max_id_of(store, "health") == 7);
  CHECK(take(store.list()).size() == 1);
}

TEMPLATE_TEST_CASE("a row with a negative max_id is not served", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  for (const std::int64_t max_id : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    fixture.put_row("order", max_id, 1000);
    const Status status = store.lease("order", 1000).status();
    INFO(status);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(status.message().find("set it to 0 or more") != std::string::npos);
    CHECK(max_id_of(store, "order") == max_id);
  }
  require_ok(store.advance("order", 0));
  CHECK(take(store.lease("order", 1)) == IdRange{1, 2});
}

TEMPLATE_TEST_CASE("one tag does not move another", "[store]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  require_ok(store.create("user", 10));
  take(store.lease("order", 100));
  CHECK(take(store.lease("user", 5)) == IdRange{1, 6});
  CHECK(max_id_of(store, "order") == 100);
}

TEMPLATE_TEST_CASE("in a child after fork() every call is refused and the parent continues",
                   "[store][fork]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  take(store.lease("order", 1));
  const int failed = failures_in_fork([&] {
    bool refused = true;
    for (const auto& [method, status] : call_all(store, "order")) {
      refused = refused && status.code() == StatusCode::kFailedPrecondition;
    }
    refused = refused && store.list().status().code() == StatusCode::kFailedPrecondition;
    refused = refused && store.probe().code() == StatusCode::kFailedPrecondition;
    return refused ? 0 : 1;
  });
  CHECK(failed == 0);
  CHECK(take(store.lease("order", 1)) == IdRange{2, 3});
}

TEMPLATE_TEST_CASE("stores on the same rows have one name, which stays", "[store][identity]",
                   STORES) {
  TestType fixture;
  const StoreIdentity first = take(fixture.store().identity());
  CHECK(first.name.size() == 32);
  CHECK(first.term >= 0);
  require_ok(fixture.store().create("order", 10));
  take(fixture.store().lease("order", 5));
  const StoreIdentity later = take(fixture.store().identity());
  CHECK(later.name == first.name);
  CHECK(later.term >= first.term);  // perhaps the lease has recorded the first leader
  const StoreIdentity others = take(fixture.open()->identity());
  CHECK(others.name == first.name);
  CHECK(others.term == later.term);
  // No change of a tag touches it.
  require_ok(fixture.store().update("order", cap_change(100)));
  require_ok(fixture.store().remove("order"));
  CHECK(take(fixture.store().identity()).name == first.name);
  CHECK(take(fixture.store().list()).empty());
}

TEMPLATE_TEST_CASE("what other processes have applied is not what this one has",
                   "[store][identity]", STORES) {
  TestType fixture;
  Store& store = fixture.store();
  require_ok(store.create("order", 10));
  const std::int64_t before = take(store.changes_for_other(-1)).version;
  CHECK(take(store.lease("order", 10)) == IdRange{1, 11});
  TagChange strict;
  strict.order = TagOrder::kStrict;
  require_ok(store.update("order", strict));
  const TagChanges changes = take(store.changes_for_other(before));
  REQUIRE(changes.limits.size() == 1);
  CHECK(changes.limits[0].tag == "order");
  CHECK(take(store.changes_for_other(changes.version)).limits.empty());
  CHECK_FALSE(take(store.give_back("order", {6, 11})));
  CHECK_FALSE(take(store.give_back_for_other("order", {6, 11}, before)));
  // With receipts there is one try for each lease.
  CHECK(take(store.give_back_for_other("order", {6, 11}, changes.version)) ==
        !TestType::kNeedsReceipts);
  const IdRange next = take(store.lease("order", 10));
  CHECK(take(store.give_back_for_other("order", {next.first + 4, next.end}, changes.version)));
  CHECK(store.give_back_for_other("order", {5, 5}, 0).status().code() ==
        StatusCode::kInvalidArgument);
}
