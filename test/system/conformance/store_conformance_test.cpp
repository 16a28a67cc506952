// SPDX-License-Identifier: MIT
// Tests every store against the contract of segment_store.h, sentence by sentence.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "featherid/store_check.h"
#include "test/support/catch.h"
#include "test/system/conformance/require.h"
#include "test/system/conformance/store_fixtures.h"

using featherid::check_store;
using featherid::IdRange;
using featherid::kIdMax;
using featherid::kLeaseIdsMax;
using featherid::kStepMax;
using featherid::NewTag;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;
using featherid::StoreIdentity;
using featherid::TagChange;
using featherid::TagChanges;
using featherid::TagInfo;
using featherid::TagOrder;
using featherid::TagQuery;
using featherid::test::max_id_of;
using featherid::test::require_ok;
using featherid::test::take;

namespace {

// A tag with a cap and step 10.
NewTag capped(std::int64_t cap) {
  NewTag tag(10);
  tag.options.cap = cap;
  return tag;
}

TagChange cap_change(std::int64_t cap) {
  TagChange change;
  change.cap = cap;
  return change;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

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
  const pid_t child = ::fork();
  if (child == 0) {
    bool refused = true;
    for (const auto& [method, status] : call_all(store, "order")) {
      refused = refused && status.code() == StatusCode::kFailedPrecondition;
    }
    refused = refused && store.list().status().code() == StatusCode::kFailedPrecondition;
    refused = refused && store.probe().code() == StatusCode::kFailedPrecondition;
    ::_exit(refused ? 0 : 1);
  }
  int exit_status = -1;
  REQUIRE(::waitpid(child, &exit_status, 0) == child);
  CHECK(exit_status == 0);
  CHECK(take(store.lease("order", 1)) == IdRange{2, 3});
}

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
