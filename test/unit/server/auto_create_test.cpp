// SPDX-License-Identifier: MIT
#include "server/store/auto_create.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/manual_clock.h"
#include "test/support/patient.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

// A store with rules, and what it logs.
struct Fixture {
  explicit Fixture(const std::string& rules, int per_minute_max = 60,
                   std::int64_t tags_max = 1000) {
    AutoCreateOptions options{*parse_auto_create(rules), per_minute_max, tags_max};
    const auto log = [this](LogLevel level, std::string_view line) {
      const std::lock_guard<std::mutex> lock(mutex);
      lines.emplace_back(std::string(level == LogLevel::kInfo ? "" : "not info: ").append(line));
    };
    store = with_auto_create(inner, options, log, clock);
  }

  std::string refusal(const std::string& tag) const {
    const Status status = store->lease(tag, 1).status();
    CHECK(status.code() == StatusCode::kNotFound);
    CHECK(inner->memory().find(tag).status().code() == StatusCode::kNotFound);
    return status.message();
  }

  std::mutex mutex;
  std::vector<std::string> lines;
  std::shared_ptr<test::FaultStore> inner = std::make_shared<test::FaultStore>();
  std::shared_ptr<test::ManualClock> clock = std::make_shared<test::ManualClock>();
  std::shared_ptr<SegmentStore> store;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a pattern matches a whole tag, and a star any text", "[auto_create]") {
  CHECK(matches("order", "order"));
  CHECK(matches("*", "order"));
  CHECK(matches("*", ""));
  CHECK(matches("o*", "o"));
  CHECK(matches("o*r", "order"));
  CHECK(matches("*rd*", "order"));
  CHECK(matches("**", "order"));
  CHECK(matches("*a*b", "xaxbab"));
  CHECK(matches("号*", "号段"));
  CHECK_FALSE(matches("order", "orders"));
  CHECK_FALSE(matches("order", "Order"));
  CHECK_FALSE(matches("o*r", "orders"));
  CHECK_FALSE(matches("o*r*x", "order"));
  CHECK_FALSE(matches("", "order"));
  CHECK_FALSE(matches("?rder", "order"));
  CHECK_FALSE(matches("o.*", "order"));
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*a";
  CHECK_FALSE(matches(stars + "b", std::string(64, 'a')));  // in no time
}

TEST_CASE("a rule is a pattern, perhaps with a step and a cap", "[auto_create]") {
  const std::vector<AutoCreateRule> rules = *parse_auto_create(" order* \t *:5:12digits a:7 ");
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].pattern == "order*");
  CHECK(rules[0].step == 1000);
  CHECK(rules[0].cap == kIdMax);
  CHECK(rules[1].pattern == "*");
  CHECK(rules[1].step == 5);
  CHECK(rules[1].cap == 999999999999);
  CHECK(rules[2].step == 7);
  CHECK(parse_auto_create("")->empty());
  for (const char* bad : {":5", "a:", "a:x", "a:0", "a:2147483648", "a:5:", "a:5:x", "a:5:0",
                          "a:5:10:1", "a::5", "a\x01*", "\xC3*"}) {
    CAPTURE(bad);
    const Status status = parse_auto_create(std::string("ok ") + bad).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(has(status.message(), "PATTERN[:STEP[:CAP]]"));
  }
}

TEST_CASE("a tag that a rule matches is created when it is first asked for", "[auto_create]") {
  Fixture fixture("shop-*:10:100 shop-a*:20 *b:30");
  CHECK(*fixture.store->lease("shop-a", 5) == IdRange{1, 6});
  const TagInfo made = *fixture.inner->info("shop-a");
  CHECK(made.step == 10);  // by the first rule that matches
  CHECK(made.cap == 100);
  CHECK(made.created_by == "auto-create");
  CHECK(fixture.store->find("b")->step == 30);
  CHECK(fixture.store->lease("c", 1).status().message() ==
        "no such tag 'c'; create it: featherid tag create");
  CHECK(fixture.lines ==
        std::vector<std::string>{
            R"(auto-create made tag "shop-a" by the pattern "shop-*", with step 10 and cap 100)",
            R"(auto-create made tag "b" by the pattern "*b", with step 30 and cap none)"});
  CHECK(*fixture.store->lease("shop-a", 5) == IdRange{6, 11});
  CHECK(*fixture.store->give_back("shop-a", {6, 11}));
  CHECK(fixture.store->changes(-1)->version == 2);
  CHECK(fixture.lines.size() == 2);
}

