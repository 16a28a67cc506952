// SPDX-License-Identifier: MIT
// Tests every store against the contract of segment_store.h, sentence by sentence.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "featherid/store_check.h"
#include "test/support/catch.h"
#include "test/system/conformance/store_fixtures.h"

using featherid::check_store;
using featherid::IdRange;
using featherid::kIdMax;
using featherid::kLeaseIdsMax;
using featherid::kStepMax;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;
using featherid::Store;

#define STORES                                                                  \
  featherid::test::MemoryFixture, featherid::test::Sqlite3Fixture,              \
      featherid::test::MariadbFixture, featherid::test::MysqlFixture,           \
      featherid::test::PostgresqlFixture, featherid::test::NamedSqlite3Fixture, \
      featherid::test::NamedMysqlFixture<featherid::test::MariadbServer>,       \
      featherid::test::NamedMysqlFixture<featherid::test::MysqlServer>,         \
      featherid::test::NamedPostgresqlFixture

namespace {

void require_ok(const Status& status) {
  INFO(status);
  REQUIRE(status.ok());
}

template <typename T>
T take(Result<T> result) {
  require_ok(result.status());
  return *std::move(result);
}

std::int64_t max_id_of(Store& store, std::string_view tag) { return take(store.find(tag)).max_id; }

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// The status of every method that takes a tag.
std::map<std::string, Status> call_all(Store& store, std::string_view tag) {
  return {{"lease", store.lease(tag, 1).status()},
          {"find", store.find(tag).status()},
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
    require_ok(store.advance(tag, 100));
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
  const std::vector<SegmentRow> rows = take(store.list());
  REQUIRE(rows.size() == sorted.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].tag == sorted[i]);
    CHECK(rows[i].step == (sorted[i] == "b" ? 77 : 10));
    CHECK(rows[i].max_id == (sorted[i] == "b" ? 123 : 0));
  }
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
  CHECK(take(store.give_back("order", {1, 71})));  // down to nothing
  CHECK(max_id_of(store, "order") == 0);
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
  CHECK(take(store.lease("order", 1)) == IdRange{1, 2});
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
