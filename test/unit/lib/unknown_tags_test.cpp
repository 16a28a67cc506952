// SPDX-License-Identifier: MIT
#include "lib/segment/unknown_tags.h"

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/manual_clock.h"

namespace featherid {

using std::chrono::seconds;

namespace {

// The unknown tags of an allocator, and the table of its known ones.
struct Fixture {
  explicit Fixture(UnknownTagLimits limits) : unknown(&known, limits) {}

  std::shared_ptr<test::ManualClock> clock = std::make_shared<test::ManualClock>();
  TagTable known;
  UnknownTags unknown;

  Result<std::shared_ptr<TagState>> ask(const std::string& tag) {
    return unknown.find_or_make(tag, clock->now(), [&] {
      const TagStateOptions options{
          seconds(1), {seconds(30), 1000}, seconds(1), seconds(1), seconds(1)};
      return std::make_shared<TagState>(tag, options, clock, nullptr);
    });
  }
  bool accepts(const std::string& tag) {
    const Status status = ask(tag).status();
    if (!status.ok()) CHECK(status.code() == StatusCode::kUnavailable);
    return status.ok();
  }
  // How many of the tags prefix0, prefix1, … are accepted before the first refusal; at most 1000.
  int accepted(const std::string& prefix) {
    int count = 0;
    while (count < 1000 && accepts(prefix + std::to_string(count))) ++count;
    return count;
  }
  std::vector<std::string> tags() const {
    std::vector<std::string> tags;
    unknown.for_each([&](const TagState& state) { tags.push_back(state.tag()); });
    return tags;
  }
};

void see_row(TagState& tag) { REQUIRE(tag.accept_row({tag.tag(), 0, 100}).ok()); }

}  // namespace

TEST_CASE("a tag stays unknown until its row is seen, then the table has it", "[unknown_tags]") {
  Fixture f({4, 1});
  const std::shared_ptr<TagState> tag = *f.ask("order");
  CHECK(*f.ask("order") == tag);
  CHECK(f.unknown.find("order") == tag);
  CHECK(f.unknown.find("orders") == nullptr);
  CHECK(f.tags() == std::vector<std::string>{"order"});
  CHECK(f.known.find("order") == nullptr);
  see_row(*tag);
  CHECK(*f.ask("order") == tag);
  CHECK(f.tags().empty());
  CHECK(f.known.find("order") == tag.get());
}

TEST_CASE("beyond the limit, tags are forgotten for new ones at a limited rate", "[unknown_tags]") {
  Fixture f({4, 2});
  CHECK(f.accepted("a") == 4 + 2);
  f.clock->advance(seconds(1));
  CHECK(f.accepted("b") == 2);
  f.clock->advance(seconds(3600));
  CHECK(f.accepted("c") == 2);
  CHECK(f.tags().size() == 4);
}

TEST_CASE("tags that come again have half of the rate for themselves", "[unknown_tags]") {
  Fixture f({4, 10});
  CHECK(f.accepted("flood") == 4 + 6);
  CHECK(f.accepts("flood10"));
  for (const char* tag : {"order", "user", "cart"}) {
    CHECK_FALSE(f.accepts(tag));
    CHECK(f.accepts(tag));
  }
  CHECK_FALSE(f.accepts("last"));
  CHECK_FALSE(f.accepts("last"));
}

TEST_CASE("a tag that somebody holds is not forgotten", "[unknown_tags]") {
  Fixture f({2, 100});
  std::shared_ptr<TagState> held = *f.ask("held");
  for (int i = 0; i < 10; ++i) CHECK(f.accepts("a" + std::to_string(i)));
  CHECK(*f.ask("held") == held);
  const std::shared_ptr<TagState> other = *f.ask("other");
  CHECK_FALSE(f.accepts("new"));
  held = nullptr;
  CHECK(f.accepts("new"));
  CHECK(f.tags() == std::vector<std::string>{"new", "other"});
}

TEST_CASE("tags that are now known make room without being forgotten", "[unknown_tags]") {
  Fixture f({3, 1});
  std::vector<std::shared_ptr<TagState>> tags;
  for (const char* name : {"a", "b", "c"}) {
    tags.push_back(*f.ask(name));
    see_row(*tags.back());
  }
  CHECK(f.accepted("new") == 3);
  for (const std::shared_ptr<TagState>& tag : tags) CHECK(f.known.find(tag->tag()) == tag.get());
}

TEST_CASE("a tag that cannot be made leaves nothing behind", "[unknown_tags]") {
  Fixture f({4, 1});
  CHECK_THROWS_AS(
      f.unknown.find_or_make("order", f.clock->now(),
                             []() -> std::shared_ptr<TagState> { throw std::bad_alloc(); }),
      std::bad_alloc);
  CHECK(f.tags().empty());
  CHECK(f.accepts("order"));
}

TEST_CASE("all tags can be moved to the table", "[unknown_tags]") {
  Fixture f({4, 1});
  const std::shared_ptr<TagState> unknown = *f.ask("a");
  const std::shared_ptr<TagState> seen = *f.ask("b");
  see_row(*seen);
  f.unknown.move_to_table();
  CHECK(f.tags().empty());
  CHECK(f.known.find("a") == unknown.get());
  CHECK(f.known.find("b") == seen.get());
}

}  // namespace featherid