TEST_CASE("an allocator gets ids of a tag that is created for it", "[auto_create]") {
  Fixture fixture("shop-*");
  SegmentAllocator allocator(fixture.store, test::patient());
  CHECK(*allocator.next_id("shop-1") == 1);
  CHECK(allocator.next_id("other").status().code() == StatusCode::kNotFound);
}

TEST_CASE("without rules the store is the same", "[auto_create]") {
  const auto inner = std::make_shared<test::FaultStore>();
  CHECK(with_auto_create(inner, {}, {}) == inner);
}

TEST_CASE("hostile names are refused, or quoted", "[auto_create]") {
  Fixture fixture("*");
  for (const std::string& bad :
       {std::string(), std::string("a\nb"), std::string("a\0b", 3), std::string("\xC3\x28"),
        std::string(65, 'a'), std::string(" a")}) {
    CHECK(fixture.store->lease(bad, 1).status().code() == StatusCode::kInvalidArgument);
    CHECK(fixture.store->find(bad).status().code() == StatusCode::kInvalidArgument);
  }
  CHECK(fixture.inner->list()->empty());
  const std::string hostile = R"("}; DROP TABLE id_segments; -- \)";
  CHECK(fixture.store->lease(hostile, 1).ok());
  REQUIRE(fixture.lines.size() == 1);
  CHECK(has(fixture.lines[0], R"(made tag "\"}; DROP TABLE id_segments; -- \\" by)"));
}

TEST_CASE("a flood of names creates only so many tags in a minute", "[auto_create]") {
  Fixture fixture("*", 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(fixture.store->lease("tag " + std::to_string(i), 1).ok());
    fixture.clock->advance(std::chrono::seconds(10));
  }
  for (int i = 0; i < 1000; ++i) {
    CHECK(has(fixture.refusal("flood " + std::to_string(i)),
              "3 tags were created in the last minute (auto-create-per-minute)"));
  }
  CHECK(fixture.store->lease("tag 1", 1).ok());
  fixture.clock->advance(std::chrono::seconds(29));
  fixture.refusal("early");
  fixture.clock->advance(std::chrono::seconds(1));
  CHECK(fixture.store->lease("in time", 1).ok());
  fixture.refusal("another");
  CHECK(fixture.inner->list()->size() == 4);
}

TEST_CASE("with enough tags in the table, none is created", "[auto_create]") {
  Fixture fixture("*", 60, 3);
  REQUIRE(fixture.inner->create("by hand", 10).ok());
  CHECK(fixture.store->lease("a", 1).ok());
  CHECK(fixture.store->lease("b", 1).ok());
  CHECK(has(fixture.refusal("c"), "there are 3 tags already (auto-create-tags-max)"));
  REQUIRE(fixture.inner->remove("by hand").ok());
  fixture.refusal("c");  // a flood does not count the rows each time
  fixture.clock->advance(std::chrono::seconds(10));
  CHECK(fixture.store->lease("c", 1).ok());
  fixture.refusal("d");
}

TEST_CASE("what is refused does not use up the rate", "[auto_create]") {
  Fixture fixture("*:10:50", 1);
  REQUIRE(fixture.inner->create("removed", 10).ok());
  REQUIRE(fixture.inner->advance("removed", 70).ok());
  REQUIRE(fixture.inner->remove("removed").ok());
  for (int i = 0; i < 3; ++i) {
    CHECK(has(fixture.refusal("removed"), "not created automatically: tag 'removed' was removed"));
  }
  CHECK(fixture.lines.empty());
  CHECK(fixture.store->lease("a", 1).ok());
  CHECK(has(fixture.refusal("b"), "auto-create-per-minute"));
}

TEST_CASE("an error of the store is its own", "[auto_create]") {
  Fixture fixture("*");
  fixture.inner->on_lease = [](std::string_view, std::int64_t) {
    return Result<IdRange>(Status(StatusCode::kUnavailable, "it is down"));
  };
  CHECK(fixture.store->lease("a", 1).status().message() == "it is down");
  CHECK(fixture.inner->list()->empty());
  fixture.inner->on_lease = nullptr;
  fixture.inner->on_list = [] {
    return Result<std::vector<TagInfo>>(Status(StatusCode::kUnavailable, "it is down now"));
  };
  CHECK(fixture.store->lease("a", 1).status().message() == "it is down now");
  fixture.inner->on_list = nullptr;
  fixture.inner->on_create = [](std::string_view, const NewTag&) {
    return Status(StatusCode::kFailedPrecondition, "the table id_tags is missing");
  };
  CHECK(has(fixture.refusal("a"), "created automatically: the table id_tags is missing"));
}

TEST_CASE("servers that create a tag at once both serve it", "[auto_create]") {
  Fixture fixture("*");
  const auto other = with_auto_create(fixture.inner, {*parse_auto_create("*"), 60, 1000}, {});
  std::atomic<int> wrong{0};
  std::vector<std::vector<IdRange>> leased(4);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < leased.size(); ++thread) {
    threads.emplace_back([&, thread] {
      SegmentStore& store = thread % 2 == 0 ? *other : *fixture.store;
      for (int i = 0; i < 50; ++i) {
        const Result<IdRange> range = store.lease("tag " + std::to_string(i), 10);
        if (range.ok()) leased[thread].push_back(*range);
        wrong += !range.ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(fixture.inner->list()->size() == 50);
  for (const TagInfo& row : *fixture.inner->list()) CHECK(row.max_id == 40);
}

TEST_CASE("a tag that another server has created meanwhile is served", "[auto_create]") {
  Fixture fixture("*", 1);
  fixture.inner->on_create = [&](std::string_view tag, const NewTag& wanted) {
    CHECK(fixture.inner->memory().create(tag, 7).ok());
    return fixture.inner->memory().create(tag, wanted);
  };
  CHECK(fixture.store->find("a")->step == 7);
  CHECK(fixture.lines.empty());
  fixture.inner->on_create = nullptr;
  CHECK(fixture.store->lease("b", 1).ok());  // the rate is for what this server creates
}

TEST_CASE("a tag that another server has created meanwhile is served, even if no more may be made",
          "[auto_create]") {
  Fixture fixture("*", 60, 1);
  fixture.inner->on_list = [&] {
    CHECK(fixture.inner->memory().create("a", 7).ok());
    return fixture.inner->memory().list();
  };
  CHECK(fixture.store->find("a")->step == 7);
  fixture.inner->on_list = nullptr;

  // By now this server knows without counting that no more may be made.
  fixture.inner->on_find = [&](std::string_view tag) {
    const Result<SegmentRow> before = fixture.inner->memory().find(tag);
    static_cast<void>(fixture.inner->memory().create(tag, 8));
    return before;
  };
  CHECK(fixture.store->find("b")->step == 8);
  CHECK(fixture.lines.empty());
}

TEST_CASE("creations at once do not pass the bounds together", "[auto_create]") {
  Fixture fixture("*", 1000, 2);
  REQUIRE(fixture.inner->create("by hand", 10).ok());
  std::atomic<int> counted{0};
  fixture.inner->on_list = [&] {  // both count the rows before either creates one
    Result<std::vector<TagInfo>> rows = fixture.inner->memory().list();
    ++counted;
    test::wait_until([&] { return counted >= 2; });
    return rows;
  };
  std::thread other([&] { static_cast<void>(fixture.store->lease("a", 1)); });
  static_cast<void>(fixture.store->lease("b", 1));
  other.join();
  CHECK(fixture.inner->memory().list()->size() <= 2);
}

}  // namespace featherid
